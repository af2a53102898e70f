"""A threshold held against labels: what was measured, of how many samples, and the calibration that comes of it."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from filters.calibration import Calibration, Gap, Group, Histogram, RestsOn
from filters.errors import LabelError
from manifests.curves import Curve, Labelled, Measured, Wanted, by_group, curve, gap, measure, threshold_for
from manifests.intervals import CONFIDENCE

LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured: a label of a filter, the mark that people labelled, and the threshold of a rule."""

    filter: str
    label: str
    mark: str
    direction: Literal["at_least", "at_most"]
    threshold: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the labels; each number counts samples, but `repeated`, which counts rows.

    `unknown` are not in the evidence, `ambiguous` have a key that occurs twice in their shard, `contradicted` have rows
    that disagree: none of these is measured. `unexamined_of_mark` and `unexamined_others` are withheld whatever the
    threshold, so they are neither found nor missed. `without_value` of the `measured` ones no threshold can find.
    """

    labelled: int
    repeated: int
    contradicted: int
    unknown: int
    ambiguous: int
    unexamined_of_mark: int = 0
    unexamined_others: int = 0
    without_value: int = 0
    measured: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that labels say of a threshold, or of the one that was chosen for a wanted recall."""

    asked: Asked
    tally: Tally
    measured: Measured
    curve: Curve
    groups: Mapping[str, Mapping[str, Group]]
    languages: Mapping[str, Group]
    gaps: Mapping[str, Gap]
    wanted: Wanted | None


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled sample that the evidence knows; `value` is NaN without one, `groups` are by column."""

    truth: bool
    value: float = field(repr=False)
    unexamined: bool
    groups: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a calibration comes from: weights and settings, the digest of the labels, ISO day, version of Shardwall."""

    materials: tuple[RestsOn, ...]
    labels_sha256: str
    date: str
    version: str


def evaluate(asked: Asked, rows: Sequence[Row], before: Tally, recall: float | None = None) -> Evaluation:
    """Return what the labels say, or raise LabelError where they are not of both kinds.

    `before` counts what never became a row. With a `recall` the threshold is chosen for it where the labels support
    one.
    """
    seen = [row for row in rows if not row.unexamined]
    labelled = Labelled(
        np.array([row.truth for row in seen], bool), np.array([row.value for row in seen], float), asked.direction
    )
    tally = _counted(before, rows, labelled)
    of_mark = int(labelled.truth.sum())
    if not 0 < of_mark < len(seen):
        raise LabelError(
            f"these labels measure nothing: {of_mark} of the samples that were examined are labelled 1 and "
            f"{len(seen) - of_mark} are labelled 0 ({told(tally)}). Label some of both, and name shard and key as the "
            "records of the run do."
        )
    wanted = None if recall is None else threshold_for(labelled, recall)
    at = asked.threshold if wanted is None or wanted.threshold is None else wanted.threshold
    columns = {
        name: [row.groups.get(name, "") for row in seen] for name in dict.fromkeys(n for r in seen for n in r.groups)
    }
    groups = {name: by_group(labelled, at, values) for name, values in columns.items() if any(values)}
    gaps = {name: found for name, each in groups.items() if (found := gap(each))}
    languages = groups.pop(LANGUAGE, {})
    return Evaluation(asked, tally, measure(labelled, at), curve(labelled), groups, languages, gaps, wanted)


def calibration(found: Evaluation, origin: Origin, histograms: tuple[Histogram, Histogram]) -> Calibration:
    """Return the calibration of what was measured; the histograms are of the labelled samples and of the run."""
    asked, measured, tally = found.asked, found.measured, found.tally
    return Calibration(
        filter=asked.filter,
        label=asked.label,
        mark=asked.mark,
        direction=asked.direction,
        threshold=measured.threshold,
        materials=tuple(sorted(origin.materials, key=lambda each: (each.kind, each.name))),
        n=tally.measured,
        positives=measured.found + measured.missed,
        unexamined=tally.unexamined_of_mark + tally.unexamined_others,
        without_value=tally.without_value,
        confidence=CONFIDENCE,
        recall=measured.recall,
        precision=measured.precision,
        false_positive_rate=measured.false_positive_rate,
        groups=found.groups,
        languages=found.languages,
        gaps=found.gaps,
        histogram=histograms[0],
        corpus_histogram=histograms[1],
        date=origin.date,
        labels_sha256=origin.labels_sha256,
        version=origin.version,
    )


def told(tally: Tally) -> str:
    """Return what became of the labels, in words; what did not occur is not mentioned."""
    unexamined = tally.unexamined_of_mark + tally.unexamined_others
    parts = {
        "not in the evidence": tally.unknown,
        "with a key that occurs twice in its shard": tally.ambiguous,
        "with rows that contradict each other": tally.contradicted,
        "unexamined": unexamined,
    }
    return ", ".join([f"{tally.labelled} labelled", *(f"{count} {name}" for name, count in parts.items() if count)])


def plain(found: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain data that JSON takes; an estimate of nothing is null."""
    return dict(_plain(asdict(found)))


def _counted(before: Tally, rows: Iterable[Row], labelled: Labelled) -> Tally:
    blind = Counter(row.truth for row in rows if row.unexamined)
    without = int(np.isnan(labelled.values).sum())
    return replace(
        before,
        unexamined_of_mark=blind[True],
        unexamined_others=blind[False],
        without_value=without,
        measured=len(labelled.truth),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
