"""Do the thresholds of a policy rest on what was measured? Each rule on a model is held against the calibrations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from filters.basis import CALIBRATION as CALIBRATION
from filters.basis import rests_on as rests_on
from filters.calibration import (
    AT_LEAST,
    Calibration,
    RestsOn,
    calibration_digest,
    calibration_of,
    read_calibration,
    tables_of,
)
from filters.errors import PolicyError
from filters.finding import Material
from filters.policy import APART, UNEXAMINED, CalibrationFile, Policy, Rule
from filters.rulecheck import MODELS, bounded

ACCEPT = "or write uncalibrated = true at the head of the file to accept that on record."
UNCALIBRATED = "uncalibrated: no threshold of this policy rests on a measured calibration"
IN_PART = "uncalibrated: not every threshold of this policy has to rest on a measured calibration"
NOBODY = "such a threshold rests on a model that nobody has calibrated on your data"


def measured_by(files: Sequence[CalibrationFile], records: Mapping[str, Any]) -> tuple[Calibration, ...]:
    """Return what calibration files hold, from the record of a manifest where there is one, or raise PolicyError."""
    found = []
    for file in files:
        if file.name in records:
            calibration = calibration_of(records[file.name], file.name)
            if calibration_digest(calibration) != file.sha256.strip().lower():
                raise PolicyError(f"the calibration {file.name} cannot be used: it is not the one that is pinned.")
        else:
            calibration = read_calibration(file.path, file.sha256 or "none")
        found.append(calibration)
    return tuple(found)


def recorded(policy: Policy) -> dict[str, Any]:
    """Return what the calibration files of a policy hold, by name, as a manifest records it."""
    return {name: tables_of(each) for name, each in named(policy)}


def named(policy: Policy) -> list[tuple[str, Calibration]]:
    """Return the calibrations of a policy with their names."""
    names = [file.name for file in policy.calibration_files]
    return list(zip(names, policy.calibrations, strict=True)) if names else [("", c) for c in policy.calibrations]


def notice(policy: Policy) -> str:
    """Return what is said first of every run under this policy; empty where every threshold rests on a calibration."""
    if not policy.uncalibrated:
        return ""
    return IN_PART if policy.calibrations else UNCALIBRATED


def calibrate(policy: Policy, materials: Mapping[str, Sequence[Material]]) -> tuple[Material, ...]:
    """Return the materials of all filters, those that were calibrated marked so, and the calibrations themselves.

    `materials` are by the name of the filter. Raises PolicyError for a calibration that was measured with others.
    """
    settled: set[tuple[str, str, str]] = set()
    for name, calibration in named(policy):
        each = next(each for each in policy.filters if each.name == calibration.filter)
        here = rests_on(each, materials[each.name], calibration.label)
        if set(here) != set(calibration.materials):
            raise PolicyError(f"the calibration {name} cannot be used: {_unlike(calibration, here)}")
        settled.update((m.kind, m.name, m.sha256) for m in here)
    every = (
        replace(m, calibrated=True) if m.calibrated is False and (m.kind, m.name, m.sha256) in settled else m
        for of_filter in materials.values()
        for m in of_filter
    )
    dates = [each.date for each in policy.calibrations]
    files = (
        Material(CALIBRATION, file.name, date, file.sha256.strip().lower())
        for file, date in zip(policy.calibration_files, dates, strict=True)
    )
    return tuple(dict.fromkeys((*every, *files)))


def calibration_problems(policy: Policy) -> Iterator[str]:
    """Yield what stands against the thresholds on models and the calibrations of this policy, one sentence each."""
    if not policy.uncalibrated:
        yield from _rules(policy)
    for name, calibration in named(policy):
        if not any(covers(rule, calibration) for rule in policy.rules):
            yield (
                f"[[calibrations]] {name!r} carries no rule: none gives the mark {calibration.mark!r} for "
                f"{calibration.label!r} of filter {calibration.filter!r} at {calibration.direction} = "
                f"{calibration.threshold!r} or on its safe side, without `beside`; correct the rule or drop it."
            )


def covers(rule: Rule, calibration: Calibration) -> bool:
    """Tell whether a rule alone finds at least all that the calibrated threshold was measured to find."""
    same = (rule.filter, rule.mark) == (calibration.filter, calibration.mark)
    plain = same and not rule.beside and not rule.unexamined and (not rule.labels or calibration.label in rule.labels)
    return plain and not _looser(rule, calibration)


def _rules(policy: Policy) -> Iterator[str]:
    bare = []
    for rule in policy.rules:
        if rule.filter in MODELS and bounded(rule):
            wanting = [why for label in _labels(policy, rule) if (why := _unmeasured(policy, rule, label))]
            yield from (f"[[rules]] {rule.name!r}: {why}" for why in dict.fromkeys(wanting) if why != NOBODY)
            bare += [repr(rule.name)] if NOBODY in wanting else []
    if bare:
        yield f"[[rules]] {', '.join(bare)}: {NOBODY}; name a calibration under [[calibrations]], {ACCEPT}"


def _labels(policy: Policy, rule: Rule) -> tuple[str, ...]:
    given = [label for each in policy.filters if each.name == rule.filter for label in each.labels]
    return rule.labels or tuple(label for label in given if label != UNEXAMINED)


def _unmeasured(policy: Policy, rule: Rule, label: str) -> str:
    """Return why the threshold of a rule rests on no measurement of this label; empty where it does."""
    about = [c for c in policy.calibrations if (c.filter, c.label) == (rule.filter, label)]
    of_mark = [c for c in about if rule.mark not in APART or rule.mark == c.mark]
    if not about:
        return NOBODY
    if not of_mark:
        return f"its mark is {rule.mark!r}, and {label!r} was calibrated for {about[0].mark!r}; calibrate it, {ACCEPT}"
    return "" if any(not _looser(rule, c) for c in of_mark) else _looser(rule, of_mark[0])


def _looser(rule: Rule, calibration: Calibration) -> str:
    """Return how a rule may find less than the calibrated threshold does; empty where it cannot."""
    bounds = {"at_least": rule.at_least, "at_most": rule.at_most}
    own = bounds.pop(calibration.direction)
    (other,) = bounds
    at = f"{calibration.direction} = {calibration.threshold!r}"
    if bounds[other] is not None:
        return f"{other} leaves out values that were calibrated to be found by {at}; drop it, {ACCEPT}"
    if own is None:
        return ""
    loose = own > calibration.threshold if calibration.direction == AT_LEAST else own < calibration.threshold
    told = f"{calibration.direction} = {own!r} finds less than the calibrated {at}"
    return f"{told}; set it to that, calibrate again, {ACCEPT}" if loose else ""


def _unlike(calibration: Calibration, here: Sequence[RestsOn]) -> str:
    """Return which material is another one than that of the calibration."""
    now = {(m.kind, m.name): (m.sha256[:12], m.version) for m in here}
    then = {(m.kind, m.name): (m.sha256[:12], m.version) for m in calibration.materials}
    kind, name = min(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
    was, found = (" ".join(side.get((kind, name), ("none",))).strip() for side in (then, now))
    return (
        f"it was measured with another model: the {kind} {name!r} had the SHA-256 and version {was}, and has {found} "
        "in this run. Evaluate a run with these, or use those that were calibrated."
    )
