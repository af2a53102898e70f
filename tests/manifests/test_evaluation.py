import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.calibration import AT_LEAST, AT_MOST, RestsOn, read_calibration, write_calibration
from filters.errors import LabelError
from manifests.curves import histogram
from manifests.evaluation import Asked, Origin, Row, Tally, calibration, evaluate, plain, told

SCORE = Asked("adult", "score", "adult", AT_LEAST, 0.5)
AGE = Asked("minors", "apparent-age", "minor", AT_MOST, 27.0)
NOTHING = Tally(0, 0, 0, 0, 0)
ORIGIN = Origin((RestsOn("weights", "age-v1", "ab" * 32),), "cd" * 32, "2026-11-22", "0")


def row(truth: bool, value: float, group: str = "", unexamined: bool = False) -> Row:
    return Row(truth, value, unexamined, {"region": group, "language": ""})


def test_an_age_is_found_at_or_below_its_threshold() -> None:
    rows = [row(True, 12.0), row(True, 27.0), row(True, 27.1), row(False, 20.0), row(False, 60.0)]
    found = evaluate(AGE, rows, NOTHING).measured
    assert (found.found, found.missed, found.false, found.passed) == (2, 1, 1, 1)


def test_where_no_sample_has_a_value_all_of_the_mark_is_missed() -> None:
    """As when the filter finds no usable face in any of them."""
    rows = [row(number % 2 == 0, math.nan, "a") for number in range(10)]
    found = evaluate(AGE, rows, NOTHING, 0.5)
    assert (found.measured.found, found.measured.missed, found.tally.without_value) == (0, 5, 10)
    assert found.wanted is not None
    assert found.wanted.threshold is None
    assert (found.curve.roc_auc, found.curve.points) == (0.5, ())
    json.dumps(plain(found), allow_nan=False)


def test_what_could_not_be_examined_is_in_no_share() -> None:
    seen = [row(True, 0.9, "a"), row(True, 0.1, "b"), row(False, 0.1, "a")]
    blind = [row(True, math.nan, "a", unexamined=True), row(False, 0.9, "b", unexamined=True)]
    with_blind, without = (evaluate(SCORE, rows, NOTHING) for rows in ([*seen, *blind], seen))
    assert with_blind.measured == without.measured
    assert with_blind.groups == without.groups
    assert (with_blind.tally.unexamined_of_mark, with_blind.tally.unexamined_others) == (1, 1)


def test_a_sample_without_a_group_is_in_none() -> None:
    found = evaluate(SCORE, [row(True, 0.9, "a"), row(False, 0.1), row(True, 0.1)], NOTHING)
    assert {name: group.n for name, group in found.groups["region"].items()} == {"a": 1}
    assert found.languages == {}


@given(st.lists(st.booleans(), max_size=6), st.booleans())
def test_labels_of_one_kind_measure_nothing(unexamined: list[bool], truth: bool) -> None:
    rows = [row(truth, 0.5, unexamined=blind) for blind in unexamined]
    with pytest.raises(LabelError, match="measure nothing"):
        evaluate(SCORE, rows, replace(NOTHING, labelled=len(rows)))


def test_what_became_of_labels_is_told_without_what_did_not_occur() -> None:
    assert told(Tally(9, 0, 0, 0, 0)) == "9 labelled"
    tally = Tally(9, 1, 2, 3, 1, unexamined_of_mark=1, unexamined_others=1)
    assert told(tally) == (
        "9 labelled, 3 not in the evidence, 1 with a key that occurs twice in its shard, "
        "2 with rows that contradict each other, 2 unexamined"
    )


def test_an_evaluation_makes_a_calibration_that_can_be_read(tmp_path: Path) -> None:
    rows = [row(number % 3 == 0, float(number), "ab"[number % 2]) for number in range(60)]
    found = evaluate(AGE, rows, NOTHING, 0.7)
    bins = histogram("minors", np.array([each.value for each in rows]))
    made = calibration(found, ORIGIN, (bins, bins))
    assert (made.mark, made.direction, made.n, made.positives) == ("minor", AT_MOST, 60, 20)
    assert made.recall.low >= 0.7
    assert sorted(made.gaps) == ["region"]
    path = tmp_path / "c.json"
    assert read_calibration(path, write_calibration(path, made)) == made
