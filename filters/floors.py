"""The floors of a policy: what its calibrations must have shown, held against the bounds, never the estimates."""

from collections.abc import Iterable, Iterator

from filters.calibrated import named
from filters.calibration import Calibration, Group
from filters.policy import Floors, Policy

SHARES = ("min_recall", "min_group_recall", "max_group_gap")


def floor_problems(policy: Policy) -> Iterator[str]:
    """Yield each floor that cannot be, and each calibration that is under one."""
    floors = policy.floors
    for key in SHARES:
        if (share := getattr(floors, key)) is not None and not 0 <= share <= 1:
            yield f"[floors]: {key} lies outside 0..1, the range of a share; write 0.95 for 95 %."
    if floors.min_group_n is not None and floors.min_group_n < 1:
        yield "[floors]: min_group_n is below 1, so nothing could meet it; write a positive number."
    if floors != Floors() and not policy.calibrations:
        yield "[floors] hold nothing up, for there is no calibration; name one under [[calibrations]], or drop them."
    for name, calibration in named(policy):
        yield from (f"[[calibrations]] {name!r}: {under}" for under in _under(calibration, floors))


def _under(calibration: Calibration, floors: Floors) -> Iterator[str]:
    low = calibration.recall.low
    if floors.min_recall is not None and low < floors.min_recall:
        yield (
            f"its recall is {low:.4f} or more with {calibration.confidence:.0%} confidence, and min_recall is "
            f"{floors.min_recall:g}; label more samples, choose a threshold that finds more, or lower the floor."
        )
    columns = {**calibration.groups, **({"language": calibration.languages} if calibration.languages else {})}
    if (floors.min_group_recall, floors.max_group_gap, floors.min_group_n) != (None, None, None) and not columns:
        yield "no group was measured, and [floors] asks for groups; evaluate it again with --by and a group column."
    for column, groups in columns.items():
        for name, group in groups.items():
            yield from (f"the group {name!r} of {column!r} {under}" for under in _group(group, floors))
    yield from _gaps(calibration, floors, columns)


def _gaps(calibration: Calibration, floors: Floors, columns: Iterable[str]) -> Iterator[str]:
    for column in columns:
        gap = calibration.gaps.get(column)
        if floors.max_group_gap is not None and gap is None:
            yield f"fewer than two groups of {column!r} have samples of the mark, so there is no gap to hold against."
        if gap is not None and floors.max_group_gap is not None and gap.recall.high > floors.max_group_gap:
            yield (
                f"the recall of the groups of {column!r} may lie {gap.recall.high:.4f} apart ({gap.best!r} above "
                f"{gap.worst!r}), and max_group_gap is {floors.max_group_gap:g}; label more of them, or find the cause."
            )


def _group(group: Group, floors: Floors) -> Iterator[str]:
    if floors.min_group_n is not None and group.positives < floors.min_group_n:
        yield (
            f"has {group.positives} labelled samples of the mark, and min_group_n is {floors.min_group_n}; too few say "
            "nothing about it: label more."
        )
    if floors.min_group_recall is not None and group.recall.low < floors.min_group_recall:
        yield (
            f"has a recall of {group.recall.low:.4f} or more, and min_group_recall is {floors.min_group_recall:g}; "
            "label more of it, or choose a threshold that finds it."
        )
