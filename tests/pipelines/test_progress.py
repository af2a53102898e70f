import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.errors import ListError, ShardwallError
from pipelines import progress
from pipelines.layout import Layout
from pipelines.progress import ShardProgress, Watch, clear_progress, note_failures, read_failures

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
step = st.one_of(
    st.integers(1, 99).flatmap(lambda of: st.fixed_dictionaries({"samples": st.integers(0, of), "of": st.just(of)})),
    st.fixed_dictionaries({"kept": st.integers(0, 99), "withheld": st.integers(0, 99)}),
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "out")
    made.create()
    return made


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line)["progress"] for line in stream.getvalue().splitlines()]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, _: str) -> int:
        raise self.error


@shared
@given(st.lists(st.tuples(step, step), min_size=1, max_size=6))
def test_totals_are_the_sums_over_the_shards(
    tmp_path: Path, steps: list[tuple[dict[str, int], dict[str, int]]]
) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    told = {}
    for number, (one, other) in enumerate(steps):
        for each in (one, other):
            name = f"{number}.{'separated' if 'kept' in each else 'examined'}.json"
            ShardProgress(tmp_path / name).finish(**each)
            told[name] = each
    totals = Watch(tmp_path, len(steps), io.StringIO()).totals()
    for count in ("samples", "kept", "withheld"):
        assert totals[count] == sum(each.get(count, 0) for each in told.values())
    assert totals["separated"] == sum("kept" in each for each in told.values())
    assert totals["examined"] == sum(each.get("samples", -1) == each.get("of") for each in told.values())
    assert 0 <= totals["share"] <= 1


@pytest.mark.parametrize("of", [0, 5])
def test_a_run_that_is_done_is_told_as_done(tmp_path: Path, of: int) -> None:
    """A shard without samples is work too."""
    ShardProgress(tmp_path / "0.examined.json").finish(samples=of, of=of)
    ShardProgress(tmp_path / "0.separated.json").finish(kept=of, withheld=0)
    totals = Watch(tmp_path, 1, io.StringIO()).totals()
    assert (totals["examined"], totals["separated"]) == (1, 1)


def test_a_shard_tells_at_most_every_half_second_but_always_its_end(tmp_path: Path) -> None:
    shard = ShardProgress(tmp_path / "0.examined.json")
    for samples in range(100):
        shard.tell(samples=samples, of=100)
    assert json.loads((tmp_path / "0.examined.json").read_text()) == {"samples": 0, "of": 100}
    shard.finish(samples=100, of=100)
    assert json.loads((tmp_path / "0.examined.json").read_text()) == {"samples": 100, "of": 100}
    assert [path.name for path in tmp_path.iterdir()] == ["0.examined.json"]


def test_a_progress_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    ShardProgress(tmp_path / "missing" / "0.examined.json").finish(samples=1, of=1)


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", "\x00"])
def test_a_file_caught_half_written_counts_as_nothing(tmp_path: Path, damage: str) -> None:
    (tmp_path / "0.examined.json").write_text(damage)
    assert Watch(tmp_path, 1, io.StringIO()).totals()["share"] == 0


def test_elsewhere_than_on_a_terminal_each_line_is_json_and_the_last_is_the_end(tmp_path: Path) -> None:
    stream = io.StringIO()
    with Watch(tmp_path, 2, stream):
        ShardProgress(tmp_path / "0.examined.json").finish(samples=3, of=6)
    assert [told["samples"] for told in lines(stream)] == [3]
    assert lines(stream)[0].keys() == {
        *("shards", "examined", "separated", "samples", "kept", "withheld"),
        *("samples_per_second", "seconds_left", "share"),
    }


def test_lines_come_while_the_run_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_INTERVAL", 0.001)
    stream = io.StringIO()
    with Watch(tmp_path, 1, stream):
        while len(stream.getvalue().splitlines()) < 3:
            pass
    assert len(lines(stream)) >= 3


def test_on_a_terminal_there_is_a_bar_and_no_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.001)
    monkeypatch.setenv("TERM", "xterm")
    ShardProgress(tmp_path / "0.examined.json").finish(samples=3, of=6)
    stream = Terminal()
    with Watch(tmp_path, 1, stream):
        while "3 samples" not in stream.getvalue():
            pass
    assert "progress" not in stream.getvalue()


def test_a_dumb_terminal_gets_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with Watch(tmp_path, 1, stream):
        pass
    assert len(lines(stream)) == 1


@pytest.mark.parametrize(
    "error", [BrokenPipeError(), OSError(28, "No space left on device"), ValueError("closed file")]
)
def test_a_reader_that_went_away_stops_nothing(tmp_path: Path, error: Exception) -> None:
    """An error of the thread would be a warning here, and a traceback for a user."""
    with Watch(tmp_path, 1, Closed(error)):
        pass


def test_failures_are_noted_in_order_read_back_and_forgotten(layout: Layout) -> None:
    assert read_failures(layout) == []
    assert not note_failures(layout, [{"shard": "a", "samples": 1}])
    assert read_failures(layout) == []
    facts: list[dict[str, Any]] = [
        {"shard": "a", "failed": "First.", "error": "ListError"},
        {"shard": "b"},
        {"shard": "c", "failed": "Then."},
    ]
    assert note_failures(layout, facts)
    assert [(type(each), str(each)) for each in read_failures(layout)] == [
        (ListError, "First."),
        (ShardwallError, "Then."),
    ]
    clear_progress(layout)
    assert read_failures(layout) == []
    assert list(layout.progress.iterdir()) == []
