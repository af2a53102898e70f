"""The calibration file: what a threshold on a model was measured to find, on which samples and with which weights.

A file is JSON of one version, and is read strictly: a rule rests on it, so what says half of something is refused.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from filters.errors import PolicyError

FORMAT = "shardwall-calibration/1"
LARGEST = 16 << 20  # bytes of a calibration file
YEARS = frozenset({"minors"})  # filters whose value is an age; that of every other model is a score
AT_LEAST: Literal["at_least"] = "at_least"
AT_MOST: Literal["at_most"] = "at_most"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimated share and the bounds that its confidence interval gives; the estimate of nothing at all is NaN."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RestsOn:
    """A model file, prompt file or setting that the scores came from; `sha256` is the hex digest of its content."""

    kind: str
    name: str
    sha256: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """What was measured of the samples that share one value of a group column, `positives` of them of the mark."""

    n: int
    positives: int
    recall: Interval
    false_positive_rate: Interval


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the recall of two groups of a column lies apart at most, and which two; simultaneous over all pairs."""

    best: str
    worst: str
    recall: Interval


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie in each bin; the first and the last bin also hold what lies beyond them.

    `edges` has one number more than `counts`. A bin holds its lower edge and not its upper one.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a threshold on one label of one filter was measured to find.

    `mark` is what the labels are about ("adult" or "minor"), `direction` the key of a rule that the threshold stands
    under. `n` samples were labelled and scored or found to have no value, `positives` of them of the mark. `unexamined`
    more were labelled and could not be examined: they are withheld whatever the threshold, and in no other number.
    `without_value` of the `n` have no value to compare, and no threshold finds them. `histogram` is of the labelled
    samples, `corpus_histogram` of every sample of the run. `confidence` is that of every interval. Dates are ISO days.
    """

    filter: str
    label: str
    mark: str
    direction: Literal["at_least", "at_most"]
    threshold: float
    materials: tuple[RestsOn, ...]
    n: int
    positives: int
    unexamined: int
    without_value: int
    confidence: float
    recall: Interval
    precision: Interval
    false_positive_rate: Interval
    groups: Mapping[str, Mapping[str, Group]]
    languages: Mapping[str, Group]
    gaps: Mapping[str, Gap]
    histogram: Histogram
    corpus_histogram: Histogram
    date: str
    labels_sha256: str
    version: str


def bin_edges(filter_name: str) -> tuple[float, ...]:
    """Return the fixed edges of the histogram of a filter's values: 20 bins of 0.05, or of 5 years."""
    return tuple(5.0 * n for n in range(21)) if filter_name in YEARS else tuple(n / 20 for n in range(21))


def write_calibration(path: Path, calibration: Calibration) -> str:
    """Write a calibration file, the same bytes for the same calibration; return its SHA-256 in hex."""
    tables = {"format": FORMAT, **_unnumbered(asdict(calibration))}
    data = (json.dumps(tables, indent=2, sort_keys=True, allow_nan=False) + "\n").encode("ascii")
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_calibration(path: str | Path, sha256: str = "") -> Calibration:
    """Return the calibration in a file, or raise PolicyError; `sha256`, where given, is the digest it must have."""
    where = f"the calibration {Path(path).name} cannot be used"
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise PolicyError(f"{where}: it cannot be read: {error.strerror or type(error).__name__}.") from None
    actual = hashlib.sha256(data).hexdigest()
    if sha256 and actual != sha256.strip().lower():
        told = f"its SHA-256 begins {actual[:12]}, not {sha256.strip()[:12].lower()}"
        raise PolicyError(f"{where}: {told}. Restore the pinned file, or pin this one after reviewing it.")
    calibration = _decoded(data, where)
    if wrong := next(_inconsistent(calibration), ""):
        raise PolicyError(f"{where}: {wrong}. Write it anew with `shardwall evaluate`.")
    return calibration


def _decoded(data: bytes, where: str) -> Calibration:
    from pydantic import ConfigDict, ValidationError, create_model

    if len(data) > LARGEST:
        raise PolicyError(f"{where}: it is larger than {LARGEST >> 20} MiB, and no calibration is.")
    try:
        tables = json.loads(data, object_pairs_hook=_table, parse_constant=_no_constant)
        found = tables.pop("format") if isinstance(tables, dict) and "format" in tables else ""
    except (ValueError, RecursionError):
        raise PolicyError(f"{where}: it is not the JSON that `shardwall evaluate` writes.") from None
    if found != FORMAT:
        raise PolicyError(f"{where}: it does not say that it is {FORMAT}. Write it with this version.")
    config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    model = create_model("CalibrationFile", __config__=config, calibration=(Calibration, ...))
    try:
        read: Any = model.model_validate_json(json.dumps({"calibration": tables}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"][1:3])
        raise PolicyError(f"{where}: {place or 'its content'} is missing or not what it should be.") from None
    calibration: Calibration = read.calibration
    return calibration


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; NaN, which JSON has not, stands as null in the estimate of nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found | ({"estimate": math.nan} if "estimate" in found and found["estimate"] is None else {})


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _unnumbered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unnumbered(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_unnumbered(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _inconsistent(found: Calibration) -> Iterator[str]:
    """Yield what contradicts itself."""
    groups = [group for column in found.groups.values() for group in column.values()] + list(found.languages.values())
    whole = Group(found.n, found.positives, found.recall, found.false_positive_rate)
    if not (math.isfinite(found.threshold) and 0.5 <= found.confidence < 1):
        yield "its threshold or confidence is not a number that can be"
    if not all(_plausible(each) for each in (whole, *groups)) or not _within(found.precision, 0):
        yield "its counts and intervals contradict each other"
    if not all(_within(gap.recall, -1) for gap in found.gaps.values()):
        yield "a gap is not a difference of two shares"
    if not 0 < found.positives < found.n or found.unexamined < 0 or not 0 <= found.without_value <= found.n:
        yield "it does not rest on labels of both kinds"
    if not all(_sound(each) for each in (found.histogram, found.corpus_histogram)):
        yield "a histogram does not fit its edges"
    if not found.materials or not all(_hex(each.sha256) for each in found.materials):
        yield "it does not say which weights it was measured with"


def _plausible(group: Group) -> bool:
    return 0 <= group.positives <= group.n and _within(group.recall, 0) and _within(group.false_positive_rate, 0)


def _within(interval: Interval, least: float) -> bool:
    ends = least <= interval.low <= interval.high <= 1
    return ends and (math.isnan(interval.estimate) or interval.low <= interval.estimate <= interval.high)


def _sound(histogram: Histogram) -> bool:
    edges = histogram.edges
    rising = all(a < b for a, b in pairwise(edges))
    return len(edges) == len(histogram.counts) + 1 >= 2 and rising and min(histogram.counts) >= 0


def _hex(digest: str) -> bool:
    return len(digest) == 64 and set(digest) <= set("0123456789abcdef")
