"""Which samples are tied together over the whole corpus, and which marks that passes on.

Same bytes and near-duplicates are one picture: they share every mark, evidence of doubt included. Samples of one page
share the marks that the policy lets pass along ties. Both are followed to the end: where A is tied to B and B to C, a
mark of A reaches C. A mark that a sample earns beside an inherited one is shared by its picture, but not by its page:
there it would only be doubt that came back. Only fingerprints and marks are held here, about 400 bytes a sample that
has one picture (benchmarks/join.py).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from filters.policy import UNEXAMINED, Policy, earn, not_shown
from filters.ties import tied
from manifests.alike import Statement, stated
from manifests.evidence import Evidence, read_evidence
from manifests.tables import read_rows
from manifests.ties import Values, read_columns
from pipelines.commit import whole

VALUE_BYTES = 32  # of a SHA-256, of a PDQ hash and of a keyed id in hex
RELIABLE_QUALITY = 50  # of PDQ; below, flat pictures are all alike (PDQ reference)
SCHEMA = pa.schema([("index", pa.int64()), ("marks", pa.list_(pa.string()))])

Nodes = NDArray[np.int64]
Marks = NDArray[np.uint64]
Edges = list[tuple[Nodes, Nodes]]


@dataclass(slots=True)
class Ties:
    """One kind of value by which samples are tied, gathered over the corpus: rows of bytes and whose they are."""

    owners: bytearray = field(default_factory=bytearray, repr=False)  # both grow in place, and are never copied
    values: bytearray = field(default_factory=bytearray, repr=False)

    def add(self, found: Values, first: int, chosen: NDArray[np.bool_] | None = None) -> None:
        """Take in the values of a shard whose samples are numbered from `first`; `chosen` leaves some out."""
        some = slice(None) if chosen is None else chosen
        self.owners += (found.index[some] + first).tobytes()
        self.values += found.values[some].tobytes()

    def edges(self, max_distance: int) -> tuple[Nodes, Nodes]:
        """Return pairs of samples whose values lie within a distance (bits), enough of them to connect all that do.

        The values are let go of: a large corpus has gigabytes of them.
        """
        owners = np.frombuffer(self.owners, np.int64)
        first = tied(np.frombuffer(self.values, np.uint8).reshape(-1, VALUE_BYTES), max_distance)
        self.values = bytearray()
        later = np.flatnonzero(first != np.arange(len(first)))
        return owners[later], owners[first[later]]


def tied_corpus(policy: Policy, files: Sequence[Path]) -> tuple[Edges, Edges]:
    """Return what ties the samples of these evidence files as one picture and as one page, whatever the rules."""
    starts = np.cumsum([0, *(pq.read_metadata(file).num_rows for file in files)])
    return _edges(policy, files, starts)


def join_corpus(
    policy: Policy, shards: Sequence[tuple[Path, Path]], tied_by: tuple[Edges, Edges] | None = None
) -> None:
    """Read the evidence of every shard and write what its samples inherit: pairs of evidence and target file.

    `tied_by` is what `tied_corpus` found of the same files, where several policies are tried on them.
    """
    names = tuple(sorted({rule.mark for rule in policy.rules} - {UNEXAMINED}))
    files = [evidence for evidence, _ in shards]
    marks = [_own(policy, file, names) for file in files]
    starts = np.cumsum([0, *map(len, marks)])
    own = np.concatenate([np.empty(0, np.uint64), *marks])
    pictures, pages = tied_by or _edges(policy, files, starts)
    joined = _joined(own, pictures) | _joined(own & _bits(policy.ties.inherit, names), [*pictures, *pages])
    while any(rule.beside for rule in policy.rules):
        grown = _joined(_earned_beside(policy, names, list(zip(files, starts, marks, strict=False)), joined), pictures)
        if np.array_equal(grown, joined):
            break
        joined = grown
    for (_, target), start, count in zip(shards, starts, map(len, marks), strict=False):
        part = slice(start, start + count)
        _write(target, joined[part] & ~own[part], names)


def read_inherited(path: Path) -> dict[int, tuple[str, ...]]:
    """Return the inherited marks of a shard by sample index; samples that inherit nothing are left out."""
    return {row["index"]: row["marks"] for row in read_rows(path, SCHEMA)}


def _own(policy: Policy, file: Path, names: tuple[str, ...]) -> Marks:
    """Return what each sample of a shard earns by itself; samples that were found alike earn alike."""
    earned = [np.empty(0, np.uint64)]
    for group in stated(file):
        known = {id(each): each for each in group}
        marks = {number: _earned(policy, each, names) for number, each in known.items()}
        earned.append(np.array([marks[id(each)] for each in group], np.uint64))
    return np.concatenate(earned)


def _earned(policy: Policy, evidence: Evidence | Statement, names: tuple[str, ...], inherited: int = 0) -> int:
    findings = (*evidence.findings, *not_shown(policy, evidence.examined, evidence.not_applicable))
    return int(_bits(earn(policy, findings, _names(inherited, names)).marks, names))


def _earned_beside(
    policy: Policy, names: tuple[str, ...], shards: Sequence[tuple[Path, int, Marks]], joined: Marks
) -> Marks:
    """Return the marks of every sample with those that rules give it beside what it inherited."""
    earned = joined.copy()
    for file, start, own in shards:
        now = joined[start : start + len(own)]
        if np.array_equal(now, own):  # nothing inherited: what its rules give was given
            continue
        for number, evidence in enumerate(read_evidence(file)):
            if now[number] != own[number]:
                earned[start + number] |= np.uint64(_earned(policy, evidence, names, int(now[number])))
    return earned


def _names(marks: int, names: tuple[str, ...]) -> list[str]:
    return [name for bit, name in enumerate(names) if marks >> bit & 1]


def _bits(marks: Collection[str], names: tuple[str, ...]) -> np.uint64:
    return np.uint64(sum(1 << bit for bit, mark in enumerate(names) if mark in marks))


def _edges(policy: Policy, evidence: Iterable[Path], starts: Nodes) -> tuple[Edges, Edges]:
    """Return what ties samples as one picture, and what ties them as one page."""
    digests, pictures, pages = Ties(), Ties(), Ties()
    for path, first in zip(evidence, starts, strict=False):
        columns = read_columns(path)
        digests.add(columns.digests, first)
        pictures.add(columns.pdq, first, columns.quality >= RELIABLE_QUALITY)
        pages.add(columns.groups, first)
    same = [digests.edges(0)] if policy.ties.same_bytes else []
    if policy.ties.near_duplicate_bits is not None:
        same.append(pictures.edges(policy.ties.near_duplicate_bits))
    return same, [pages.edges(0)]


def _joined(own: Marks, edges: Edges) -> Marks:
    """Return for each sample the marks of everything that it is tied to, its own included."""
    if not edges or not len(own):
        return own
    left, right = (np.concatenate([edge[side] for edge in edges]) for side in (0, 1))
    nodes, places = np.unique(np.concatenate((left, right)), return_inverse=True)  # most samples are tied to none
    if not len(nodes):
        return own
    graph = coo_array((np.ones(len(left), np.int8), (places[: len(left)], places[len(left) :])), shape=[len(nodes)] * 2)
    _, component = connected_components(graph, directed=False)
    joined = np.zeros(component.max() + 1, np.uint64)
    np.bitwise_or.at(joined, component, own[nodes])
    shared: Marks = own.copy()
    shared[nodes] = joined[component]
    return shared


def _write(target: Path, inherited: Marks, names: tuple[str, ...]) -> None:
    rows = [{"index": index, "marks": _names(int(marks), names)} for index, marks in enumerate(inherited) if marks]
    with whole(target, 0o600) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), temporary)
