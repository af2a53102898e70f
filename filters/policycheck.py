"""What a policy must say to be usable: each check names what cannot be, why, and what to do.

These checks look at the meaning only. Whether lists and weights are there is for `materials()` of each filter.
"""

import re
from collections.abc import Iterator
from dataclasses import fields

from filters import FILTERS
from filters.calibrated import calibration_problems
from filters.floors import floor_problems
from filters.policy import ADULT, APART, LISTED, MINOR, NEVER_ALLOWED, WITHHELD, Policy
from filters.policyfile import hint, nearest
from filters.rulecheck import lists_of, rule_problems

MUST_INHERIT = (LISTED, ADULT, MINOR)  # else tied samples could straddle the wall
FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
BITS = 256  # length of a PDQ hash
RANGES = {  # of parameters that outside them would quietly find nothing
    "max_pdq_bits": (0, BITS),
    "max_phash_bits": (0, 64),
    "max_distance": (0, 10**9),
    "min_quality": (0, 100),
    "min_face_pixels": (1, 256),
    "adult_age": (1, 120),
}


def problems(policy: Policy) -> list[str]:
    """Return what stands against using this policy, one sentence each; empty when nothing does."""
    calibration = (calibration_problems, floor_problems)
    checks = (_names, _order, _parameters, rule_problems, *calibration, _partitions, _allowed, _ties, _numbers)
    return [problem for check in checks for problem in check(policy)]


def needs_lists(policy: Policy) -> tuple[str, ...]:
    """Return the filters that read lists and have none yet: the policy is sound, but a run would be refused."""
    return tuple(each.name for each in policy.filters if hasattr(each, "lists") and not lists_of(each))


def _names(policy: Policy) -> Iterator[str]:
    lists = {source for each in policy.filters for source in lists_of(each)}
    named = {
        "lists": [source.name for source in lists],
        "filters": [each.name for each in policy.filters],
        "rules": [rule.name for rule in policy.rules],
        "calibrations": [each.name for each in policy.calibration_files],
        "partitions": [partition.name for partition in policy.partitions],
    }
    if not policy.name.strip():
        yield "the policy has no name, and every manifest must say which it is; give it one."
    for table, names in named.items():
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"[[{table}]] {name!r} is there twice, so nobody can tell which one holds; rename one or drop it."
        if not all(name.strip() for name in names):
            yield f"[[{table}]]: a name is empty, and the manifest refers to it; give it one."


def _order(policy: Policy) -> Iterator[str]:
    names = list(dict.fromkeys(each.name for each in policy.filters))
    for name in names:
        if name not in FILTERS:
            yield f"[[filters]]: there is no filter {name!r}{hint(name, FILTERS)}"
    given = [name for name in names if name in FILTERS]
    order = [name for name in FILTERS if name in names]
    if given != order:
        yield (
            f"[[filters]] stand in the order {', '.join(given)}, but known material is always matched before any model "
            f"looks; write them in the order {', '.join(order)}."
        )


def _parameters(policy: Policy) -> Iterator[str]:
    for each in policy.filters:
        for key, (low, high) in RANGES.items():
            value = getattr(each, key, None)
            if value is not None and not low <= value <= high:
                yield f"[[filters]] {each.name!r}: {key} lies outside {low}..{high}, so nothing is found; correct it."


def _partitions(policy: Policy) -> Iterator[str]:
    for place, partition in enumerate(policy.partitions):
        where, allows = f"[[partitions]] {partition.name!r}", set(partition.allows)
        if not FOLDER.fullmatch(partition.name) or partition.name == WITHHELD:
            yield (
                f"{where} cannot be a folder of the output; use small letters, digits, - and _, at most 64, "
                f"and not {WITHHELD!r}."
            )
        if allows >= APART:
            yield f"{where} allows both {ADULT!r} and {MINOR!r}, which never share an output; drop one of them."
        for mark in sorted(allows & NEVER_ALLOWED):
            yield f"{where} allows {mark!r}, and such samples are always withheld; drop it."
        if any(allows <= set(earlier.allows) for earlier in policy.partitions[:place]):
            yield f"{where} stays empty: an earlier partition takes all that it allows; drop it or put it first."


def _allowed(policy: Policy) -> Iterator[str]:
    given = {rule.mark for rule in policy.rules}
    for partition in policy.partitions:
        for mark in partition.allows:
            if mark not in given and mark not in NEVER_ALLOWED:
                near = nearest(mark, given) or "; add the rule or drop it."
                yield f"[[partitions]] {partition.name!r} allows {mark!r}, but no rule gives that mark{near}"


def _ties(policy: Policy) -> Iterator[str]:
    inherit, bits = policy.ties.inherit, policy.ties.near_duplicate_bits
    for mark in MUST_INHERIT:
        if mark not in inherit:
            yield f"[ties]: inherit lacks {mark!r}, so a copy of a marked sample could be let through; add it."
    known = {*MUST_INHERIT, *(rule.mark for rule in policy.rules)}
    for mark in inherit:
        if mark not in known:
            yield f"[ties]: inherit names {mark!r}, but no rule gives that mark{nearest(mark, known) or '; drop it.'}"
    if bits is not None and not 0 <= bits <= BITS:
        yield f'[ties]: near_duplicate_bits lies outside 0..{BITS}, the bits of a PDQ hash; use 31, or "off".'


def _numbers(policy: Policy) -> Iterator[str]:
    for table, numbers in (("limits", policy.limits), ("deadlines", policy.deadlines)):
        for field in fields(numbers):
            if getattr(numbers, field.name) < 1:
                yield f"[{table}]: {field.name} is below 1, so nothing could meet it; write a positive number."
    if not 0 <= policy.drift.max_distance <= 1:
        yield "[drift]: max_distance lies outside 0..1, the range of a share; write 0.1 for 10 %."
