"""From findings to marks to a place: the rules of a policy, without any file or model.

Marks only ever add up. A partition lists the marks it allows, and what no partition allows is withheld; so more
evidence can never free a sample.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from filters.calibration import Calibration
from filters.finding import Filter, Finding
from filters.rasters import Limits

WITHHELD = "withheld"
LISTED = "listed"  # matches known material
UNEXAMINED = "unexamined"  # some filter could not look
ADULT = "adult"
MINOR = "minor"
NEVER_ALLOWED = frozenset({LISTED, UNEXAMINED})  # in no partition of any policy
OPTED_OUT = "opted-out"  # somebody asked for it to be left out: withheld, and no concern of any authority
APART = frozenset({ADULT, MINOR})  # never together in one partition
NOT_SHOWN = "not shown"  # the reason recorded for a filter that never saw the sample
ANY_FILTER = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """A mark, and the findings that earn it.

    A finding earns the mark when it comes from `filter` ("*" is any), carries one of `labels` (none given is any) and
    its value lies within `at_least` and `at_most`; or, where `unexamined` is set, when the filter could not look.
    `beside` asks for one of these marks on the same sample as well: doubt counts where it meets evidence.
    """

    name: str
    mark: str
    filter: str
    labels: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    unexamined: bool = False
    beside: tuple[str, ...] = ()

    def earned_by(self, finding: Finding) -> bool:
        """Tell whether this finding alone, `beside` set apart, earns the mark."""
        if self.filter not in (ANY_FILTER, finding.filter) or self.unexamined != bool(finding.unexamined):
            return False
        if self.labels and finding.label not in self.labels:
            return False
        if self.at_least is None and self.at_most is None:
            return True
        if finding.value is None:
            return False
        low = self.at_least if self.at_least is not None else float("-inf")
        high = self.at_most if self.at_most is not None else float("inf")
        return low <= finding.value <= high


@dataclass(frozen=True, slots=True)
class Partition:
    """An output, and the marks a sample may carry there."""

    name: str
    allows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties samples together, and which marks pass along a tie.

    Same bytes and near-duplicates are one picture and share every mark but "unexamined"; `inherit` names the marks that
    samples of one page share. `near_duplicate_bits` is the PDQ distance (bits of 256) up to which two pictures are the
    same; None turns it off. `page_fields` are the JSON fields that hold the address of the page a picture was found on.
    """

    same_bytes: bool = True
    near_duplicate_bits: int | None = 31
    page_fields: tuple[str, ...] = ("page_url", "source_page", "page")
    inherit: tuple[str, ...] = (LISTED, ADULT, MINOR)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Hours that a person has for each kind of case in the reporting queue."""

    known_material: int = 24
    adult_and_minor: int = 24
    classifier: int = 168
    text: int = 168
    structure: int = 720


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the values of a shard may lie from those of a calibration before the run warns.

    `max_distance` is a share, 0..1: at no value may the part of the shard below it differ by more from the part of the
    calibration's samples below it (the distance of Kolmogorov and Smirnov).
    """

    max_distance: float = 0.1


@dataclass(frozen=True, slots=True)
class CalibrationFile:
    """A calibration file that `shardwall evaluate` wrote: a threshold on a model rests on it.

    `path` is relative to the policy file; `sha256` is its pinned digest, in hex.
    """

    name: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Floors:
    """What every calibration of the policy must have shown; one that did not is refused before the first shard.

    `min_recall` is for the lower bound of the recall, `min_group_recall` for that of each group and language,
    `max_group_gap` for the upper bound of the gap between the groups of a column, and `min_group_n` for the labelled
    samples of the mark in each group. Each is a share 0..1 but the last; what is not set is not asked for.
    """

    min_recall: float | None = None
    min_group_recall: float | None = None
    max_group_gap: float | None = None
    min_group_n: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What is looked for, what earns which mark, and where each combination of marks may go."""

    name: str
    description: str = ""
    filters: tuple[Filter, ...] = ()
    rules: tuple[Rule, ...] = ()
    partitions: tuple[Partition, ...] = ()
    ties: Ties = field(default_factory=Ties)
    limits: Limits = field(default_factory=Limits)
    deadlines: Deadlines = field(default_factory=Deadlines)
    drift: Drift = field(default_factory=Drift)
    uncalibrated: bool = False
    calibration_files: tuple[CalibrationFile, ...] = ()
    calibrations: tuple[Calibration, ...] = ()  # what these files hold, in their order
    floors: Floors = field(default_factory=Floors)


@dataclass(frozen=True, slots=True)
class Earned:
    """The marks of one sample and the names of the rules that gave them."""

    marks: frozenset[str]
    rules: tuple[str, ...]


def not_shown(policy: Policy, examined: Iterable[str], not_applicable: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return an unexamined finding for each filter of the policy that never saw the sample.

    `not_applicable` names filters of pictures, for a row of a corpus that has none; only the reader of such a corpus
    may say so.
    """
    seen = {*examined, *not_applicable}
    return tuple(
        Finding(each.name, UNEXAMINED, unexamined=NOT_SHOWN) for each in policy.filters if each.name not in seen
    )


def earn(policy: Policy, findings: Sequence[Finding], inherited: Iterable[str] = ()) -> Earned:
    """Apply the rules until nothing is added: monotone in `findings` and in `inherited`."""
    marks = set(inherited)
    fired: set[str] = set()
    candidates = [rule for rule in policy.rules if any(rule.earned_by(finding) for finding in findings)]
    while True:
        new = [
            rule
            for rule in candidates
            if rule.name not in fired and (not rule.beside or not marks.isdisjoint(rule.beside))
        ]
        if not new:
            return Earned(frozenset(marks), tuple(rule.name for rule in policy.rules if rule.name in fired))
        fired.update(rule.name for rule in new)
        marks.update(rule.mark for rule in new)


def place(policy: Policy, marks: frozenset[str]) -> str:
    """Return the first partition that allows every mark, or "withheld"."""
    if marks & NEVER_ALLOWED or marks >= APART:
        return WITHHELD
    return next((p.name for p in policy.partitions if marks <= set(p.allows)), WITHHELD)


def join(*marks: Iterable[str]) -> frozenset[str]:
    """Return the union of marks: associative, commutative and idempotent."""
    return frozenset().union(*marks)
