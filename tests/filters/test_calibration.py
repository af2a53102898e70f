import json
import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filters.calibration import (
    Calibration,
    Gap,
    Group,
    Histogram,
    Interval,
    RestsOn,
    bin_edges,
    calibration_digest,
    calibration_of,
    read_calibration,
    tables_of,
    write_calibration,
)
from filters.errors import PolicyError

NAN = float("nan")
CANARY = "canary-5c1d"
SHARE = Interval(0.9, 0.8, 0.95)
GROUP = Group(20, 0, Interval(NAN, 0.0, 1.0), Interval(0.1, 0.01, 0.3))
FULL = Calibration(
    filter="adult",
    label="score",
    mark="adult",
    direction="at_least",
    threshold=0.25,
    materials=(RestsOn("weights", "open_nsfw", "ab" * 32),),
    n=40,
    positives=20,
    unexamined=3,
    without_value=1,
    confidence=0.95,
    recall=SHARE,
    precision=SHARE,
    false_positive_rate=Interval(0.05, 0.0, 0.2),
    groups={"region": {"estimate": replace(GROUP, positives=5, recall=SHARE), "north": GROUP}},
    languages={"de": GROUP},
    gaps={"region": Gap("estimate", "north", Interval(NAN, -1.0, 1.0))},
    histogram=Histogram(bin_edges("adult"), (39, *(0,) * 19)),
    corpus_histogram=Histogram(bin_edges("adult"), (7,) * 20),
    date="2026-11-22",
    labels_sha256="cd" * 32,
    version="0.1.0",
)


def refused(path: Path, sha256: str = "") -> str:
    with pytest.raises(PolicyError) as caught:
        read_calibration(path, sha256)
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def changed(folder: Path, **changes: Any) -> Path:
    """Write the file with some of its keys changed, in the layout that `evaluate` writes."""
    path = folder / "changed.json"
    path.write_text(json.dumps(tables_of(FULL) | changes, indent=1, sort_keys=True) + "\n")
    return path


def test_a_calibration_comes_back_from_its_file_and_from_its_tables(tmp_path: Path) -> None:
    digest = write_calibration(tmp_path / "c.json", FULL)
    again = read_calibration(tmp_path / "c.json", digest.upper())
    assert repr(again) == repr(FULL)  # NaN is not equal to itself
    assert repr(calibration_of(json.loads(json.dumps(tables_of(FULL))), "c")) == repr(FULL)
    assert digest == calibration_digest(FULL) == calibration_digest(again)


def test_the_same_calibration_is_the_same_bytes_and_has_no_not_a_number(tmp_path: Path) -> None:
    write_calibration(tmp_path / "a.json", FULL)
    write_calibration(tmp_path / "b.json", pickle.loads(pickle.dumps(FULL)))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert b"NaN" not in (tmp_path / "a.json").read_bytes()


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    write_calibration(tmp_path / "c.json", FULL)
    told = refused(tmp_path / "c.json", "ee" * 32)
    assert "not eeeeeeeeeeee" in told
    assert "c.json" in told


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.json")
    assert "it is no file" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "it is no file" in refused(tmp_path / "pipe")
    assert "cannot be read" in refused(tmp_path / "\0")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not the JSON"),
        ("[" * 100_000, "not the JSON"),
        (f'{{"{CANARY}": NaN}}', "not the JSON"),
        (f'{{"a": "{CANARY}", "a": 2}}', "not the JSON"),
        ("[]", "does not say that it is shardwall-calibration/1"),
        (f'"{CANARY}"', "does not say that it is"),
        ('{"format": "shardwall-calibration/2"}', "does not say that it is"),
        ('{"format": "shardwall-calibration/1"}', "filter is missing"),
        ('{"format": {}}', "does not say that it is"),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "c.json").write_text(text)
    assert why in refused(tmp_path / "c.json")


def test_bytes_without_end_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "c.json").open("wb") as file:
        file.truncate(17 << 20)
    assert "larger than 16 MiB" in refused(tmp_path / "c.json")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({CANARY: 1}, "its content is missing or not what it should be"),
        ({"threshold": "0.5"}, "threshold is missing or not what it should be"),
        ({"threshold": None}, "threshold is missing"),
        ({"direction": CANARY}, "direction is missing"),
        ({"n": 40.0}, "n is missing"),
        ({"n": True}, "n is missing"),
        ({"recall": {"estimate": 0.9, "low": 0.95, "high": 0.99}}, "contradict each other"),
        ({"recall": {"estimate": 0.9, "low": -0.1, "high": 0.99}}, "contradict each other"),
        ({"recall": {"estimate": 0.9, "low": 0.1, "high": None}}, "recall is missing"),
        ({"precision": {"estimate": 2, "low": 0.1, "high": 3}}, "contradict each other"),
        ({"positives": 0}, "labels of both kinds"),
        ({"positives": 40}, "labels of both kinds"),
        ({"unexamined": -1}, "labels of both kinds"),
        ({"confidence": 1.0}, "threshold or confidence"),
        ({"materials": []}, "which weights"),
        ({"materials": [{"kind": "weights", "name": "x", "sha256": CANARY}]}, "which weights"),
        ({"histogram": {"edges": [0, 1], "counts": [1, 2]}}, "does not fit its edges"),
        ({"corpus_histogram": {"edges": [1, 0], "counts": [1]}}, "does not fit its edges"),
        ({"corpus_histogram": {"edges": [], "counts": []}}, "does not fit its edges"),
        ({"histogram": {"edges": [0, 1], "counts": [40]}}, "not of its labelled samples"),
        (
            {"gaps": {"c": {"best": "a", "worst": "b", "recall": {"estimate": 0, "low": -2, "high": 0}}}},
            "no difference",
        ),
    ],
)
def test_a_calibration_that_contradicts_itself_or_says_half_is_refused(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    told = refused(changed(tmp_path, **changes))
    assert why.replace("no difference", "not a difference of two shares") in told


def test_a_calibration_that_lacks_a_key_is_refused(tmp_path: Path) -> None:
    for key in tables_of(FULL):
        tables = tables_of(FULL)
        del tables[key]
        (tmp_path / "c.json").write_text(json.dumps(tables))
        assert "cannot be used" in refused(tmp_path / "c.json")


def test_a_calibration_that_was_edited_by_hand_is_refused(tmp_path: Path) -> None:
    write_calibration(tmp_path / "c.json", FULL)
    text = (tmp_path / "c.json").read_text()
    (tmp_path / "c.json").write_text(text.replace('"n": 40', '"n":  40'))
    assert "changed after it was measured" in refused(tmp_path / "c.json")


def test_no_digest_is_shown_by_a_repr() -> None:
    assert "ab" * 32 not in repr(FULL)
