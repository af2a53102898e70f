"""The values that a filter gave to the samples of a shard, read from its evidence without anything else of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.calibration import AT_LEAST
from filters.finding import RASTERS, STRUCTURE
from manifests.evidence import EVIDENCE_SCHEMA
from manifests.tables import read_groups, unescape

CAPTIONS = "captions"
NOT_COVERED = "language-not-covered"  # the label of a finding of `captions` that names a language
_LANGUAGE = re.compile(r", language ([a-z]{2,3}(?:-[A-Za-z]+)?)$")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which value of a sample is asked for: where a filter gave several under this label, the one that finds most."""

    filter: str
    label: str
    direction: Literal["at_least", "at_most"] = AT_LEAST


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The values of the samples of a shard, in its order.

    `values` is float64 (n,), NaN where the filter gave none. `unexamined` is bool (n,): the filter, the decoder or the
    reader could not look, or no longer had to. `languages` names the language of a caption where the evidence does,
    else "".
    """

    keys: tuple[str, ...] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)
    unexamined: NDArray[np.bool_] = field(repr=False)
    languages: tuple[str, ...] = field(repr=False)


def read_scores(path: Path, asked: Asked) -> Scores:
    """Return the values of one shard, or raise SealError."""
    parts = list(_parts(path, asked))
    return Scores(
        tuple(key for part in parts for key in part.keys),
        np.concatenate([np.empty(0), *(part.values for part in parts)]),
        np.concatenate([np.empty(0, bool), *(part.unexamined for part in parts)]),
        tuple(language for part in parts for language in part.languages),
    )


def _parts(path: Path, asked: Asked) -> Iterator[Scores]:
    for table in read_groups(path, EVIDENCE_SCHEMA, ["key", "findings", "examined"]):
        total = len(table)
        findings, owner = _flat(table["findings"])
        name, label, value, why = (
            pc.struct_field(findings, each) for each in ("filter", "label", "value", "unexamined")
        )
        looked = pc.equal(why, "")
        told = pc.and_(
            pc.and_(pc.equal(name, asked.filter), pc.equal(label, asked.label)), pc.and_(looked, value.is_valid())
        )
        blind = pc.and_(pc.is_in(name, pa.array([asked.filter, STRUCTURE, RASTERS])), pc.invert(looked))
        examined, examiner = _flat(table["examined"])
        unexamined = np.ones(total, bool)
        unexamined[examiner.filter(pc.equal(examined, asked.filter)).to_numpy()] = False
        unexamined[owner.filter(blind).to_numpy()] = True
        values = _strongest(total, owner.filter(told).to_numpy(), value.filter(told).to_numpy(), asked.direction)
        keys = tuple(map(unescape, table["key"].to_pylist()))
        yield Scores(keys, values, unexamined, _languages(total, findings, owner))


def _flat(lists: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the elements of all lists, and the row that each belongs to."""
    whole = pa.chunked_array([lists.combine_chunks()])
    return pc.list_flatten(whole), pc.list_parent_indices(whole)


def _strongest(total: int, owner: NDArray[np.int64], found: NDArray[np.float64], direction: str) -> NDArray[np.float64]:
    values = np.full(total, np.nan)
    (np.fmax if direction == AT_LEAST else np.fmin).at(values, owner, found)
    return values


def _languages(total: int, findings: pa.ChunkedArray, owner: pa.ChunkedArray) -> tuple[str, ...]:
    names = [""] * total
    of_captions = pc.equal(pc.struct_field(findings, "filter"), CAPTIONS)
    named = pc.and_(of_captions, pc.equal(pc.struct_field(findings, "label"), NOT_COVERED))
    forms = pc.struct_field(findings, "form").filter(named).to_pylist()
    for row, form in zip(owner.filter(named).to_pylist(), forms, strict=True):
        if match := _LANGUAGE.search(form):
            names[row] = names[row] or match[1]
    return tuple(names)
