"""Corpora and policies for the benchmarks: the demonstration's lists and weights, and as many photographs as asked."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.demo.head import write_heads
from pipelines.demo.known import Entry
from pipelines.demo.photos import load
from pipelines.demo.sources import write_lists, write_policy

SUBJECTS = ("astronaut", "camera", "chelsea", "coffee", "coins", "flower", "hopper", "rocket")
LIGHT = """
name = "light"
extends = "policy.toml"
without = ["perceptual", "minors", "adult", "encoder"]
[[partitions]]
name = "general"
[[partitions]]
name = "minors"
allows = ["minor"]
[[partitions]]
name = "adult"
allows = ["adult"]
"""


def photo(number: int, side: int, grain: int) -> bytes:
    """Return a JPEG of a view of a photograph; `grain` (0..255) is noise, which makes the file larger."""
    random = np.random.default_rng(number)
    whole = load(SUBJECTS[number % len(SUBJECTS)])
    size = int(min(whole.size) * random.uniform(0.6, 1.0))
    left, top = (int(random.integers(0, edge - size + 1)) for edge in whole.size)
    view = np.asarray(whole.crop((left, top, left + size, top + size)).resize((side, side)), dtype=np.int16)
    noisy = np.clip(view + random.integers(-grain, grain + 1, view.shape), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def write_shards(folder: Path, shards: int, samples: int, side: int = 256, grain: int = 0) -> Path:
    """Write shards of so many samples each, as img2dataset would, and return their folder."""
    folder.mkdir(parents=True)
    for shard in range(shards):
        with tarfile.open(folder / f"{shard:05d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in range(shard * samples, (shard + 1) * samples):
                key, caption = f"{number:09d}", f"A photograph, number {number}"
                meta = {"key": key, "caption": caption, "url": f"https://img.example.com/{number}.jpg"}
                image = photo(number, side, grain)
                for suffix, data in (("jpg", image), ("json", json.dumps(meta).encode()), ("txt", caption.encode())):
                    entry = tarfile.TarInfo(f"{key}.{suffix}")
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))
    return folder


def write_policies(folder: Path) -> dict[str, Path]:
    """Write the demonstration's policy, which has every filter, and one without models and pictures."""
    made_up = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)]
    for name in ("lists", "weights"):
        (folder / name).mkdir(parents=True)
    write_lists(folder / "lists", [Entry(("sha256", "pdq")[at % 2], value) for at, value in enumerate(made_up)])
    write_policy(folder / "policy.toml", write_heads(folder / "weights"))
    (folder / "light.toml").write_text(LIGHT)
    return {"light": folder / "light.toml", "full": folder / "policy.toml"}


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print rows in columns: the first to the left, the others to the right."""
    cells = [header, *[tuple(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        first, *others = (
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print(first, *others, sep="  ")
