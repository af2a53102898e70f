"""What another policy would make of the same evidence, counted against what was decided; no bytes are moved for it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from filters.finding import RASTERS, STRUCTURE, Filter, Finding
from filters.policy import Rule
from manifests.counts import FEW, SMALL
from manifests.evidence import Evidence
from manifests.manifest import Decision

READER = frozenset({STRUCTURE, RASTERS})  # findings that every policy meets


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample as it was decided and as another policy decides it.

    `again` says that a run of that policy would have to look at the sample: a filter of it was never shown the sample
    because of a filter that it does not have.
    """

    before: Decision
    after: Decision
    again: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Where the samples of a group are, by partition or "withheld", and where another policy puts them."""

    samples: int
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies over one corpus: `moves` counts (place before, place after), `groups` has the largest first."""

    moves: Mapping[tuple[str, str], int]
    groups: Mapping[str, Places]
    again: int


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold, and how many samples go to each place under it."""

    threshold: float
    places: Mapping[str, int]


def shown(evidence: Evidence, filters: frozenset[str]) -> Evidence:
    """Return the evidence as these filters alone would have left it."""
    findings = tuple(each for each in evidence.findings if each.filter in filters | READER)
    return replace(evidence, findings=findings, examined=tuple(name for name in evidence.examined if name in filters))


def read_again(evidence: Evidence, filters: Sequence[Filter]) -> bool:
    """Tell whether a run with these filters alone would show the sample to one that never saw it."""
    conclusive = {(each.name, label) for each in filters for label in each.conclusive}
    over = any((each.filter, each.label) in conclusive and not each.unexamined for each in evidence.findings)
    return not over and not {each.name for each in filters} <= set(evidence.examined)


def compare(pairs: Iterable[Pair], group_of: Callable[[Decision], str]) -> Comparison:
    """Count pairs by where the samples go, and by group."""
    moves: Counter[tuple[str, str]] = Counter()
    groups: dict[str, tuple[Counter[str], Counter[str]]] = {}
    again = 0
    for each in pairs:
        moves[each.before.partition, each.after.partition] += 1
        again += each.again
        before, after = groups.setdefault(group_of(each.before), (Counter(), Counter()))
        before[each.before.partition] += 1
        after[each.after.partition] += 1
    placed = {name: Places(before.total(), before, after) for name, (before, after) in groups.items()}
    largest = sorted(placed.items(), key=lambda item: (-item[1].samples, item[0]))
    return Comparison(dict(sorted(moves.items())), dict(largest), again)


def together(groups: Iterable[Places]) -> Places:
    """Return several groups as one."""
    samples, before, after = 0, Counter[str](), Counter[str]()
    for each in groups:
        samples += each.samples
        before.update(each.before)
        after.update(each.after)
    return Places(samples, before, after)


def veiled(number: int) -> str:
    """Return a count as it is shown of a group: a small one could point at somebody."""
    return FEW if 0 < number < SMALL else str(number)


def share(part: int, whole: int) -> str:
    """Return a share in percent, unless it or the rest is of a few samples."""
    if not whole or 0 < part < SMALL or 0 < whole - part < SMALL:
        return "few"
    return f"{100 * part / whole:.1f} %"


def asked_by(rule: Rule, findings: Iterable[Finding]) -> list[float]:
    """Return the values that the threshold of a rule is compared with."""
    return [
        each.value
        for each in findings
        if each.filter == rule.filter
        and (not rule.labels or each.label in rule.labels)
        and each.value is not None
        and not each.unexamined
    ]
