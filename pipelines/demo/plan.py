"""Which rows go into which shard of the demonstration corpus."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipelines.demo.captions import planted_captions, planted_evidence
from pipelines.demo.faults import planted_faults, planted_groups
from pipelines.demo.known import Entry, bordered_pictures, known_files, known_pictures
from pipelines.demo.rows import NO_ROW, Plant, Row
from pipelines.demo.shards import cut_off, write_shard
from pipelines.demo.standins import planted_stand_ins
from pipelines.demo.studio import Mode, Studio
from pipelines.demo.ties import planted_ties
from pipelines.demo.urls import planted_urls

SEED = 20_261_121
FAILED_EVERY = 11  # rows between two failed downloads
BORDERED = 4
CUT = Plant("shard cut off: at the cut and behind it", NO_ROW, "")
ERRORS = (
    "HTTP Error 404: Not Found",
    "<urlopen error [Errno -2] Name or service not known>",
    "The read operation timed out",
    "Image decoding error",
)


@dataclass(slots=True)
class Plan:
    """The rows of one shard: `rows` are mixed with `ordinary` views stored in `mode`, `last` keep their order."""

    mode: Mode
    ordinary: int
    rows: list[Row] = field(default_factory=list)
    last: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Placed:
    """A row, and where it was put."""

    shard: str
    key: str
    row: Row


def write_shards(folder: Path) -> tuple[list[Placed], list[Entry]]:
    """Write every shard into the folder and return all rows that were stored, and the hash list to plant."""
    studio = Studio(SEED)
    plans, entries = _plans(studio)
    placed: list[Placed] = []
    for number, plan in enumerate(plans):
        rows = _rows(studio, plan, number)
        keys = write_shard(folder, number, rows)
        placed += [Placed(f"{number:05d}", key, row) for key, row in zip(keys, rows, strict=True) if not row.error]
    return [*placed, *_write_cut_shard(studio, folder, len(plans))], entries


def _plans(studio: Studio) -> tuple[list[Plan], list[Entry]]:
    known = [*known_files(studio), *known_pictures(studio)]
    bordered = list(bordered_pictures(studio, BORDERED))
    pairs = list(planted_ties(studio, "keep ratio"))
    plans = [
        Plan("keep ratio", 60, list(planted_urls(studio, "keep ratio"))),
        Plan("as downloaded", 45, [row for row, _ in known]),
        Plan("border", 60, [row for row, _ in bordered] + [pair.first for pair in pairs]),
        Plan("border", 55, [pair.second for pair in pairs]),
        Plan("webp", 40, list(planted_captions(studio, "webp"))),
        Plan("png", 25, [*planted_evidence(studio, "png"), *planted_stand_ins(studio)]),
        Plan("keep ratio", 25, list(planted_faults(studio)), list(planted_groups(studio))),
    ]
    return plans, [entry for _, entry in known + bordered]


def _rows(studio: Studio, plan: Plan, number: int) -> list[Row]:
    rows = [studio.row(studio.view(), plan.mode) for _ in range(plan.ordinary)] + plan.rows
    order = np.random.default_rng((SEED, number)).permutation(len(rows))
    return [*_with_failures([rows[index] for index in order]), *plan.last]


def _with_failures(rows: Sequence[Row]) -> list[Row]:
    """Put a failed download before every eleventh row: it is known to the sidecar alone."""
    mixed: list[Row] = []
    for index, row in enumerate(rows):
        if index % FAILED_EVERY == FAILED_EVERY - 1:
            url, error = f"https://gone.example.com/{row.sha256[:8]}.jpg", ERRORS[index // FAILED_EVERY % len(ERRORS)]
            mixed.append(Row(url, "A photograph", columns=row.columns, error=error))
        mixed.append(row)
    return mixed


def _write_cut_shard(studio: Studio, folder: Path, number: int) -> list[Placed]:
    rows = [studio.row(studio.view(), "keep ratio") for _ in range(24)]
    at = 16
    rows = [replace(row, plant=CUT if index >= at else None) for index, row in enumerate(rows)]
    keys = write_shard(folder, number, rows)
    cut_off(folder / f"{number:05d}.tar", f"{keys[at]}.json")
    return [Placed(f"{number:05d}", key, row) for key, row in zip(keys, rows, strict=True)]
