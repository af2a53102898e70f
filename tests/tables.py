"""Tables of addresses in the shape of LAION, COYO and DataComp metadata, with benign content and planted cases."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpora import ADULT_WORD, LISTED_URL, LISTED_WORD, MINOR_WORD

PLANTED = {1: LISTED_WORD, 2: MINOR_WORD, 3: ADULT_WORD, 4: f"{MINOR_WORD} {ADULT_WORD}", 6: "Größe 東京 🚲", 7: ""}
EVERY = 12  # planted cases come back after so many rows


def text(row: int) -> str:
    return PLANTED.get(row % EVERY, f"a drawing of a bicycle, number {row}")


def address(row: int, seed: int = 0) -> str:
    return LISTED_URL if row % EVERY == 5 else f"https://cdn{seed}.ok.test/{row}/photo.jpg?w={row}"


def digest(row: int, seed: int = 0) -> str:
    return f"{random.Random(f'{seed}-{row}').getrandbits(256):064x}"


def laion(count: int, seed: int = 0) -> pa.Table:
    """LAION-5B, as laion2B-en has it."""
    chance = random.Random(seed)
    return pa.table(
        {
            "SAMPLE_ID": pa.array([chance.getrandbits(60) for _ in range(count)], pa.int64()),
            "URL": [address(row, seed) for row in range(count)],
            "TEXT": [text(row) if row % 10 else None for row in range(count)],
            "HEIGHT": pa.array([chance.randrange(2000) for _ in range(count)], pa.int32()),
            "WIDTH": pa.array([chance.randrange(2000) for _ in range(count)], pa.int32()),
            "LICENSE": ["?"] * count,
            "NSFW": pa.array(["UNLIKELY"] * count).dictionary_encode(),
            "similarity": [chance.random() if row % 3 else float("nan") for row in range(count)],
            "hash": pa.array([chance.getrandbits(62) for _ in range(count)], pa.int64()),
            "punsafe": pa.array([chance.random() if row % 7 else None for row in range(count)], pa.float32()),
            "pwatermark": pa.array([chance.random() for _ in range(count)], pa.float32()),
        }
    )


def coyo(count: int, seed: int = 0) -> pa.Table:
    """COYO-700M, whose `image_phash` is that of phash.org and not imagehash's (its README, read 2026-11-22)."""
    return pa.table(
        {
            "id": pa.array([1_000_000 * (seed + 1) + row for row in range(count)], pa.int64()),
            "url": [address(row, seed) for row in range(count)],
            "text": [text(row) for row in range(count)],
            "width": pa.array([row % 900 for row in range(count)], pa.int32()),
            "height": pa.array([row % 700 for row in range(count)], pa.int32()),
            "image_phash": [digest(row, seed)[:16] for row in range(count)],
            "num_faces": pa.array([0] * count, pa.int32()),
            "watermark_score": [row / count for row in range(count)],
        }
    ).replace_schema_metadata({"org.example.note": "kept"})


def datacomp(count: int, seed: int = 0) -> pa.Table:
    """DataComp's CommonPool; its digest is of the picture that was downloaded."""
    boxes = [[[0.1, 0.2, 0.3, 0.4]] * (row % 3) for row in range(count)]
    return pa.table(
        {
            "uid": [digest(row, seed)[:32] for row in range(count)],
            "url": [address(row, seed) for row in range(count)],
            "text": [text(row) for row in range(count)],
            "original_width": pa.array([row % 900 for row in range(count)], pa.int64()),
            "original_height": pa.array([row % 700 for row in range(count)], pa.int64()),
            "clip_b32_similarity_score": pa.array([0.25] * count, pa.float32()),
            "face_bboxes": pa.array(boxes, pa.list_(pa.list_(pa.float64()))),
            "sha256": [digest(row, seed) if row % 9 else None for row in range(count)],
        }
    )


def write(path: Path, table: pa.Table, rows: int = 100, **how: Any) -> Path:
    """Write a table in row groups of so many rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows, **how)
    return path


def write_all(folder: Path, tables: Mapping[str, pa.Table]) -> Path:
    """Write tables by their names and return the folder."""
    for name, table in tables.items():
        write(folder / f"{name}.parquet", table)
    return folder
