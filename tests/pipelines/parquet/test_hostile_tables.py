"""Tables that are broken or lie: what can be read is read, the rest is withheld, named and counted."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.config import load_policy
from filters.errors import ShardError
from filters.policy import Policy
from manifests.evidence import read_evidence, read_faults
from manifests.manifest import read_manifest
from manifests.quarantine import read_ledger
from pipelines.clean import clean
from pipelines.examine import ChildDiedError, Examiner
from pipelines.inputs import Shard
from pipelines.parquet.evidence import Reading, Told
from pipelines.parquet.examine import Asking
from pipelines.parquet.survey import Rows, TableSurvey, survey_table
from pipelines.verify import verify
from tests.corpora import LISTED_WORD, write_policy
from tests.tables import coyo, laion, write

COUNT, GROUP = 90, 30


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    return load_policy(write_policy(tmp_path_factory.mktemp("policy")))


@pytest.fixture(scope="module")
def examiner(policy: Policy) -> Iterator[Examiner]:
    with closing(Examiner(policy, b"key", tables=True)) as started:
        yield started


def surveyed(path: Path, examiner: Examiner) -> TableSurvey:
    return survey_table(Shard(path.stem, str(path)), examiner)


def broken_group(path: Path) -> Path:
    """Break a page in the middle of three row groups."""
    write(path, coyo(COUNT), rows=GROUP, use_dictionary=False, write_page_checksum=True)
    chunk = pq.read_metadata(path).row_group(1).column(2)
    data = bytearray(path.read_bytes())
    at = chunk.data_page_offset + chunk.total_compressed_size // 2
    data[at : at + 4] = b"\xff\x00\xff\x00"
    path.write_bytes(data)
    return path


def test_a_row_group_that_cannot_be_read_is_withheld_and_the_others_are_not(tmp_path: Path, examiner: Examiner) -> None:
    seen = surveyed(broken_group(tmp_path / "a.parquet"), examiner)
    assert seen.groups == (Rows(0, 0, GROUP), Rows(2, 2 * GROUP, GROUP))
    (fault,) = seen.faults
    assert fault.kind == "row group 1 cannot be read"
    assert 0 < fault.offset < fault.offset + fault.length < seen.size


def test_a_run_over_a_broken_row_group_ends_as_the_manifest_says(tmp_path: Path, policy: Policy) -> None:
    broken_group(tmp_path / "in" / "a.parquet")
    write(tmp_path / "in" / "b.parquet", coyo(5, 1))
    (tmp_path / "in" / "c.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    summary = clean(str(tmp_path / "in"), tmp_path / "out", policy)
    assert [(each["shard"], each["kind"]) for each in summary["faults"]] == [
        ("a", "row group 1 cannot be read"),
        ("c", "the footer cannot be read"),
    ]
    assert summary["samples"] == 2 * GROUP + 5
    restricted = tmp_path / "out" / "restricted"
    rows = list(read_manifest(restricted / "manifest" / "a.parquet"))
    assert [row.offset for row in rows] == [*range(GROUP), *range(2 * GROUP, 3 * GROUP)]
    assert [row.index for row in rows] == list(range(2 * GROUP))
    (whole,) = read_ledger(restricted / "quarantine" / "c.parquet")
    assert (whole.index, whole.offset, whole.length) == (None, 0, 108)
    assert not (tmp_path / "out" / "clean" / "general" / "c.parquet").exists()
    assert verify(tmp_path / "out") == []
    kept = pq.read_table(tmp_path / "out" / "clean" / "general" / "a.parquet")
    numbers = {each - 1_000_000 for each in kept["id"].to_pylist()}
    assert numbers == {row.offset for row in rows if row.partition == "general"}


def cut(path: Path) -> None:
    data = write(path, coyo(COUNT)).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def long_footer(path: Path) -> None:
    data = write(path, coyo(COUNT)).read_bytes()
    path.write_bytes(data[:-8] + (1 << 30).to_bytes(4, "little") + b"PAR1")


def twins(path: Path) -> None:
    write(path, pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["url", "url"]))


def deep(path: Path) -> None:
    kind: pa.DataType = pa.string()
    for _ in range(20):
        kind = pa.struct([("x", kind)])
    write(path, pa.table({"url": ["a"], "deep": pa.array([None], kind)}))


def wordy(path: Path) -> None:
    write(path, coyo(3).replace_schema_metadata({"note": "x" * (2 << 20)}))


def listed_metadata(path: Path) -> None:
    write(path, coyo(3).replace_schema_metadata({"note": f"see {LISTED_WORD}"}))


def listed_name(path: Path) -> None:
    write(path, pa.table({"url": ["http://ok.test/a"], f"see {LISTED_WORD}": [1]}))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (cut, "the footer cannot be read"),
        (nothing, "the footer cannot be read"),
        (long_footer, "the footer cannot be read"),
        (twins, "two columns share a name"),
        (deep, "columns nested too deeply"),
        (wordy, "its metadata is too large"),
        (listed_metadata, "its metadata has what a rule of the policy marks"),
        (listed_name, "its metadata has what a rule of the policy marks"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_withheld_whole(
    tmp_path: Path, examiner: Examiner, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / "a.parquet")
    seen = surveyed(tmp_path / "a.parquet", examiner)
    assert seen.groups == ()
    assert [(each.kind, each.offset, each.length) for each in seen.faults] == [(why, 0, seen.size)]


def test_a_fifo_is_not_waited_for(tmp_path: Path, examiner: Examiner) -> None:
    os.mkfifo(tmp_path / "a.parquet")
    answer = examiner.ask({"table": "open", "path": str(tmp_path / "a.parquet"), "shard": "a"})
    assert answer == {"fault": "the footer cannot be read"}


def test_a_few_bytes_that_stand_for_work_without_end_are_a_fault(tmp_path: Path, examiner: Examiner) -> None:
    count = 3_000_000
    table = pa.table({"url": pa.array(["http://ok.test/a"] * 8), "x": pa.nulls(8, pa.int8())})
    table = pa.concat_tables([table] * (count // 8)).combine_chunks()
    write(tmp_path / "a.parquet", table, rows=count)
    (fault,) = surveyed(tmp_path / "a.parquet", examiner).faults
    assert fault.kind == "row group 0 has too many rows for its size"


def test_a_dictionary_bomb_costs_its_row_group_and_not_the_run(tmp_path: Path, policy: Policy) -> None:
    """Half a megabyte, four thousand times from one entry of a dictionary: two gigabytes in one batch."""
    from dataclasses import replace

    large = pa.DictionaryArray.from_arrays(pa.array([0] * 4096, pa.int32()), ["a long text " * 43_691])
    plain = pa.table({"url": ["http://ok.test/a"] * 4096, "text": pa.array(["x"] * 4096).dictionary_encode()})
    bomb = pa.table({"url": ["http://ok.test/a"] * 4096, "text": large})
    write(tmp_path / "a.parquet", plain, rows=4096, store_schema=False)
    write(tmp_path / "b.parquet", bomb, rows=4096, store_schema=False)
    tight = replace(policy, limits=replace(policy.limits, memory_bytes=1 << 30))
    with closing(Examiner(tight, b"key", tables=True)) as examiner:
        assert surveyed(tmp_path / "a.parquet", examiner).faults == ()
        (fault,) = surveyed(tmp_path / "b.parquet", examiner).faults
    assert fault.kind in (
        "row group 0 takes too much memory",
        "row group 0 cannot be read",
        "row group 0 kills its reader",
    )


def test_any_flipped_byte_leaves_the_reader_with_an_answer(tmp_path: Path, examiner: Examiner) -> None:
    data = write(tmp_path / "a.parquet", laion(60), rows=20).read_bytes()
    chance = random.Random(7)
    for number in range(60):
        broken = bytearray(data)
        for _ in range(chance.choice((1, 3))):
            place = chance.choice((chance.randrange(len(data)), len(data) - 1 - chance.randrange(2500)))
            broken[place] = chance.randrange(256)
        path = tmp_path / f"broken{number}.parquet"
        path.write_bytes(broken)
        try:
            seen = surveyed(path, examiner)
        except ShardError:  # refused, as what it now is
            continue
        assert seen.rows <= 60 or not seen.faults
        assert all(0 <= each.offset <= each.offset + each.length <= seen.size for each in seen.faults)


class Lying:
    """An examining process in the hands of what it read."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.closed = 0

    def ask(self, request: dict[str, object]) -> object:
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            raise ChildDiedError
        return answer

    def close(self) -> None:
        self.closed += 1


HONEST: dict[str, object] = {
    "keys": None,
    "patterns": [{"findings": [], "examined": ["urls", "digests", "captions"]}],
    "of": [0],
    "shapes": [[["sha256", None]]],
    "shape": [0],
    "values": ["ab" * 32],
    "groups": {"0": ["0" * 32]},
}


def reading(policy: Policy, **change: object) -> Told:
    return Reading(policy).taken({**HONEST, **change}, 1, keyed=False)


def test_an_honest_answer_is_taken(policy: Policy) -> None:
    told = reading(policy)
    assert told.shapes == [(("sha256", 32, None),)]
    assert told.values == [bytes.fromhex("ab" * 32)]
    assert told.groups == [["0" * 32]]


@pytest.mark.parametrize(
    "change",
    [
        {"patterns": [{"findings": [], "examined": [], "not_applicable": ["adult"]}]},
        {"patterns": [{"findings": [], "examined": [], "inapplicable": True}]},
        {"patterns": [{"findings": [], "examined": [1]}]},
        {"patterns": [{"findings": [["urls"]], "examined": []}]},
        {"patterns": [{"findings": [["urls", "x", float("nan")]], "examined": []}]},
        {"of": [1]},
        {"of": [-1]},
        {"of": [0, 0]},
        {"of": ["0"]},
        {"shapes": [[["sha256", 101]]]},
        {"shapes": [[["sha512", None]]]},
        {"shapes": [[["phash", None]]]},
        {"values": ["ab" * 31]},
        {"values": ["AB" * 32]},
        {"values": None},
        {"shape": [7]},
        {"groups": {"1": []}},
        {"groups": {"0": ["x"]}},
        {"groups": {"0": [1]}},
    ],
)
def test_an_answer_that_no_honest_process_gives_is_not_taken(policy: Policy, change: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        reading(policy, **change)


def test_only_a_filter_of_fingerprints_can_have_had_nothing_to_look_at(policy: Policy) -> None:
    """The words by which it says so are honoured of it alone; of any other filter they stay "unexamined"."""
    findings = [[name, "unexamined", None, "", "", "", "no image", ""] for name in ("digests", "captions", "urls")]
    (statement,) = reading(policy, patterns=[{"findings": findings, "examined": []}]).statements
    assert statement.not_applicable == ("digests",)
    assert [each.filter for each in statement.findings] == ["captions", "urls"]


def test_a_row_over_which_the_process_always_dies_is_unexamined_and_its_neighbours_are_not(policy: Policy) -> None:
    class Deadly(Lying):
        def ask(self, request: dict[str, object]) -> object:
            start, count = int(str(request["start"])), int(str(request["count"]))
            if start <= 130 < start + count:
                raise ChildDiedError
            return {**HONEST, "of": [0] * count, "shape": [0] * count, "values": ["ab" * 32] * count, "groups": {}}

    examiner: object = Deadly()
    asking = Asking(Shard("a", "a.parquet"), False, examiner, Reading(policy))  # type: ignore[arg-type]
    told = asking.told(Rows(0, 0, 300), 0, 300)
    died = [row for row, each in enumerate(told.statements) if not each.examined]
    assert died == [130]
    assert [each.unexamined for each in told.statements[130].findings] == ["decoder died"]
    assert told.statements[130].not_applicable == ()


def test_a_process_that_never_says_that_it_is_done_is_not_asked_for_ever(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", coyo(3))
    examiner: object = Lying({"groups": [[3, 0, 10]], "keyed": False}, *[{"done": False}] * 100)
    seen = survey_table(Shard("a", str(path)), examiner)  # type: ignore[arg-type]
    assert [each.kind for each in seen.faults] == ["row group 0 kills its reader"]


@pytest.mark.parametrize("groups", [None, [[1]], [["x", 0, 0]], 7, [[1 << 60, 0, 1]]])
def test_a_footer_that_no_honest_process_tells_is_a_fault(tmp_path: Path, groups: object) -> None:
    path = write(tmp_path / "a.parquet", coyo(3))
    examiner: object = Lying({"groups": groups, "keyed": False})
    assert survey_table(Shard("a", str(path)), examiner).rows == 0  # type: ignore[arg-type]


def test_what_was_read_before_a_fault_is_evidence_of_the_whole_run(tmp_path: Path, policy: Policy) -> None:
    broken = pa.array([b"\xff" if row == 4 else b"http://ok.test/a" for row in range(9)], pa.binary()).view(pa.string())
    write(tmp_path / "in" / "a.parquet", pa.table({"url": broken, "n": list(range(9))}))
    clean(str(tmp_path / "in"), tmp_path / "out", policy)
    evidence = list(read_evidence(tmp_path / "out" / "restricted" / "evidence" / "a.parquet"))
    assert [row.index for row in evidence if any(f.unexamined for f in row.findings)] == [4]
    assert read_faults(tmp_path / "out" / "restricted" / "evidence" / "a.parquet") == ()
    kept = pq.read_table(tmp_path / "out" / "clean" / "general" / "a.parquet")
    assert kept["n"].to_pylist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert verify(tmp_path / "out") == []
