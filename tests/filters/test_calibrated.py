import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.calibrated import IN_PART, UNCALIBRATED, calibrate, covers, notice, rests_on
from filters.calibration import AT_MOST, Calibration, Gap, Group, Interval, RestsOn, write_calibration
from filters.config import load_policy, policy_digest, resolved, restored
from filters.errors import PolicyError
from filters.finding import Finding, Material
from filters.policy import CalibrationFile, Floors, Policy, Rule
from filters.policycheck import problems
from filters.policydiff import diff
from tests.filters.test_calibration import FULL

POLICY = load_policy("partition")
ADULT = replace(FULL, threshold=0.8, groups={}, gaps={}, languages={})
MINOR = replace(ADULT, filter="minors", label="apparent-age", mark="minor", direction=AT_MOST, threshold=27.0)
OPEN = replace(POLICY, uncalibrated=False)
SHARE = Interval(0.99, 0.95, 1.0)
GROUP = Group(100, 50, SHARE, SHARE)


def with_calibrations(*found: Calibration, policy: Policy = OPEN, **changes: Any) -> Policy:
    files = tuple(CalibrationFile(f"c{n}", f"c{n}.json", "ab" * 32) for n in range(len(found)))
    return replace(policy, calibration_files=files, calibrations=found, **changes)


def ruled(name: str, **changes: Any) -> tuple[Rule, ...]:
    return tuple(replace(rule, **changes) if rule.name == name else rule for rule in POLICY.rules)


def only(policy: Policy) -> str:
    (problem,) = problems(policy)
    return problem


def test_a_policy_whose_thresholds_all_rest_on_calibrations_needs_no_other_word() -> None:
    assert problems(with_calibrations(ADULT, MINOR)) == []


def test_each_rule_that_rests_on_nothing_is_named() -> None:
    told = only(with_calibrations(ADULT))
    assert "'apparent age up to 27 years', 'apparent age up to 40 years, beside adult evidence'" in told
    assert "'adult score'" not in told
    assert "uncalibrated = true" in told
    assert "[[calibrations]]" in told


@pytest.mark.parametrize(
    ("calibration", "why"),
    [
        (replace(ADULT, threshold=0.7), "'adult score': at_least = 0.8 finds less than the calibrated at_least = 0.7"),
        (replace(ADULT, mark="minor"), "'adult score': its mark is 'adult', and 'score' was calibrated for 'minor'"),
        (
            replace(ADULT, direction=AT_MOST),
            "'adult score': at_least leaves out values that were calibrated to be found",
        ),
        (replace(ADULT, label="other"), "'adult score', 'adult score in the grey band or above'"),
        (replace(ADULT, filter="encoder"), "'adult score', 'adult score in the grey band or above'"),
    ],
)
def test_a_calibration_of_something_else_carries_no_rule(calibration: Calibration, why: str) -> None:
    found = problems(with_calibrations(calibration, MINOR))
    assert any(why in each for each in found)
    assert any("[[calibrations]] 'c0' carries no rule" in each for each in found)
    accepted = problems(with_calibrations(calibration, MINOR, policy=POLICY))
    assert len(accepted) == 1  # accepted on record, but it still carries nothing
    assert "carries no rule" in accepted[0]


def test_a_looser_age_is_refused_and_a_higher_one_is_not() -> None:
    assert problems(with_calibrations(ADULT, MINOR, rules=ruled("apparent age up to 27 years", at_most=30))) == []
    told = problems(with_calibrations(ADULT, MINOR, rules=ruled("apparent age up to 27 years", at_most=25)))
    assert any("at_most = 25 finds less than the calibrated at_most = 27" in each for each in told)


def test_a_band_is_not_what_was_measured() -> None:
    told = problems(with_calibrations(ADULT, MINOR, rules=ruled("adult score", at_most=0.9)))
    assert any("'adult score': at_most leaves out values" in each for each in told)


def test_a_rule_of_any_label_needs_a_calibration_for_each() -> None:
    told = problems(with_calibrations(ADULT, MINOR, rules=ruled("apparent age up to 27 years", labels=())))
    assert any("'apparent age up to 27 years': such a threshold rests on a model" in each for each in told)


def test_a_calibration_is_not_carried_by_a_rule_that_asks_for_more() -> None:
    told = problems(with_calibrations(ADULT, MINOR, rules=ruled("adult score", beside=("minor",))))
    assert any("[[calibrations]] 'c0' carries no rule" in each for each in told)


def test_a_run_says_first_whether_thresholds_may_rest_on_nothing() -> None:
    assert notice(POLICY) == UNCALIBRATED
    assert notice(with_calibrations(ADULT, policy=POLICY)) == IN_PART
    assert notice(with_calibrations(ADULT, MINOR)) == ""


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_rule_that_covers_a_calibration_is_earned_by_all_that_the_threshold_finds(
    bound: float, threshold: float, value: float
) -> None:
    rule = Rule("r", "adult", "adult", ("score",), at_least=bound)
    calibration = replace(ADULT, threshold=threshold)
    if covers(rule, calibration) and value >= threshold:
        assert rule.earned_by(Finding("adult", "score", value))
    assert covers(rule, calibration) == (bound <= threshold)


def floored(calibration: Calibration, **floors: Any) -> list[str]:
    return problems(with_calibrations(calibration, policy=POLICY, floors=Floors(**floors)))


def test_a_floor_holds_the_lower_bound_and_not_the_estimate() -> None:
    assert floored(ADULT, min_recall=0.8) == []
    (told,) = floored(ADULT, min_recall=0.85)  # the estimate is 0.9
    assert "its recall is 0.8000 or more with 95% confidence, and min_recall is 0.85" in told


@pytest.mark.parametrize(
    ("changes", "floors", "why"),
    [
        ({}, {"min_group_recall": 0.5}, "no group was measured"),
        ({}, {"max_group_gap": 0.5}, "no group was measured"),
        ({}, {"min_group_n": 5}, "no group was measured"),
        (
            {"recall": Interval(0.99, 0.7, 1)},
            {"min_group_recall": 0.8},
            "the group 'north' of 'region' has a recall of 0.7",
        ),
        ({"positives": 4}, {"min_group_n": 5}, "the group 'north' of 'region' has 4 labelled samples of the mark"),
        ({"positives": 0, "recall": Interval(float("nan"), 0, 1)}, {"min_group_recall": 0.1}, "has a recall of 0.0000"),
        ({"positives": 9}, {"max_group_gap": 0.5}, "fewer than two groups of 'region'"),
    ],
)
def test_a_group_under_the_floor_fails_the_gate(changes: dict[str, Any], floors: dict[str, Any], why: str) -> None:
    columns = {"region": {"north": replace(GROUP, **changes), "south": GROUP}} if changes else {}
    (told,) = floored(replace(ADULT, groups=columns), **floors)
    assert told.startswith("[[calibrations]] 'c0': ")
    assert why in told
    (language,) = floored(replace(ADULT, languages=columns.get("region", {})), **floors)
    assert why.replace("region", "language") in language


def test_a_gap_is_held_by_its_upper_bound() -> None:
    groups = {"region": {"north": GROUP, "south": GROUP}}
    wide = replace(ADULT, groups=groups, gaps={"region": Gap("north", "south", Interval(0.05, -0.1, 0.2))})
    assert floored(wide, max_group_gap=0.2) == []
    assert any("may lie 0.2000 apart ('north' above 'south')" in each for each in floored(wide, max_group_gap=0.1))


@pytest.mark.parametrize(
    ("floors", "why"),
    [
        ({"min_recall": 95.0}, "min_recall lies outside 0..1"),
        ({"max_group_gap": -0.1}, "max_group_gap lies outside 0..1"),
        ({"min_group_n": 0}, "min_group_n is below 1"),
        ({"min_recall": 0.5}, "hold nothing up"),
    ],
)
def test_floors_that_cannot_be_are_refused(floors: dict[str, Any], why: str) -> None:
    assert any(why in each for each in problems(replace(POLICY, floors=Floors(**floors))))


# Files ---------------------------------------------------------------------------------------------------------------


def written(folder: Path, calibration: Calibration = ADULT, more: str = "", name: str = "adult") -> Path:
    digest = write_calibration(folder / f"{name}.json", calibration)
    entry = f'[[calibrations]]\nname = "{name}"\npath = "{name}.json"\nsha256 = "{digest}"\n'
    path = folder / "policy.toml"
    path.write_text(f'extends = "partition"\nname = "ours"\n{entry}{more}')
    return path


def refused(path: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    return str(caught.value)


def test_a_policy_with_a_calibration_comes_back_from_its_resolved_form_without_the_file(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, replace(ADULT, languages={"de": replace(GROUP, positives=0)})))
    plain = json.loads(json.dumps(resolved(policy), allow_nan=False))
    (tmp_path / "adult.json").unlink()
    again = restored(plain)
    assert resolved(again) == plain
    assert policy_digest(again) == policy_digest(policy)
    assert again.calibrations[0].threshold == 0.8
    assert str(tmp_path) not in json.dumps(plain)


def test_a_recorded_calibration_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    plain = resolved(load_policy(written(tmp_path)))
    plain["measured"]["adult"]["threshold"] = 0.9
    with pytest.raises(PolicyError, match="not the one that is pinned"):
        restored(plain)


def test_the_digest_of_a_policy_changes_with_its_calibration(tmp_path: Path) -> None:
    one = load_policy(written(tmp_path))
    two = load_policy(written(tmp_path, replace(ADULT, date="2026-11-23")))
    assert policy_digest(one) != policy_digest(two)
    assert any("calibration 'adult': sha256" in line for line in diff(one, two))
    assert "calibration 'adult' is new: thresholds rest on it" in diff(POLICY, one)
    assert "calibration 'adult' is gone: thresholds no longer rest on it" in diff(one, POLICY)


def test_a_floor_that_moves_is_told(tmp_path: Path) -> None:
    one = load_policy(written(tmp_path))
    two = load_policy(written(tmp_path, more="[floors]\nmin_recall = 0.5\n"))
    assert "floors: min_recall none -> 0.5: other calibrations are refused; no decision changes" in diff(one, two)


def test_a_calibration_of_the_file_replaces_that_of_the_base_of_the_same_name(tmp_path: Path) -> None:
    written(tmp_path).rename(tmp_path / "base.toml")
    digest = write_calibration(tmp_path / "new.json", replace(ADULT, threshold=0.9))
    top = tmp_path / "top.toml"
    entry = f'[[calibrations]]\nname = "adult"\npath = "new.json"\nsha256 = "{digest}"\n'
    top.write_text(f'extends = "base.toml"\nname = "top"\n{entry}')
    assert [each.threshold for each in load_policy(top).calibrations] == [0.9]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('sha256 = "', 'sha256 = "00', "its SHA-256 begins"),
        ('path = "adult.json"', 'path = "none.json"', "cannot be read"),
        ('name = "adult"', 'name = ""', "a name is empty"),
        ("sha256 = ", "sha257 = ", "did you mean 'sha256'?"),
        ('path = "adult.json"\n', "", "the key 'path' is missing"),
        ("[[calibrations]]", "[measured]\nx = 1\n[[calibrations]]", "[measured] is for manifests"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(tmp_path: Path, before: str, after: str, why: str) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace(before, after))
    assert why in refused(path)


def test_a_digest_that_is_left_empty_pins_nothing_and_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    text = path.read_text()
    path.write_text(text[: text.index("sha256")] + 'sha256 = ""\n')
    assert "its SHA-256 begins" in refused(path)


def test_two_calibrations_of_one_name_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    entry = path.read_text().partition("[[calibrations]]")[2]
    path.write_text(path.read_text() + "[[calibrations]]" + entry)
    assert "[[calibrations]] 'adult' is there twice" in refused(path)


# Materials -----------------------------------------------------------------------------------------------------------

WEIGHTS = Material("weights", "open_nsfw", "1", "ab" * 32, calibrated=False)
LIST = Material("list", "ours", "1", "ef" * 32)
FACES = Material("weights", "age-v1", "1", "99" * 32, calibrated=False)


def materials_of(policy: Policy) -> dict[str, tuple[Material, ...]]:
    given: dict[str, tuple[Material, ...]] = {each.name: (LIST,) for each in policy.filters}
    return given | {"adult": (WEIGHTS,), "minors": (FACES,)}


def measured_here(policy: Policy) -> Calibration:
    adult = next(each for each in policy.filters if each.name == "adult")
    return replace(ADULT, materials=rests_on(adult, (WEIGHTS, LIST)))


def test_the_weights_that_were_measured_are_called_calibrated_and_the_file_is_a_material() -> None:
    policy = with_calibrations(measured_here(POLICY), policy=POLICY)
    found = {each.name: each for each in calibrate(policy, materials_of(policy))}
    assert found["open_nsfw"] == replace(WEIGHTS, calibrated=True)
    assert found["age-v1"].calibrated is False
    assert found["ours"].calibrated is None
    assert found["c0"] == Material("calibration", "c0", "2026-11-22", "ab" * 32)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda found: (replace(found[0], sha256="00" * 32), *found[1:]), "'open_nsfw' had .* version 000000000000 1"),
        (
            lambda found: (replace(found[0], version="1, bf16"), *found[1:]),
            "'open_nsfw' had .* abababababab 1, bf16, and",
        ),
        (lambda found: found[1:], "'open_nsfw' had the SHA-256 and version none, and has abababababab 1"),
        (
            lambda found: (*found, RestsOn("weights", "prompts x", "11" * 32)),
            "'prompts x' had .* 111111111111, and has",
        ),
        (lambda found: (*found[:-1], replace(found[-1], sha256="22" * 32)), "the settings 'adult' had"),
    ],
)
def test_a_calibration_for_another_model_is_refused_by_a_sentence(
    other: Callable[[tuple[RestsOn, ...]], tuple[RestsOn, ...]], why: str
) -> None:
    here = measured_here(POLICY)
    policy = with_calibrations(replace(here, materials=other(here.materials)), policy=POLICY)
    with pytest.raises(PolicyError, match=why):
        calibrate(policy, materials_of(policy))


def test_a_setting_of_a_filter_is_part_of_what_was_measured() -> None:
    minors: Any = next(each for each in POLICY.filters if each.name == "minors")
    one, two = (rests_on(each, ()) for each in (minors, replace(minors, min_face_pixels=20)))
    assert one != two
    assert one == rests_on(minors, (LIST,))  # a list of words changes no score


def test_the_folder_of_a_model_is_not_part_of_what_was_measured() -> None:
    encoder: Any = next(each for each in with_encoder("/a/clip.json").filters if each.name == "encoder")
    elsewhere: Any = next(each for each in with_encoder("/b/clip.json").filters if each.name == "encoder")
    assert rests_on(encoder, ()) == rests_on(elsewhere, ())


@dataclass(frozen=True, slots=True)
class Head:
    """A head as the encoder may have it: a weight file, or prompts."""

    label: str
    path: str = ""
    prompts: str = ""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heads:
    """A filter with heads; `precision` is recorded with the weights and not with the policy."""

    name: str = "encoder"
    heads: tuple[Head, ...] = ()
    precision: str = field(default="auto", metadata={"recorded": False})


def basis(label: str, *heads: Head, precision: str = "auto") -> tuple[RestsOn, ...]:
    parameters: Any = Heads(heads=heads, precision=precision)
    names = [
        "ViT",
        *dict.fromkeys(f"prompts {each.prompts}" if each.prompts else f"head {each.label}" for each in heads),
    ]
    return rests_on(parameters, [Material("weights", name, "1, fp32", "ab" * 32) for name in names], label)


def test_another_head_over_the_same_embedding_does_not_matter() -> None:
    drawn, young, shared = (
        Head("drawn", "d.safetensors"),
        Head("young", prompts="people"),
        Head("old", prompts="people"),
    )
    assert basis("drawn", drawn, young) == basis("drawn", drawn)
    assert basis("young", drawn, young) == basis("young", young) == basis("young", young, shared)
    assert [each.name for each in basis("young", drawn, young, shared)] == ["ViT", "prompts people", "encoder"]
    assert len(basis("", drawn, young)) == 4


def test_what_changes_the_score_of_a_head_is_part_of_what_was_measured_and_where_it_lies_is_not() -> None:
    young = Head("young", prompts="people", classes=("child",))
    assert basis("young", young) != basis("young", replace(young, classes=("child", "teenager")))
    drawn = Head("drawn", "/a/d.safetensors")
    assert basis("drawn", drawn) == basis("drawn", replace(drawn, path="/b/d.safetensors"))
    assert basis("drawn", drawn) == basis("drawn", drawn, precision="fp32")  # the weights tell it: version "1, fp32"
    assert basis("drawn", drawn)[0].version == "1, fp32"


def with_encoder(model: str) -> Policy:
    from filters.encoder import ClipEncoder

    return replace(POLICY, filters=(*POLICY.filters, ClipEncoder(model=model)))
