"""What the closing statements about a run need to know of each shard: a few counts, recorded when it is separated."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from filters.calibration import AT_LEAST, Calibration
from filters.finding import RASTERS, STRUCTURE, Finding
from filters.policy import Policy
from manifests.manifest import Decision

KEPT, WITHHELD = "kept", "withheld"


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts over samples, in a form that JSON takes.

    `kept` is by partition; `carriers` by partition and mark, the kept samples that carry it; `flagged` by rule, how
    many kept and how many withheld samples it gave a mark. `histograms` has one for each calibration of the policy, in
    its order: how many examined samples have a value in each of its bins.
    """

    kept: Mapping[str, int]
    carriers: Mapping[str, Mapping[str, int]]
    flagged: Mapping[str, Mapping[str, int]]
    histograms: Sequence[Sequence[int]]

    def flagged_by(self, rule: str) -> tuple[int, int]:
        """Return how many kept and how many withheld samples a rule gave its mark."""
        found = self.flagged.get(rule, {})
        return found.get(KEPT, 0), found.get(WITHHELD, 0)


def measure(policy: Policy, decisions: Iterable[Decision]) -> Measures:
    """Count the decisions of a shard."""
    kept: Counter[str] = Counter()
    carriers: dict[str, Counter[str]] = {partition.name: Counter() for partition in policy.partitions}
    flagged: dict[str, Counter[str]] = {rule.name: Counter() for rule in policy.rules}
    histograms = [[0] * len(each.corpus_histogram.counts) for each in policy.calibrations]
    for decision in decisions:
        if not decision.withheld:
            kept[decision.partition] += 1
            carriers[decision.partition].update(decision.marks)
        for rule in decision.rules:
            flagged[rule][WITHHELD if decision.withheld else KEPT] += 1
        for calibration, counts in zip(policy.calibrations, histograms, strict=True):
            if (value := value_of(decision.findings, calibration)) is not None:
                counts[bin_of(value, calibration.corpus_histogram.edges)] += 1
    return Measures(_sorted(kept), _nested(carriers), _nested(flagged), histograms)


def measures_of(facts: Mapping[str, Any]) -> Measures:
    """Return what the marker of a shard recorded."""
    return Measures(**facts["measures"])


def total_measures(parts: Sequence[Measures]) -> Measures:
    """Add up the counts of several shards of one run."""
    kept: Counter[str] = Counter()
    carriers: dict[str, Counter[str]] = {}
    flagged: dict[str, Counter[str]] = {}
    for each in parts:
        kept.update(each.kept)
        for whole, part in ((carriers, each.carriers), (flagged, each.flagged)):
            for name, counts in part.items():
                whole.setdefault(name, Counter()).update(counts)
    columns = zip(*(each.histograms for each in parts), strict=True)
    histograms = [[sum(bins) for bins in zip(*of_all, strict=True)] for of_all in columns]
    return Measures(_sorted(kept), _nested(carriers), _nested(flagged), histograms)


def value_of(findings: Sequence[Finding], calibration: Calibration) -> float | None:
    """Return the value of a sample that a calibrated threshold is about: the most telling one, None without any.

    A sample that the filter could not examine whole is withheld whatever its values, and in no calibration.
    """
    values = []
    for each in findings:
        if each.unexamined and each.filter in (calibration.filter, STRUCTURE, RASTERS):
            return None
        if (each.filter, each.label) == (calibration.filter, calibration.label) and each.value is not None:
            values.append(each.value)
    if not values:
        return None
    return max(values) if calibration.direction == AT_LEAST else min(values)


def bin_of(value: float, edges: Sequence[float]) -> int:
    """Return the bin of a value: each holds its lower edge, and the outermost what lies beyond them."""
    return min(max(bisect_right(edges, value) - 1, 0), len(edges) - 2)


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _nested(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {name: _sorted(each) for name, each in sorted(counts.items())}
