import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.config import load_policy
from filters.errors import ShardError, ShardwallError
from filters.finding import RASTERS
from filters.policy import WITHHELD, Policy
from manifests.evidence import Evidence
from manifests.manifest import decide
from pipelines import examine as module
from pipelines.clean import clean
from pipelines.examine import BATCH_BYTES, BATCH_ROWS, DIED, Examiner, batches
from pipelines.shards import Row, rows, survey
from tests.corpora import ADULT_WORD, Given, drawing, plain_samples, write_policy, write_shard
from tests.pipelines.sacrifice import CLEAN, TRAP, Trap

KEY = b"key of a test"
SECONDS = 2  # a sample may take where one hangs; the alarm counts whole seconds
HANGING = ("sleep", "sleep_holding_the_interpreter", "sleep_through_the_alarm", "dribble", "leave_someone_behind")
FATAL = (*HANGING, "leave", "segfault", "abort", "write_a_file")
NONSENSE = (
    *("answer_words", "answer_a_label_that_is_none", "answer_a_value_that_is_none"),
    "answer_without_end",
)
CAUGHT = {
    "fail": "failed: RuntimeError",
    "answer_nothing": "failed: TypeError",
    "allocate": "failed: MemoryError",
    "answer_too_little": "failed: wrong number of answers",
    "answer_not_a_number": "value is not a number",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examine")


@pytest.fixture(scope="module")
def shard(folder: Path) -> Path:
    """Four samples, the third of which is the trap."""
    before, after = plain_samples(2), plain_samples(1, 10)
    write_shard(folder / "00000.tar", [*before, Given("trapped", drawing(90), f"a {TRAP}"), *after])
    return folder / "00000.tar"


@pytest.fixture(scope="module")
def plain(folder: Path) -> Policy:
    return load_policy(write_policy(folder / "policy"))


def with_trap(plain: Policy, deed: str, target: str = "") -> Policy:
    """Return the policy with a trap behind its first filter."""
    limits = replace(plain.limits, seconds_per_sample=SECONDS if deed in HANGING else 60)
    return replace(plain, filters=(plain.filters[0], Trap(deed, target=target), *plain.filters[1:]), limits=limits)


def examined(policy: Policy, shard: Path) -> list[Evidence]:
    examiner = Examiner(policy, KEY)
    try:
        return examiner.examine(shard, "00000", list(rows(shard, survey(shard), 1 << 30)))
    finally:
        examiner.close()


@pytest.fixture
def examiner(plain: Policy) -> Iterator[Examiner]:
    made = Examiner(plain, KEY)
    yield made
    made.close()


@pytest.mark.parametrize("deed", [*FATAL, *NONSENSE])
def test_a_sample_that_takes_the_process_along_is_unexamined_and_its_neighbours_keep_their_evidence(
    deed: str, plain: Policy, shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(module, "LONGEST_ANSWER", 1 << 20)
    policy = with_trap(plain, deed, str(tmp_path / "copy"))
    one, two, trapped, after = examined(policy, shard)
    assert trapped.findings == (DIED,)
    assert (trapped.fingerprints, trapped.examined, trapped.groups) == ((), (), ())
    assert decide(trapped, (), policy).partition == WITHHELD
    for other in (one, two, after):
        assert CLEAN in other.findings
        assert other.fingerprints
        assert other.examined == tuple(each.name for each in policy.filters)
        assert decide(other, (), policy).partition == "general"
    if (tmp_path / "copy").exists():
        assert (tmp_path / "copy").read_bytes() == b""
    assert list(tmp_path.glob("core*")) == []


@pytest.mark.parametrize("deed", CAUGHT)
def test_a_filter_that_fails_over_a_sample_leaves_it_unexamined_and_says_why(
    deed: str, plain: Policy, shard: Path
) -> None:
    policy = with_trap(plain, deed)
    one, two, trapped, after = examined(policy, shard)
    assert CAUGHT[deed] in {finding.unexamined for finding in trapped.findings}
    assert decide(trapped, (), policy).partition == WITHHELD
    assert "codeword-secret" not in repr((one, two, trapped, after))
    for each in (one, two, trapped, after):
        assert each.examined == tuple(used.name for used in policy.filters)
        assert each.fingerprints


def test_what_a_library_prints_does_not_reach_the_answers(
    plain: Policy, shard: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert all(CLEAN in each.findings for each in examined(with_trap(plain, "talk"), shard))
    assert capfd.readouterr() == ("", "")


def test_the_process_inherits_no_variable_of_the_user(
    plain: Policy, shard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEWORD_TOKEN", "codeword-credential")
    told = {finding.label for finding in examined(with_trap(plain, "tell_environment"), shard)[2].findings}
    assert "HF_HUB_OFFLINE" in told
    assert not [label for label in told if "CODEWORD" in label or "codeword-credential" in label]


def test_the_process_leaves_no_core_writes_no_file_and_leads_a_session_of_its_own(plain: Policy, shard: Path) -> None:
    told = {
        f.label: f.value for f in examined(with_trap(plain, "tell_limits"), shard)[2].findings if f.filter == "trap"
    }
    assert told == {"dumpable": 0, "core": 0, "file size": 0, "session": 0}


def test_a_crash_in_a_folder_that_cores_go_to_leaves_nothing_there(
    plain: Policy, shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    monkeypatch.chdir(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        assert examined(with_trap(plain, "segfault"), shard)[2].findings == (DIED,)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_process_killed_from_outside_costs_no_sample_not_even_one_that_was_alone(
    plain: Policy, shard: Path, examiner: Examiner
) -> None:
    every = list(rows(shard, survey(shard), 1 << 30))
    undisturbed = examiner.examine(shard, "00000", every)
    for some in (every, every[:1]):
        assert examiner.pid is not None
        os.kill(examiner.pid, signal.SIGKILL)
        assert examiner.examine(shard, "00000", some) == undisturbed[: len(some)]


def test_a_batch_and_its_samples_one_by_one_give_the_same_evidence(shard: Path, examiner: Examiner) -> None:
    every = list(rows(shard, survey(shard), 1 << 30))
    assert examiner.examine(shard, "00000", every) == [examiner.examine(shard, "00000", [row])[0] for row in every]


def test_closing_twice_and_examining_again_is_no_matter(shard: Path, examiner: Examiner) -> None:
    every = list(rows(shard, survey(shard), 1 << 30))
    first = examiner.examine(shard, "00000", every)
    examiner.close()
    examiner.close()
    assert examiner.pid is None
    assert examiner.examine(shard, "00000", every) == first


PARENT = """
import sys
from pathlib import Path
from filters.config import load_policy
from pipelines.examine import Examiner
from pipelines.shards import rows, survey
from tests.pipelines.test_examine import with_trap
policy, shard, deed = sys.argv[1:]
examiner = Examiner(with_trap(load_policy(policy), deed), b"key")
every = list(rows(Path(shard), survey(Path(shard)), 1 << 30))
examiner.examine(Path(shard), "00000", every[:1])
print(examiner.pid, flush=True)
if deed == "talk":
    input()
examiner.examine(Path(shard), "00000", every)
"""


@pytest.mark.parametrize("deed", ["talk", "sleep"], ids=["idle", "with a sample in hand"])
def test_the_process_ends_when_its_parent_is_killed(deed: str, folder: Path, plain: Policy, shard: Path) -> None:
    words = [sys.executable, "-c", PARENT, str(folder / "policy" / "policy.toml"), str(shard), deed]
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    for _ in range(100 * SECONDS):
        if not alive(child):
            return
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("it lives on")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_filter_that_cannot_load_stops_the_run_before_any_shard_with_its_own_sentence(tmp_path: Path) -> None:
    policy = load_policy(write_policy(tmp_path))
    (tmp_path / "hashes.csv").unlink()
    examiner = Examiner(policy, KEY)
    with pytest.raises(ShardwallError, match=r"'hashes'"):
        examiner.check()
    assert examiner.pid is None


def test_a_process_that_does_not_start_is_told_with_what_to_do(plain: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ShardError, match="shardwall doctor"):
        Examiner(plain, KEY).check()


def test_the_process_is_told_the_key_by_no_argument_and_no_variable(shard: Path, examiner: Examiner) -> None:
    examiner.examine(shard, "00000", list(rows(shard, survey(shard), 1 << 30))[:1])
    for file in ("cmdline", "environ"):
        assert KEY.hex().encode() not in Path(f"/proc/{examiner.pid}/{file}").read_bytes()


def test_a_run_with_a_deadly_sample_goes_on_behind_it(tmp_path: Path, plain: Policy) -> None:
    (tmp_path / "in").mkdir()
    trapped = Given("trapped", drawing(91), f"a {TRAP}")
    write_shard(tmp_path / "in" / "00000.tar", [*plain_samples(2), trapped, *plain_samples(2, 20)])
    write_shard(tmp_path / "in" / "00001.tar", [Given("grown", drawing(92), ADULT_WORD)])
    policy = with_trap(plain, "segfault")
    summary = clean(str(tmp_path / "in"), tmp_path / "out", policy, ["--direct_num_workers=1"])
    assert summary["kept"] == {"general": 4, "minors": 0, "adult": 1}
    assert summary["withheld"] == {"unexamined: decoder died": 1}


@given(st.lists(st.integers(1, BATCH_BYTES // 2), max_size=60))
def test_batches_keep_every_row_in_order_and_stay_small(lengths: list[int]) -> None:
    made = [Row(n, str(n), 0, length, (), ()) for n, length in enumerate(lengths)]
    found = list(batches(iter(made)))
    assert [row for batch in found for row in batch] == made
    assert all(0 < len(batch) <= BATCH_ROWS for batch in found)
    assert all(sum(row.end for row in batch) <= BATCH_BYTES for batch in found)


def test_a_row_larger_than_a_batch_has_one_of_its_own() -> None:
    made = [Row(n, str(n), 0, 2 * BATCH_BYTES, (), ()) for n in range(3)]
    assert [len(batch) for batch in batches(iter(made))] == [1, 1, 1]


def test_a_dead_decoder_is_told_as_the_decoders() -> None:
    assert (DIED.filter, bool(DIED.unexamined)) == (RASTERS, True)
