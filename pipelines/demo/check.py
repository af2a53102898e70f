"""Compare where planted samples ended with where they had to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.demo.rows import KEPT, NO_ROW, WITHHELD, Plant

Place = tuple[str, str, int]  # shard, key, index of the sample in its shard
Outcome = tuple[str, Collection[str]]  # partition or "withheld"; the filters and marks that led there


@dataclass(frozen=True, slots=True)
class Tally:
    """One case: how often it was planted, how often it ended as expected, and what happened otherwise."""

    case: str
    expected: str
    count: int
    as_expected: int
    mismatches: tuple[str, ...]


def as_json(planted: Iterable[tuple[str, str, Plant]]) -> list[dict[str, str]]:
    """Return planted.json: shard, key, case, expected end and reason of every planted sample, by case."""
    return [
        {"shard": shard, "key": key, "case": plant.case, "expected": plant.expected, "because": plant.because}
        for shard, key, plant in sorted(planted, key=lambda each: (each[2].case, *each[:2]))
    ]


def compare(planted: Sequence[Mapping[str, str]], decisions: Mapping[Place, Outcome]) -> list[Tally]:
    """Return a tally per case, in the order of planting.

    Every sample with a planted key counts, so two samples that share a key must both end as expected. "no row" is met
    by a sample that has no decision, or is withheld. A reason is met when it is among those that were given.
    """
    found: dict[tuple[str, str], list[Outcome]] = {}
    for (shard, key, _), outcome in decisions.items():
        found.setdefault((shard, key), []).append(outcome)
    cases: dict[tuple[str, str], list[str]] = {}
    for each in planted:
        wrong = _wrong(each, found.get((each["shard"], each["key"]), []))
        cases.setdefault((each["case"], each["expected"]), []).append(wrong)
    return [
        Tally(case, expected, len(ends), ends.count(""), tuple(sorted({end for end in ends if end})))
        for (case, expected), ends in cases.items()
    ]


def _wrong(plant: Mapping[str, str], outcomes: Sequence[Outcome]) -> str:
    """Return what is wrong with the end of one planted sample, or nothing."""
    expected, because = plant["expected"], plant["because"]
    if not outcomes:
        return "" if expected == NO_ROW else "no decision"
    for partition, reasons in outcomes:
        if not _met(expected, partition):
            return f"ended in {partition}"
        if because and because not in reasons:
            return f"{partition}, but not because of {because}"
    return ""


def _met(expected: str, partition: str) -> bool:
    if expected == KEPT:
        return partition != WITHHELD
    return partition == (WITHHELD if expected == NO_ROW else expected)
