"""Every verb as a user meets it: what it prints, how it ends, and that no word of it is a traceback or a secret."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines import VERSION
from pipelines.cli import main
from pipelines.layout import Layout, locked
from tests.corpora import (
    ADULT_WORD,
    MINOR_WORD,
    Given,
    drawing,
    plain_samples,
    write_policy,
    write_shard,
    write_tar,
)
from tests.pipelines.test_examine import alive
from tests.test_laws import children
from tests.tree import digests

KNOWN = drawing(900)
CANARIES = ("canary-key", "canary-caption", "canary-page", "canary-entry", "canary-value")
VERBS = [
    *("clean", "verify", "explain", "evaluate", "demo", "doctor", "policy check", "policy diff", "policy schema"),
    *("list check", "list build", "queue list", "queue show", "queue export"),
]
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Shardwall = Callable[..., Told]


@pytest.fixture
def shardwall(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shardwall:
    """The command line, run in this process; whatever it is asked, it prints no traceback and no canary."""

    def run(*words: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["shardwall", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return sound(Told(code if isinstance(code, int) else 0, out, err))

    return run


def sound(told: Told) -> Told:
    assert "Traceback" not in told.out + told.err
    assert "fault of Shardwall" not in told.err
    assert not [canary for canary in CANARIES if canary in told.out + told.err]
    assert (told.code in (0, 3)) or told.err
    return told


def command(*words: object) -> Told:
    """Run the command line in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "pipelines", *map(str, words)], cwd=ROOT, capture_output=True, text=True
    )
    return sound(Told(ran.returncode, ran.stdout, ran.stderr))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A corpus, its policy, its output, and what `clean` said of it."""

    folder: Path
    policy: Path
    output: Path
    told: Told


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Cleaned:
    """A run with canaries in keys, captions, addresses and a list, over sound shards."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "in").mkdir()
    page = {"page_url": "http://canary-page.test/1"}
    samples = [
        *plain_samples(2),
        Given("canary-key-known", KNOWN, "canary-caption", page),
        Given("canary-key-both", drawing(901), f"canary-caption {MINOR_WORD} {ADULT_WORD}"),
        Given("canary-key-young", drawing(902), MINOR_WORD),
    ]
    write_shard(folder / "in" / "00000.tar", samples)
    write_shard(folder / "in" / "00001.tar", plain_samples(2, 20))
    policy = write_policy(folder / "policy", [KNOWN])
    with (folder / "policy" / "terms.csv").open("a") as terms:
        terms.write("canary-entry,solicitation\n")
    told = command("clean", folder / "in", folder / "out", "--policy", policy, "--", "--direct_num_workers=1")
    return Cleaned(folder, policy, folder / "out", told)


@pytest.fixture(scope="module")
def broken(cleaned: Cleaned, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What is said of a shard that was cut off, and of a key that is there twice."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "in").mkdir()
    write_shard(folder / "in" / "00000.tar", plain_samples(3))
    whole = (folder / "in" / "00000.tar").read_bytes()
    (folder / "in" / "00000.tar").write_bytes(whole[: len(whole) // 2])
    twice = Given("canary-key-twice", drawing(30)).members
    write_tar(folder / "in" / "00001.tar", [*twice, *plain_samples(1, 40)[0].members, *twice])
    return command("clean", folder / "in", folder / "out", "--policy", cleaned.policy)


# How commands end


def test_a_finished_run_ends_with_0_and_a_table_that_adds_up(cleaned: Cleaned) -> None:
    assert cleaned.told.code == 0
    for words in (
        "general",
        "minors",
        "known material (digest)",
        "adult and minor together",
        "2 cases wait for a person",
    ):
        assert words in cleaned.told.out
    assert [json.loads(line)["progress"]["separated"] for line in cleaned.told.err.splitlines()][-1] == 2


def test_structural_faults_end_with_3_and_are_named(broken: Told) -> None:
    assert broken.code == 3
    assert "structural fault: 00000.tar at offset" in broken.out
    assert "2 samples with structural faults of their own were withheld" in broken.out


def test_a_run_of_everything_finished_is_soon_done_and_says_the_same(cleaned: Cleaned) -> None:
    before = digests(cleaned.output)
    again = command("clean", cleaned.folder / "in", cleaned.output, "--policy", cleaned.policy)
    assert (again.code, again.out) == (0, cleaned.told.out)
    assert digests(cleaned.output) == before


def test_verify_ends_with_0(cleaned: Cleaned, shardwall: Shardwall) -> None:
    assert shardwall("verify", cleaned.output) == Told(0, f"{cleaned.output}: verified\n", "")


def test_explain_tells_rules_marks_and_evidence(cleaned: Cleaned, shardwall: Shardwall) -> None:
    told = shardwall("explain", cleaned.output, "00000", "canary-key-known")
    assert told.code == 0
    for words in ("00000 sample 2: withheld", "known material (digest)", "rules     listed", "urls, digests", "csam"):
        assert words in told.out
    kept = shardwall("explain", cleaned.output, "00001", "000000020")
    assert "a partition allows all its marks" in kept.out


def test_the_queue_is_listed_shown_and_exported(cleaned: Cleaned, shardwall: Shardwall) -> None:
    listed = shardwall("queue", "list", cleaned.output)
    assert listed.code == 0
    exported = shardwall("queue", "export", cleaned.output)
    cases = [json.loads(line) for line in exported.out.splitlines()]
    assert [case["kind"] for case in cases] == ["known_material", "adult_and_minor"]
    one = shardwall("queue", "export", cleaned.output, "--kind", "adult_and_minor")
    assert [json.loads(line) for line in one.out.splitlines()] == cases[1:]
    for case in cases:
        assert case["id"][:12] in listed.out
    shown = shardwall("queue", "show", cleaned.output, cases[0]["id"][:12])
    assert (shown.code, cases[0]["id"] in shown.out) == (0, True)
    asked = re.search(r"shardwall (explain .*)$", shown.out.strip())
    assert asked
    told = shardwall(*shlex.split(asked[1]))
    assert (told.code, "known material (digest)" in told.out) == (0, True)


def test_policies_are_checked_compared_and_described(cleaned: Cleaned, shardwall: Shardwall) -> None:
    checked = shardwall("policy", "check", cleaned.policy)
    assert (checked.code, "partition minors: allows minor" in checked.out) == (0, True)
    assert "needs lists" in shardwall("policy", "check", "partition").out
    assert shardwall("policy", "diff", "strict", "strict").out == "no difference\n"
    assert "minors" in shardwall("policy", "diff", "partition", "strict").out
    assert "properties" in json.loads(shardwall("policy", "schema").out)


def test_lists_are_checked_without_an_entry(cleaned: Cleaned, shardwall: Shardwall) -> None:
    told = shardwall("list", "check", cleaned.policy)
    assert (told.code, told.err) == (0, "")
    for name in ("hashes", "urls", "terms"):
        assert f"{name}: " in told.out


def test_a_hash_list_is_built_into_a_folder(cleaned: Cleaned, shardwall: Shardwall, tmp_path: Path) -> None:
    told = shardwall("list", "build", cleaned.policy, "hashes", tmp_path / "built")
    assert (told.code, told.err) == (0, "")
    assert (tmp_path / "built").is_dir()


def test_doctor_tells_versions_weights_and_runners(shardwall: Shardwall) -> None:
    told = shardwall("doctor")
    assert told.code in (0, 1)
    for words in (f"shardwall {VERSION}", "apache-beam", "FnApiRunner", "profiles: "):
        assert words in told.out


# What is refused


@pytest.fixture
def cases(cleaned: Cleaned, tmp_path: Path) -> dict[str, tuple[int, str, list[object]]]:
    """Commands that cannot be done: how each ends, and words that must be said."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    bad = tmp_path / "bad.toml"
    bad.write_text('name = "x"\npartitons = ["canary-value"]\n')
    tables = tmp_path / "tables.toml"
    tables.write_text('extends = "partition"\n[limits]\nmax_frame = "canary-value"\n')
    (tmp_path / "not.toml").write_text("name = canary-value\n")
    (tmp_path / "lost").mkdir()
    lost = write_policy(tmp_path / "lost")
    (tmp_path / "lost" / "hashes.csv").write_text("hash\ncanary-value\n")
    given, out, policy = cleaned.folder / "in", tmp_path / "out", ["--policy", cleaned.policy]
    clean: list[object] = ["clean", given, out]
    beam: list[object] = [*clean, *policy, "--"]
    own: list[object] = ["clean", cleaned.output / "clean" / "general", cleaned.output]
    return {
        "no verb": (2, "Commands:", []),
        "unknown verb": (2, "clean", ["claen"]),
        "unknown verb of a group": (2, "check", ["policy", "chekc"]),
        "unknown option": (2, "--policy", [*clean, "--polcy", "x"]),
        "unknown option of a group": (2, "--kind", ["queue", "export", out, "--kid", "x"]),
        "option without value": (2, "--policy", [*clean, "--policy"]),
        "no policy": (2, "--policy", clean),
        "no output": (2, "OUTPUT", ["clean", given, *policy]),
        "unquoted glob": (2, "Quote a glob", [*clean, "more", *policy]),
        "unknown profile": (2, "partition", [*clean, "--policy", "partitoin"]),
        "policy that is not there": (2, "none.toml", [*clean, "--policy", tmp_path / "none.toml"]),
        "policy that is a folder": (2, "cannot be read", [*clean, "--policy", f"{tmp_path}/empty/"]),
        "policy that is no TOML": (2, "not TOML", [*clean, "--policy", tmp_path / "not.toml"]),
        "unknown key": (2, "'partitions'", [*clean, "--policy", bad]),
        "unknown key in a table": (2, "'max_frames'", [*clean, "--policy", tables]),
        "unknown key to check": (2, "'partitions'", ["policy", "check", bad]),
        "unknown key to compare": (2, "'partitions'", ["policy", "diff", "strict", bad]),
        "unknown Beam option": (2, "--runner", [*beam, "--runer=FnApiRunner"]),
        "Beam option with dashes": (2, "--direct_num_workers", [*beam, "--direct-num-workers=1"]),
        "Beam option of another type": (2, "invalid int", [*beam, "--direct_num_workers=some"]),
        "negative workers": (2, "negative", [*beam, "--direct_num_workers=-1"]),
        "unknown runner": (2, "no such runner", [*beam, "--runner=Fm"]),
        "word for Beam": (2, "1 argument", [*beam, "stray"]),
        "unknown kind": (2, "known_material", ["queue", "export", cleaned.output, "--kind", "known"]),
        "no shards": (1, "no .tar file", ["clean", tmp_path / "empty", out, *policy]),
        "input that is not there": (1, "Give a folder", ["clean", tmp_path / "none", out, *policy]),
        "input that is no shard": (1, "plain .tar", ["clean", tmp_path / "file", out, *policy]),
        "odd brace": (1, "brace", ["clean", f"{given}/{{00000.tar", out, *policy]),
        "output that is a file": (1, "file cannot be used", ["clean", given, tmp_path / "file", *policy]),
        "output under a file": (1, "cannot be used", ["clean", given, tmp_path / "file" / "out", *policy]),
        "input in its own output": (1, "the input lies in it", [*own, *policy]),
        "list with a bad entry": (1, "hashes", [*clean, "--policy", lost]),
        "list with a bad entry to check": (1, "hashes", ["list", "check", lost]),
        "profile without lists": (1, "list", [*clean, "--policy", "partition"]),
        "unknown list": (1, "hashes", ["list", "build", cleaned.policy, "hash", out]),
        "list of another kind": (1, "terms", ["list", "build", cleaned.policy, "terms", out]),
        "verify without a run": (1, "holds no run", ["verify", tmp_path / "empty"]),
        "verify of nothing": (1, "holds no run", ["verify", tmp_path / "none"]),
        "explain without a run": (1, "holds no run", ["explain", tmp_path / "empty", "00000", "a"]),
        "unknown shard": (1, "no shard of that name", ["explain", cleaned.output, "9", "canary-key"]),
        "unknown key of a sample": (1, "no complete sample", ["explain", cleaned.output, "00000", "canary-key"]),
        "queue without a run": (1, "holds no run", ["queue", "list", tmp_path / "empty"]),
        "case without a run": (1, "holds no run", ["queue", "show", tmp_path / "empty", "a"]),
        "export without a run": (1, "holds no run", ["queue", "export", tmp_path / "empty"]),
        "no case": (1, "0 cases", ["queue", "show", cleaned.output, "z"]),
        "two cases": (1, "2 cases", ["queue", "show", cleaned.output, ""]),
        "demo in a file": (1, "cannot be used", ["demo", tmp_path / "file"]),
        "demo to check without one": (1, "planted.json", ["demo", tmp_path / "empty", "--check", cleaned.output]),
    }


CASES = [
    *("no verb", "unknown verb", "unknown verb of a group", "unknown option", "unknown option of a group"),
    *("option without value", "no policy", "no output", "unquoted glob", "unknown profile"),
    *("policy that is not there", "policy that is a folder", "policy that is no TOML", "unknown key"),
    *("unknown key in a table", "unknown key to check", "unknown key to compare", "unknown Beam option"),
    *("Beam option with dashes", "Beam option of another type", "negative workers", "unknown runner", "word for Beam"),
    *("unknown kind", "no shards", "input that is not there", "input that is no shard", "odd brace"),
    *("output that is a file", "output under a file", "input in its own output", "list with a bad entry"),
    *("list with a bad entry to check", "profile without lists", "unknown list", "list of another kind"),
    *("verify without a run", "verify of nothing", "explain without a run", "unknown shard", "unknown key of a sample"),
    *("queue without a run", "case without a run", "export without a run", "no case", "two cases", "demo in a file"),
    "demo to check without one",
]


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_done_is_told_in_a_sentence_and_leaves_nothing(
    case: str, cases: dict[str, tuple[int, str, list[object]]], shardwall: Shardwall, tmp_path: Path
) -> None:
    code, words, asked = cases[case]
    told = shardwall(*asked)
    assert (told.code, words in told.out + told.err) == (code, True), told
    assert not (tmp_path / "out").exists()


def test_every_case_is_tried(cases: dict[str, tuple[int, str, list[object]]]) -> None:
    assert sorted(cases) == sorted(CASES)


def test_another_policy_is_refused_and_changes_nothing_not_even_a_folder(
    cleaned: Cleaned, shardwall: Shardwall, tmp_path: Path
) -> None:
    other = write_policy(tmp_path, [KNOWN])
    other.write_text(other.read_text().replace('name = "minors"', 'name = "young"'))
    before = sorted(cleaned.output.rglob("*"))
    told = shardwall("clean", cleaned.folder / "in", cleaned.output, "--policy", other)
    assert (told.code, "another policy" in told.err) == (1, True)
    assert sorted(cleaned.output.rglob("*")) == before


def test_an_output_in_use_is_refused(cleaned: Cleaned, shardwall: Shardwall) -> None:
    with locked(Layout(cleaned.output)):
        told = shardwall("clean", cleaned.folder / "in", cleaned.output, "--policy", cleaned.policy)
    assert (told.code, "another run is working there" in told.err) == (1, True)


def test_a_foreign_shard_in_an_output_stops_the_run_and_is_named(cleaned: Cleaned, shardwall: Shardwall) -> None:
    foreign = cleaned.output / "clean" / "general" / "99999.tar"
    foreign.write_bytes(b"x")
    try:
        told = shardwall("clean", cleaned.folder / "in", cleaned.output, "--policy", cleaned.policy)
    finally:
        foreign.unlink()
    assert (told.code, "clean/general/99999.tar" in told.err) == (1, True)


def test_a_shard_that_vanishes_or_changes_during_a_run_is_told_and_nothing_of_it_is_kept(
    cleaned: Cleaned, tmp_path: Path
) -> None:
    """Between the two readings of a shard its bytes are exchanged for others of the same size."""
    (tmp_path / "in").mkdir()
    write_shard(tmp_path / "in" / "00000.tar", plain_samples(2))
    code = (
        "import sys, pipelines.clean as c\n"
        "from pathlib import Path\n"
        "shard, join = Path(sys.argv[2]) / '00000.tar', c.join_corpus\n"
        "def exchange(*words):\n"
        "    join(*words)\n"
        "    shard.write_bytes(shard.read_bytes().replace(b'drawing number 1', b'drawing number 9'))\n"
        "c.join_corpus = exchange\n"
        "from pipelines.cli import main\nmain()\n"
    )
    words = ["clean", str(tmp_path / "in"), str(tmp_path / "out"), "--policy", str(cleaned.policy)]
    ran = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)
    told = sound(Told(ran.returncode, ran.stdout, ran.stderr))
    assert (told.code, "it changed after it was examined" in told.err) == (1, True)
    assert not list((tmp_path / "out" / "clean").rglob("*.tar"))


def test_stopping_it_is_told_ends_with_130_and_leaves_no_process(cleaned: Cleaned, tmp_path: Path) -> None:
    """It is stopped, as from a terminal, in the midst of a join that takes an hour."""
    words = ["clean", str(cleaned.folder / "in"), str(tmp_path / "out"), "--policy", str(cleaned.policy)]
    code = (
        "import time, pipelines.clean as c\n"
        "c.join_corpus = lambda *_: (print('joining', flush=True), time.sleep(3600))\n"
        "from pipelines.cli import main\nmain()\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "joining\n"
        examining = children(started.pid)
        os.killpg(started.pid, signal.SIGINT)
        out, err = started.communicate(timeout=60)
    told = sound(Told(started.returncode, out, err))
    assert (told.code, "what is finished is kept" in told.err) == (130, True)
    assert examining
    while any(alive(child) for child in examining):  # each ends when it hears no more
        time.sleep(0.01)
    assert command(*words).code == 0


# Help


def test_help_of_every_verb_is_a_sentence_and_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\nfrom pipelines.cli import main\n"
        "for verb in json.loads(sys.argv[1]):\n"
        "    sys.argv = ['shardwall', *verb.split(), '--help']\n"
        "    try:\n        main()\n    except SystemExit as ended:\n        assert not ended.code, verb\n"
        "heavy = {'torch', 'apache_beam', 'pyarrow', 'numpy', 'scipy', 'PIL', 'onnxruntime', 'webdataset'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    words = [sys.executable, "-c", code, json.dumps(["", *VERBS])]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stderr == "[]\n"
    assert ran.stdout.count("Usage: shardwall") == len(VERBS) + 1


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb_explains_each_argument(verb: str, shardwall: Shardwall) -> None:
    told = shardwall(*verb.split(), "--help")
    assert (told.code, told.err) == (0, "")
    usage, _, rest = told.out.partition("\n\n")
    assert rest.split("\n")[0].strip()
    for argument in (word.strip("[]{}.") for word in usage.split()[3:]):
        if argument.isupper() and argument not in ("OPTIONS", "--", "BEAM"):
            assert f"\n  {argument} " in rest, (argument, told.out)
