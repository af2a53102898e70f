import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.commit import done, mark_done, remove_leftovers, sha256_of, whole, write_json

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
names = st.text("abc", min_size=1, max_size=3)


class StoppedError(Exception):
    """Somebody pulled the plug."""


def stop_within(path: Path, data: bytes, tidy: bool = True) -> None:
    """Write half a file and stop; without `tidy` as if the process had been killed, so that nothing is cleared up."""
    with whole(path) as temporary:
        temporary.write_bytes(data)
        if not tidy:
            temporary.rename(temporary.with_name(f".moved{temporary.name}"))
        raise StoppedError


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@shared
@given(old=st.none() | st.binary(max_size=64), new=st.binary(max_size=64), cut=st.integers(0, 64))
def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path, old: bytes | None, new: bytes, cut: int) -> None:
    path = tmp_path / "file"
    path.unlink(missing_ok=True)
    if old is not None:
        path.write_bytes(old)
    before = entries(tmp_path)
    with pytest.raises(StoppedError):
        stop_within(path, new[:cut])
    assert entries(tmp_path) == before
    assert old is None or path.read_bytes() == old
    with whole(path) as temporary:
        temporary.write_bytes(new)
        assert not path.exists() if old is None else path.read_bytes() == old
    assert path.read_bytes() == new
    assert entries(tmp_path) == ["file"]


def test_a_file_that_was_never_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole(tmp_path / "file"):
        pass
    assert entries(tmp_path) == []


def test_a_file_reaches_the_disk_before_its_name_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def replaced(self: Path, target: Path) -> Path:
        steps.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    with whole(tmp_path / "file") as temporary:
        temporary.write_bytes(b"x")
    assert steps == ["file", "name", "folder"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_its_mode_whatever_the_mask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077 if mode == 0o644 else 0)
    try:
        with whole(tmp_path / "file", mode) as temporary:
            temporary.write_bytes(b"x")
        write_json(tmp_path / "json", {"a": 1}, mode)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {mode}


def test_json_is_the_same_bytes_whatever_the_order_of_its_keys(tmp_path: Path) -> None:
    write_json(tmp_path / "one", {"b": 1, "a": {"d": "é", "c": None}})
    write_json(tmp_path / "two", {"a": {"c": None, "d": "é"}, "b": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.fixture
def step(tmp_path: Path) -> Path:
    """A root where a step has turned two inputs into two outputs."""
    (tmp_path / "made").mkdir()
    for name in ("one", "two"):
        (tmp_path / "made" / name).write_text(name)
    mark_done(tmp_path / "marker", INPUTS, [tmp_path / "made" / "one", tmp_path / "made" / "two"], tmp_path, FACTS)
    return tmp_path


INPUTS = {"shard": "1" * 64, "policy": "2" * 64}
FACTS = {"samples": 3, "fault": None}


def test_a_step_is_done_while_everything_agrees(step: Path) -> None:
    assert done(step / "marker", INPUTS, step) == FACTS
    assert done(step / "marker", dict(reversed(INPUTS.items())), step) == FACTS


@given(st.dictionaries(st.sampled_from([*INPUTS, "more"]), st.sampled_from(["1" * 64, "2" * 64, "3" * 64])))
@shared
def test_a_step_is_not_done_for_any_other_inputs(step: Path, inputs: dict[str, str]) -> None:
    assert (done(step / "marker", inputs, step) == FACTS) == (inputs == INPUTS)


@shared
@given(at=st.integers(0, 2), byte=st.integers(0, 255))
def test_a_step_is_not_done_once_an_output_differs(step: Path, at: int, byte: int) -> None:
    path = step / "made" / "two"
    data = bytearray(b"two")
    data[at] = byte
    path.write_bytes(data)
    assert (done(step / "marker", INPUTS, step) == FACTS) == (data == b"two")


@pytest.mark.parametrize("lost", ["made/one", "marker", "made"])
def test_a_step_is_not_done_once_something_is_lost(step: Path, lost: str) -> None:
    (step / lost).rename(step / "elsewhere")
    assert done(step / "marker", INPUTS, step) is None


def test_a_step_is_not_done_once_an_output_is_a_folder(step: Path) -> None:
    (step / "made" / "one").unlink()
    (step / "made" / "one").mkdir()
    assert done(step / "marker", INPUTS, step) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


@shared
@given(st.dictionaries(st.sampled_from(["inputs", "outputs", "facts"]), json_values | st.just(INPUTS)) | json_values)
def test_no_damaged_marker_raises_or_counts(step: Path, record: Any) -> None:
    (step / "damaged").write_text(json.dumps(record))
    told = done(step / "damaged", INPUTS, step)
    assert told is None or (record["inputs"], record["outputs"], record["facts"]) == (INPUTS, {}, told)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_a_marker_that_is_no_json_does_not_count(step: Path, damage: bytes) -> None:
    (step / "marker").write_bytes(damage)
    assert done(step / "marker", INPUTS, step) is None


def test_a_marker_binds_its_outputs_by_their_place_under_the_root(step: Path) -> None:
    record = json.loads((step / "marker").read_text())
    assert record["outputs"] == {f"made/{name}": sha256_of(step / "made" / name) for name in ("one", "two")}


def test_an_output_outside_the_root_cannot_be_bound(step: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "file"
    other.write_text("x")
    with pytest.raises(ValueError):
        mark_done(step / "new", INPUTS, [other], step, {})
    assert not (step / "new").exists()


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(tmp_path: Path) -> None:
    deep = tmp_path / "clean" / "general"
    deep.mkdir(parents=True)
    (tmp_path / ".folder.tmp").mkdir()
    (tmp_path / "outside").write_text("x")
    kept = [deep / "00000.tar", deep / "notes.tmp", deep / ".hidden", tmp_path / ".folder.tmp" / "x"]
    for path in kept:
        path.write_text("x")
    with pytest.raises(StoppedError):
        stop_within(deep / "00001.tar", b"half", tidy=False)
    assert len(entries(deep)) == 4
    (deep / ".link.tmp").symlink_to(tmp_path / "outside")
    remove_leftovers(tmp_path)
    assert all(path.exists() for path in [*kept, tmp_path / "outside"])
    assert entries(deep) == [".hidden", "00000.tar", "notes.tmp"]


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_the_digest_is_that_of_the_whole_file(tmp_path: Path, size: int) -> None:
    import hashlib

    data = bytes(size)
    (tmp_path / "file").write_bytes(data)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()
