"""Findings, the protocol of a filter, and how a chain of filters examines a batch.

A filter never says "keep". It states what it found, or that it could not look and why.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from filters.fingerprints import Fingerprint
from filters.sample import Batch

STRUCTURE = "structure"  # findings of the reader itself: faults of framing, names, JSON
PARTIAL = "partial"  # label of a match of a part: for a person to review, and never known material
NOT_EFFECTIVE = "not-effective"  # label of what a filter cannot match, so that no match means little
RASTERS = "rasters"  # findings of the decoder: a picture that nobody could see whole


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence about a sample.

    `value` is in the unit of its filter: bits for a distance, years for an age, 0..1 for a score. `source` names the
    list or model that the statement rests on. `form` says which raster and form of it ("frame 3, mirrored").
    `unexamined` says why the filter could not look; empty means that it did. `entry` is the list entry that matched:
    in clear inside a filter, a keyed id everywhere after `examine`. `classification` is what the list's authority says
    of that entry, word for word; it is never inferred.
    """

    filter: str
    label: str
    value: float | None = None
    source: str = ""
    entry: str = field(default="", repr=False)
    form: str = ""
    unexamined: str = ""
    classification: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """A list, a weight or calibration file, or a package that decisions rest on, as the manifest records it.

    `kind` is "list", "weights", "calibration" or "plug-in"; `sha256` is the hex digest of what was read; `calibrated`
    is false for a model without a measured threshold and None where the question does not arise.
    """

    kind: str
    name: str
    version: str
    sha256: str = field(repr=False)
    entries: int | None = None
    calibrated: bool | None = None


Examine = Callable[[Batch], Sequence[tuple[Finding, ...]]]

# What a filter looks at, where that is not text: its `looks_at`.
PIXELS = "pixels"
FINGERPRINTS = "fingerprints"


class Filter(Protocol):
    """A frozen dataclass of parameters that can be loaded, on the worker, into a function over batches."""

    @property
    def name(self) -> str:
        """The name by which a policy and a finding refer to this filter."""

    @property
    def conclusive(self) -> tuple[str, ...]:
        """The labels after which no later filter may be shown the sample."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that this filter may put on a finding, given its parameters."""

    def materials(self) -> tuple[Material, ...]:
        """Return the lists and weights it relies on, or raise ListError or ModelError."""

    def load(self) -> Examine:
        """Return the function that examines, or raise ListError or ModelError."""


def looks_at(each: Filter) -> str:
    """Return "pixels", "fingerprints", or "" for a filter that does not say: it is shown every sample of any corpus."""
    return str(getattr(each, "looks_at", ""))


@dataclass(frozen=True, slots=True)
class Examination:
    """All that a chain of filters found out about one sample.

    `examined` names the filters that were shown the sample: one that is missing from it never looked.
    """

    findings: tuple[Finding, ...]
    fingerprints: tuple[Fingerprint, ...]
    examined: tuple[str, ...]


def keyed(key: bytes, *parts: str) -> str:
    """Return an id of 128 bits (32 hex digits) that only a holder of `key` can link to `parts`."""
    return hmac.new(key, "\0".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def examine(batch: Batch, chain: Sequence[tuple[Filter, Examine]], key: bytes) -> list[Examination]:
    """Run every filter of the chain over the batch, in order, and return one examination per sample.

    A sample with a conclusive finding is shown to no later filter. A filter that raises, answers for the wrong number
    of samples or gives a value that is not a number has examined nothing.
    """
    found = {row: unseen for row in range(len(batch)) if (unseen := _unseen(batch, row))}
    names = tuple(parameters.name for parameters, _ in chain)
    shown = [names] * len(batch)
    open_rows: Sequence[int] = range(len(batch))
    for number, (parameters, load_result) in enumerate(chain, start=1):
        answers = _answers(parameters, load_result, batch if len(open_rows) == len(batch) else batch.take(open_rows))
        closed = set()
        for row, answer in zip(open_rows, answers, strict=True):
            if answer == ():  # nearly always; and what is no answer at all must not pass for this one
                continue
            found.setdefault(row, []).extend(_sealed(finding, key) for finding in answer)
            if any(f.label in parameters.conclusive and not f.unexamined for f in answer):
                shown[row] = names[:number]
                closed.add(row)
        if closed:
            open_rows = [row for row in open_rows if row not in closed]
    return [Examination(tuple(found.get(row, ())), batch.fingerprints(row), seen) for row, seen in enumerate(shown)]


def _unseen(batch: Batch, row: int) -> list[Finding]:
    """Return what stands against a sample before any filter looks, so that no choice of filters lets it through."""
    found = [Finding(STRUCTURE, problem, unexamined=problem) for problem in batch.problems(row)]
    why = batch.rasters(row).unexamined
    return [*found, _unexamined(RASTERS, why)] if why else found


def _answers(parameters: Filter, examine_batch: Examine, batch: Batch) -> Sequence[tuple[Finding, ...]]:
    why = "wrong number of answers"
    try:
        answers = examine_batch(batch)
        if len(answers) == len(batch):
            return answers
    except (Exception, RecursionError) as error:  # noqa: BLE001 - any failure of any filter is "unexamined"
        why = type(error).__name__
    if len(batch) == 1:
        return [(_unexamined(parameters.name, f"failed: {why}"),)]
    # One by one, so that the sample over which it fails costs its neighbours nothing.
    return [_answers(parameters, examine_batch, batch.take([row]))[0] for row in range(len(batch))]


def _unexamined(name: str, why: str) -> Finding:
    return Finding(name, "unexamined", unexamined=why)


def _sealed(finding: Finding, key: bytes) -> Finding:
    if finding.value is not None and not math.isfinite(finding.value):
        return replace(finding, value=None, entry="", unexamined="value is not a number")
    if finding.entry:
        return replace(finding, entry=keyed(key, finding.source, finding.entry))
    return finding
