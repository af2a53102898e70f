"""Law 9: what was planted in captions, addresses, keys, EXIF, pictures and lists appears nowhere it should not."""

import base64
import bz2
import dataclasses
import hashlib
import importlib
import json
import os
import pickle
import pkgutil
import re
import shutil
import subprocess
import sys
import traceback
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.internal import pickler
from apache_beam.portability.api import beam_runner_api_pb2

import filters
import manifests
import pipelines
from filters.addresses import canonical
from filters.captions import CaptionTerms
from filters.config import load_policy, restored
from filters.digests import DigestMatch
from filters.errors import ShardwallError
from filters.finding import examine
from filters.hashlists import read_hashes
from filters.heads import HeadSource
from filters.lists import ListSource, check, read_rows
from filters.members import parse
from filters.probes import load_probe
from filters.sample import Batch, Sample
from filters.urls import UrlBlocklist
from manifests.evidence import Evidence, EvidenceWriter, read_evidence, read_faults
from manifests.manifest import Decision, read_manifest, read_public
from manifests.provenance import read_provenance
from manifests.quarantine import read_ledger
from manifests.queue import read_queue
from pipelines.clean import build
from pipelines.cli import main
from pipelines.inputs import find_shards
from pipelines.job import make_job
from pipelines.layout import Layout, identify, read_run
from pipelines.shards import Row, rows, survey
from pipelines.sidecar import filter_rows
from pipelines.verify import verify
from tests.canaries import Planted, Secret, forms, heard, outside, places, plant, token, unpacked

ROOT = Path(__file__).parent.parent
ROOMS = ("filters.", "manifests.", "pipelines.")
LEDGERS = tuple(f"restricted/{name}/" for name in ("evidence", "manifest", "quarantine", "queue"))


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished run over a planted corpus: what it left, what it said, and the empty folders that it was given."""

    planted: Planted
    said: bytes
    ended: tuple[int, ...]
    given: Path

    @property
    def output(self) -> Path:
        return self.planted.folder / "out"

    @property
    def key(self) -> bytes:
        return bytes.fromhex(json.loads((self.output / "restricted" / "run.json").read_text())["key"])

    @property
    def secrets(self) -> dict[str, Secret]:
        """Everything that nobody may be told: content, keys, fingerprints, list entries, the run's key."""
        every, planted = [*self.planted.kept, *self.planted.withheld], self.planted
        named = planted.names(every) | planted.keys | planted.prints(every)
        return planted.content(every) | planted.more | planted.entries | named | {"run key": self.key}


# The examining process dies whenever it is asked about the sample of that key, in a batch or alone.
DYING = """
import sys
from pipelines.cli import main
from pipelines.examine import Examiner
key, exchange = sys.argv.pop(1), Examiner._exchange
def dying(self, message, seconds):
    if any(row["key"] == key for row in message.get("rows", ())):
        self._process.kill()
    return exchange(self, message, seconds)
Examiner._exchange = dying
main()
"""


def shardwall(folder: Path, *words: str, dies_over: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run the command line with a home, a temporary folder and a working folder of its own."""
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    program = ["-c", DYING, dies_over] if dies_over else ["-m", "pipelines"]
    return subprocess.run([sys.executable, *program, *words], cwd=folder / "cwd", env=environment, capture_output=True)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("silence")
    planted, given, output = plant(folder), folder / "given", str(folder / "out")
    for name in ("tmp", "home", "cwd"):
        (given / name).mkdir(parents=True)
    policy = str(folder / "policy" / "policy.toml")
    words = ["clean", str(folder / "in"), output, "--policy", policy, "--", "--direct_num_workers=2"]
    first = shardwall(given, *words, dies_over=token("key crash"))
    others = [
        shardwall(given, "verify", output),
        shardwall(given, "queue", "list", output),
        shardwall(given, "queue", "export", output),
        shardwall(given, "queue", "show", output, read_queue(folder / "out" / "restricted" / "queue")[0].id),
        shardwall(given, "explain", output, "00000", token("key no such sample")),
        shardwall(given, "policy", "check", policy),
        shardwall(given, "list", "check", policy),
        shardwall(given, "list", "build", policy, "hashes", str(folder / "built")),
        shardwall(given, "residual", output, "--plan", "3"),
        shardwall(given, "residual", output),
        shardwall(given, "what-if", output, "--by", "shard"),
        shardwall(given, "what-if", output, "--policy", "partition"),
        shardwall(given, "what-if", output, "--by", "domain"),
        shardwall(given, "bias", output, str(folder / "in" / "00000.tar"), "--by", "region"),
    ]
    every = [first, *others]
    said = b"".join(each.stdout + each.stderr for each in every)
    return Ran(planted, said, tuple(each.returncode for each in every), given)


def decisions(output: Path) -> Iterator[Decision]:
    for path in sorted((output / "restricted" / "manifest").iterdir()):
        yield from read_manifest(path)


# The search itself


@pytest.mark.parametrize(
    "secret", [token("control"), os.urandom(16), b"\x00'\"\\\n\xff" * 3], ids=["a word", "bytes", "what needs escapes"]
)
def test_the_search_finds_what_is_planted_however_it_is_written_down(tmp_path: Path, secret: Secret) -> None:
    raw = secret.encode() if isinstance(secret, str) else secret
    for number, form in enumerate(forms(secret)):
        (tmp_path / f"{number}.bin").write_bytes(b"before" + form + b"behind")
    for before in range(3):
        (tmp_path / f"{before}.base64").write_bytes(base64.b64encode(b"x" * before + raw + b"behind"))
    repeated = [raw] * 3
    pq.write_table(pa.table({"bytes": repeated}), tmp_path / "column.parquet", compression="zstd")
    nested = [{"deep": [raw.hex()]}]
    pq.write_table(pa.table({"nested": nested}).replace_schema_metadata({}), tmp_path / "nested.parquet")
    noted = pa.table({"a": [1]}).replace_schema_metadata({"note": raw.hex()})
    pq.write_table(noted, tmp_path / "metadata.parquet", compression="zstd")
    files = {path.name for path in tmp_path.iterdir()}
    assert places(tmp_path, {"it": secret, "another": token("never planted")}) == {"it": files, "another": set()}
    packed = [bz2.compress(raw), base64.b64encode(zlib.compress(pickle.dumps([secret]))), b"a " + base64.b64encode(raw)]
    assert [heard({"it": secret}, each) for each in packed] == [{"it"}] * 3


def test_the_run_met_every_planted_case(ran: Ran) -> None:
    """Without this, the rest would hold for a run that did nothing."""
    assert ran.ended == (3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1)
    placed = {each.key: each for each in decisions(ran.output)}
    assert all(placed[each.key].partition == "general" for each in ran.planted.kept)
    cases = {each.key for each in ran.planted.withheld} - {token("key behind the cut")}
    assert all(placed[key].withheld for key in cases | {str(key) for key in ran.planted.keys.values() if key in placed})
    reasons = {reason for key in cases for reason in placed[key].reasons}
    assert reasons >= {"known material (digest)", "known material (perceptual)", "listed URL", "text"}
    assert reasons >= {"adult and minor together", "tied to another sample", "unexamined: undecodable"}
    assert "unexamined: decoder died" in reasons
    assert {reason for each in placed.values() for reason in each.reasons} >= {"structural fault"}
    assert b"structural fault: 00002.tar" in ran.said


def test_the_search_finds_in_the_output_what_belongs_there(ran: Ran) -> None:
    planted = ran.planted
    assert all(
        any(path.startswith("clean/") for path in paths)
        for paths in places(ran.output, planted.content(planted.kept)).values()
    )
    examined = [each for each in planted.withheld if each.key not in (token("key behind the cut"), token("key crash"))]
    wanted = planted.names(examined) | planted.prints(examined) | {"run key": ran.key}
    assert not [name for name, paths in places(ran.output, wanted).items() if not paths]
    source = places(planted.folder, planted.content(planted.withheld) | planted.more | planted.entries)
    assert not [name for name, paths in source.items() if not paths]


# What a run leaves behind


def test_what_may_be_passed_on_holds_nothing_of_what_was_withheld(ran: Ran) -> None:
    planted = ran.planted
    secrets = planted.content(planted.withheld) | planted.names(planted.withheld) | planted.prints(planted.withheld)
    secrets |= planted.keys | planted.more | planted.entries | planted.lists | {"run key": ran.key}
    where = places(ran.output, secrets)
    assert outside(where, "restricted/") == {}


def test_no_file_holds_content_of_a_withheld_sample_or_an_entry_of_a_list(ran: Ran) -> None:
    planted = ran.planted
    assert outside(places(ran.output, planted.content(planted.withheld) | planted.more | planted.entries)) == {}


def test_content_of_kept_samples_lies_in_their_partition_alone(ran: Ran) -> None:
    planted = ran.planted
    assert outside(places(ran.output, planted.content(planted.kept)), "clean/") == {}


def test_keys_and_fingerprints_lie_in_the_restricted_ledgers_alone(ran: Ran) -> None:
    planted = ran.planted
    secrets = planted.names(planted.withheld) | planted.keys | planted.prints(planted.withheld)
    assert outside(places(ran.output, secrets), *LEDGERS) == {}
    prints = places(ran.output, planted.prints([*planted.kept, *planted.withheld]))
    assert outside(prints, "restricted/evidence/") == {}


def test_the_key_of_the_run_lies_in_its_record_alone(ran: Ran) -> None:
    assert places(ran.output, {"run key": ran.key}) == {"run key": {"restricted/run.json"}}


def test_nothing_is_said(ran: Ran) -> None:
    assert heard(ran.secrets, ran.said) == set()


def test_nothing_stays_in_temporary_and_home_folders(ran: Ran) -> None:
    assert [path for path in ran.given.rglob("*") if path.is_file()] == []


def test_answers_about_one_sample_hold_its_key_and_no_content(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = read_queue(ran.output / "restricted" / "queue")
    asked = [["explain", str(ran.output), each.shard, each.key] for each in cases if each.key]
    for words in [*asked, *(["queue", "show", str(ran.output), each.id] for each in cases)]:
        monkeypatch.setattr(sys, "argv", ["shardwall", *words])
        with pytest.raises(SystemExit, match=r"^0$"):
            main()
    planted, told = ran.planted, capsys.readouterr()
    every = [*planted.kept, *planted.withheld]
    secrets = planted.content(every) | planted.more | planted.entries | planted.prints(every) | {"run key": ran.key}
    assert "known material (digest)" in told.out
    assert heard(secrets, (told.out + told.err).encode()) == set()


# What travels


def walked(value: Any, seen: set[int]) -> Iterator[str | bytes]:
    """Yield every text and all bytes that hang from a value: attributes, slots, items, closures."""
    if isinstance(value, str | bytes):
        yield value
        return
    if id(value) in seen or isinstance(value, type | type(os)):
        return
    seen.add(id(value))
    inner: list[Any] = []
    if isinstance(value, dict):
        inner += [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inner += value
    inner += [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    inner += [getattr(value, name, None) for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    inner += getattr(value, "__dict__", {}).values()
    for each in inner:
        yield from walked(each, seen)


def travelling(pipeline: beam.Pipeline) -> bytes:
    """Return all that a pipeline's graph holds, unpacked and unpickled."""
    graph = pipeline.to_runner_api()
    payloads = []
    for transform in graph.components.transforms.values():
        if transform.spec.urn == "beam:transform:pardo:v1":
            payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload).do_fn
            if payload.urn == "beam:dofn:pickled_python_info:v1":
                payloads.append(pickler.loads(payload.payload))  # type: ignore[no-untyped-call]
    texts = [each if isinstance(each, bytes) else each.encode() for each in walked(payloads, set())]
    return b"\0".join([*unpacked(graph.SerializeToString()), *texts])


def test_the_graph_of_a_pipeline_holds_no_secret(ran: Ran) -> None:
    folder = ran.planted.folder
    policy = load_policy(folder / "policy" / "policy.toml")
    pipeline = beam.Pipeline(runner="FnApiRunner")
    build(pipeline, make_job(ran.output, policy), find_shards(str(folder / "in")))
    graph = travelling(pipeline)
    assert all(each in graph for each in (b"listed view", b"views.csv", str(ran.output).encode()))
    assert heard(ran.secrets, graph) == set()


def test_a_secret_in_a_graph_would_be_found() -> None:
    pipeline = beam.Pipeline(runner="FnApiRunner")
    element, argument, closure = token("element"), os.urandom(32), token("closure")
    secrets: dict[str, Secret] = {"element": element, "argument": argument, "closure": closure}
    created: Any = pipeline | beam.Create([element])  # type: ignore[no-untyped-call]
    _ = created | beam.Map(lambda a, b: (a, b, closure), argument)  # type: ignore[no-untyped-call]
    assert heard(secrets, travelling(pipeline)) == set(secrets)


# What goes wrong


def test_what_nobody_foresaw_is_told_without_its_message(ran: Ran, tmp_path: Path) -> None:
    """An error from deep within a library quotes what it could not take; Beam would log it with its traceback."""
    secret = token("unforeseen")
    code = (
        "import pyarrow as pa, pipelines.separate as s\n"
        f"def fail(*_): pa.array(['{secret}']).cast(pa.int64())\n"
        "s._record = fail\n"
        "from pipelines.cli import main\nmain()\n"
    )
    words = ["clean", str(ran.planted.folder / "in"), str(tmp_path / "out"), "--policy"]
    words.append(str(ran.planted.folder / "policy" / "policy.toml"))
    failed = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True)
    assert failed.returncode == 1
    assert b"Error: " in failed.stderr
    assert heard({"message": secret} | ran.secrets, failed.stdout + failed.stderr) == set()
    assert outside(places(tmp_path, {"message": secret})) == {}


def test_an_error_of_a_verb_is_told_without_its_message(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError(token("message"))

    monkeypatch.setattr("pipelines.explain.explain", fail)
    monkeypatch.setattr(sys, "argv", ["shardwall", "explain", str(ran.output), "00000", token("key kept 0")])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr()
    assert "ValueError" in told.err
    assert heard({"message": token("message")} | ran.secrets, (told.out + told.err).encode()) == set()


def test_what_is_wrong_with_an_output_is_told_without_content(ran: Ran, tmp_path: Path) -> None:
    """Each file in turn is replaced by bytes of a shard, and so by everything that is secret."""
    output = tmp_path / "out"
    shutil.copytree(ran.output, output)
    shard, told = (ran.planted.folder / "in" / "00000.tar").read_bytes(), []
    for path in sorted(path for path in output.rglob("*") if path.is_file()):
        original = path.read_bytes()
        path.write_bytes(shard if path.suffix != ".json" else json.dumps(shard.decode("latin-1")).encode())
        try:
            told += verify(output)
        except ShardwallError as error:
            told.append(complete(error))
        path.write_bytes(original)
    assert len(told) > 20
    assert heard(ran.secrets, "\n".join(told).encode()) == set()


def complete(error: BaseException) -> str:
    """Return all that an error would show of itself: its message, what it stems from, its arguments."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error.args)


SECRET = token("input")
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()
SYMBOLS = "\N{SNOWMAN}\N{UMBRELLA}\N{CLOUD}" * 5


def policy_of(text: str) -> Callable[[Path], object]:
    """Return the reading of a policy file."""

    def read(folder: Path) -> object:
        (folder / "policy.toml").write_text(text)
        return load_policy(folder / "policy.toml")

    return read


def list_of(kind: Any, content: str | bytes, *columns: tuple[str, str]) -> Callable[[Path], object]:
    """Return the reading of a list file."""

    def read(folder: Path) -> object:
        (folder / "list").write_bytes(content.encode() if isinstance(content, str) else content)
        source = ListSource("list", str(folder / "list"), kind, "csam", columns=columns)
        makes: dict[str, type[Any]] = {"hashes": DigestMatch, "urls": UrlBlocklist, "terms": CaptionTerms}
        return makes[kind](lists=(source,)).load()

    return read


def built_list(folder: Path) -> object:
    (folder / "list.json").write_text(f'{{"format": {SECRET}}}')
    return read_hashes(ListSource("list", str(folder), "hashes", "csam"))


def head_of(folder: Path) -> object:
    content = len(SECRET).to_bytes(8, "little") + SECRET.encode()
    (folder / "head.safetensors").write_bytes(content)
    source = HeadSource("head", str(folder / "head.safetensors"), hashlib.sha256(content).hexdigest())
    return load_probe(source, "any", 4)


def evidence_of(*rows: Any, metadata: dict[str, str] | None = None) -> Callable[[Path], object]:
    """Return the writing and reading of evidence."""

    def use(folder: Path) -> object:
        with EvidenceWriter(folder / "evidence.parquet", metadata or {}) as writer:
            for row in rows:
                writer.write(row)
        return read_provenance(folder / "evidence.parquet")

    return use


def foreign_table(read: Callable[[Path], object], **columns: list[Any]) -> Callable[[Path], object]:
    """Return the reading of a Parquet file with other columns than those expected."""

    def use(folder: Path) -> object:
        pq.write_table(pa.table(columns).replace_schema_metadata({"shardwall.faults": SECRET}), folder / "t.parquet")
        return read(folder / "t.parquet")

    return use


def sidecar(path: Path) -> object:
    filter_rows(path, ["a"], path.with_suffix(".out"))
    return None


def run_record(folder: Path) -> object:
    (folder / "restricted").mkdir()
    (folder / "restricted" / "run.json").write_text(f'{{"key": {SECRET}')
    return read_run(Layout(folder))


BAD: dict[str, Callable[[Path], object]] = {
    "policy that is not TOML": policy_of(f'name = "x"\n{SECRET} {SECRET}\n'),
    "policy with a value of another type": policy_of(f'name = "x"\n[limits]\nmax_frames = "{SECRET}"\n'),
    "policy with another word": policy_of(f'name = "x"\n[[lists]]\nname = "l"\npath = "l"\nkind = "{SECRET}"\n'),
    "policy with an entry as a key": policy_of(f'name = "x"\n[limits]\n{DIGEST} = 1\n'),
    "policy with an entry as a filter": policy_of(f'name = "x"\n[[filters]]\nname = "{DIGEST}"\n'),
    "policy as recorded": lambda _: restored({"name": [SECRET], "rules": SECRET}),
    "hash that is none": list_of("hashes", f"{SECRET}\n"),
    "hash of an unknown kind": list_of("hashes", f"h,k\n{DIGEST},{SECRET}\n", ("value", "h"), ("algorithm", "k")),
    "hash whose kind nobody tells": list_of("hashes", f"{DIGEST}\n"),
    "hash list without a header": list_of("hashes", f"{DIGEST}\n", ("value", "hash"), ("algorithm", "=sha256")),
    "list in another category": list_of("terms", f"h,c\nword,{SECRET}\n", ("value", "h"), ("category", "c")),
    "list that is not UTF-8": list_of("terms", SECRET.encode() + b"\xff\n"),
    "compiled list": built_list,
    "address that is none": list_of("urls", f"http://[{SECRET}\n"),
    "term without a letter": list_of("terms", f"{SYMBOLS}\n"),
    "address of a sample": lambda _: canonical(f"http://[{SECRET}"),
    "weights": head_of,
    "row that does not fit": evidence_of(Evidence("00000", SECRET, "key", 0, 1)),  # type: ignore[arg-type]
    "provenance": evidence_of(metadata={"shardwall.version": SECRET, "shardwall.materials": SECRET}),
    "evidence with other columns": foreign_table(lambda path: list(read_evidence(path)), secret=[SECRET]),
    "faults": foreign_table(read_faults, secret=[SECRET]),
    "sidecar without keys": foreign_table(sidecar, url=[SECRET]),
    "sidecar with other keys": foreign_table(sidecar, key=[[SECRET]], url=[SECRET]),
    "record of a run": run_record,
}  # fmt: skip


@pytest.mark.parametrize("use", BAD.values(), ids=BAD)
def test_an_error_quotes_nothing_of_what_it_is_about(tmp_path: Path, use: Callable[[Path], object]) -> None:
    with pytest.raises(Exception) as caught:
        use(tmp_path)
    assert type(caught.value).__module__.startswith(("filters", "pipelines"))
    assert heard({"input": SECRET, "digest": DIGEST, "symbols": SYMBOLS}, complete(caught.value).encode()) == set()


# What shows itself


def rooms() -> Iterator[Any]:
    """Yield every module of the rooms but the demonstration, whose plants are public."""
    for room in (filters, manifests, pipelines):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not found.name.startswith(("pipelines.demo", "pipelines.__main__")):
                yield importlib.import_module(found.name)


def test_no_repr_shows_a_field_that_holds_content() -> None:
    """Whatever new type there will be: bytes, pictures and hashes are hidden, and so is what bears such a name."""
    content = {"key", "keys", "images", "texts", "text", "urls", "meta", "entry", "caption", "host", "query"}
    content |= {"suffix", "pixels", "data", "record"}
    types = {each for module in rooms() for each in vars(module).values() if isinstance(each, type)}
    known = [each for each in types if dataclasses.is_dataclass(each) and each.__module__.startswith(ROOMS)]
    shown = [(each, field) for each in known for field in dataclasses.fields(each) if field.repr]
    named = {(each, field.name) for each, field in shown if field.name in content and field.type is not int}
    typed = {(each, field.name) for each, field in shown if re.search(r"^[^C]*(\bbytes|uint8)", f"{field.type!r}")}
    assert len(known) > 40
    assert {(each.__name__, name) for each, name in named | typed} == set()


def test_no_object_of_a_run_shows_content(ran: Ran) -> None:
    folder = ran.planted.folder
    policy = load_policy(folder / "policy" / "policy.toml")
    chain = [(each, each.load()) for each in policy.filters]
    shown: list[object] = [policy, chain, make_job(ran.output, policy), identify(Layout(ran.output), {**record(ran)})]
    for shard in find_shards(str(folder / "in")):
        path, seen = Path(shard.path), survey(Path(shard.path))
        found = list(rows(path, seen, 1 << 30))
        shown += [shard, seen, found, *(member for row in found for member in row.members)]
        samples = [sample_of(path, row) for row in found if row.end - row.start < 1 << 17]
        batch = Batch(samples, policy.limits)
        shown += [samples, batch, batch.take([0]), *map(batch.rasters, range(len(batch)))]
        shown += [loaded(batch) for _, loaded in chain]
        shown += examine(batch, chain, ran.key)
        shown += list(read_evidence(Layout(ran.output).evidence(shard.name)))
        shown += list(read_ledger(Layout(ran.output).quarantine(shard.name)))
        shown += list(read_public(Layout(ran.output).published(shard.name)))
    shown += [*decisions(ran.output), *read_queue(ran.output / "restricted" / "queue")]
    for source in {source for each in policy.filters for source in getattr(each, "lists", ())}:
        shown += [source, check(source), *([read_hashes(source)] if source.kind == "hashes" else read_rows(source))]
    told = "\n".join(f"{each!r} {each}" for each in shown)
    assert all(
        f"{name}(" in told for name in ("Policy", "Sample", "Finding", "Evidence", "Decision", "Row", "HashList")
    )
    secrets = {name: secret for name, secret in ran.secrets.items() if not name.startswith("digest of")}
    assert heard(secrets, told.encode()) == set()


def record(ran: Ran) -> dict[str, Any]:
    return {name: value for name, value in read_run(Layout(ran.output)).items() if name not in ("key", "started")}


def sample_of(path: Path, row: Row) -> Sample:
    data = path.read_bytes()
    members = [(each.suffix, data[each.offset : each.offset + each.size]) for each in row.members]
    return parse(path.stem, row.key, members, row.problems)
