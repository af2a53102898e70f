"""Of changed copies of listed photographs, how many are found? Ours beside plain pdqhash and python-threatexchange.

    .venv/bin/python -m benchmarks.robustness [--threatexchange VENV] [--views 120]

A photograph is a view of one that scikit-image, scikit-learn or matplotlib ships (pipelines/demo/photos.py), no two of
them alike; its entry on the list is what pdqhash makes of it. "known" counts those that the perceptual filter matches
with their entry within 31 bits, "review" those besides that it would show to a person as part of a listed picture, or
cut out of one; "wrong" counts matches of either kind with the entry of another photograph, which a collage with another
shows as well. pdqhash and threatexchange hash the file as it lies; "prepared" is threatexchange with what its command
line offers besides, where that is meant to help: the eight rotations of what was turned, and black borders taken off.
It needs an environment of its own, with python-threatexchange installed.

Rows marked * leave the picture whole: resized, encoded, bordered, turned or of another mode.
"""

import argparse
import io
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from benchmarks.transforms import OTHER, PLAIN, Made
from benchmarks.transforms import THEIRS as PREPARED
from filters.finding import PARTIAL
from filters.fingerprints import PART, fingerprints
from filters.lists import ListSource
from filters.perceptual import PerceptualMatch
from filters.rasters import Limits, rasters
from filters.sample import Batch, Sample
from pipelines.demo.photos import Views

REACH = 31  # bits
PAIRS = 10**8
THEIRS = Path(__file__).with_name("threatexchange_hashes.py")
Bits = NDArray[np.bool_]


def plain(data: bytes) -> Bits:
    """PDQ of a file by pdqhash alone, once Pillow has made RGB of it."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(pdqhash.compute(np.asarray(image.convert("RGB")))[0], dtype=bool)


def listing(folder: Path, entries: Sequence[Bits]) -> ListSource:
    path = folder / "list.txt"
    path.write_text("hash\n" + "".join(f"{np.packbits(bits).tobytes().hex()}\n" for bits in entries))
    return ListSource("photographs", str(path), "hashes", "known", columns=(("value", "hash"), ("algorithm", "=pdq")))


def ours(source: ListSource, samples: Sequence[Sample], entries: Sequence[Bits]) -> list[tuple[bool, bool, int]]:
    """Return of each sample whether it is known, whether it is for review, and its matches with other entries."""
    names = {f"pdq:{np.packbits(bits).tobytes().hex()}": number for number, bits in enumerate(entries)}
    told = []
    for number, findings in enumerate(PerceptualMatch(lists=(source,)).load()(Batch(samples))):
        matched = [(each.label, names[each.entry]) for each in findings if each.entry]
        own = {label for label, entry in matched if entry == number}
        told.append(("known" in own, own == {PARTIAL}, sum(entry != number for _, entry in matched)))
    return told


def theirs(venv: Path, folder: Path, made: Sequence[Made], prepare: str) -> list[list[list[str]]]:
    """Return what threatexchange makes of each file: its hash as it lies, then those of what was prepared."""
    files = [folder / str(number) for number in range(len(made))]
    for file, (data, _) in zip(files, made, strict=True):
        file.write_bytes(data)
    run = [str(venv / "bin" / "python"), str(THEIRS), prepare, *map(str, files)]
    done = subprocess.run(run, capture_output=True, check=True, cwd=folder)
    answers: list[list[list[str]]] = json.loads(done.stdout)
    return answers


def near(entry: Bits, found: Sequence[str]) -> bool:
    own = int.from_bytes(np.packbits(entry).tobytes())
    return any((own ^ int(each, 16)).bit_count() <= REACH for each in found)


def measured(name: str, views: Sequence[Image.Image], entries: Sequence[Bits], venv: Path | None) -> list[float]:
    """Return the shares that are known, known or for review, found by pdqhash and by threatexchange, and the wrong.

    A share is not a number where threatexchange has nothing that is meant to help.
    """
    change, prepare = {**PLAIN, **OTHER}[name], PREPARED.get(name, "none")
    made = [change(view, views[(number - 7) % len(views)]) for number, view in enumerate(views)]
    samples = [Sample("shard", str(number), (data,), meta=meta) for number, (data, meta) in enumerate(made)]
    bare = [int((plain(data) != entry).sum()) <= REACH for (data, _), entry in zip(made, entries, strict=True)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        known, review, wrong = zip(*ours(listing(folder, entries), samples, entries), strict=True)
        row = [np.mean(known), np.mean(np.add(known, review)), np.mean(bare)]
        if venv:
            bare_too, besides = theirs(venv, folder, made, prepare)
            found = [near(entry, some) for entry, some in zip(entries, bare_too, strict=True)]
            more = [near(entry, some) for entry, some in zip(entries, besides, strict=True)]
            row += [np.mean(found), np.mean(np.add(found, more)) if name in PREPARED else np.nan]
    return [float(each) for each in (*row, sum(wrong))]


def apart(views: Sequence[Image.Image], entries: Sequence[Bits]) -> None:
    """Print how near hashes of different photographs come, and hashes of photographs to random ones."""
    own, asked = [], []
    for number, view in enumerate(views):
        stream = io.BytesIO()
        view.save(stream, "PNG")
        pictures = rasters((stream.getvalue(),), {}, Limits())
        values = [each.value for each in fingerprints((), {}, pictures) if each.kind in ("pdq", PART)]
        asked.extend(values)
        own.extend([number] * len(values))
    queries = np.frombuffer(b"".join(asked), np.uint64).reshape(-1, 4)
    known = np.packbits(np.stack(entries), axis=1).view(np.uint64)
    others = distances(queries, known)
    others[np.arange(len(own)), own] = 256
    print(
        f"\n{others.size - len(own):,} pairs of different photographs in every form: nearest {others.min()} bits, ",
        end="",
    )
    print(f"{int((others <= REACH).sum())} within {REACH}")
    random = np.random.default_rng(1).integers(0, 2**64, (-(-PAIRS // len(queries)), 4), dtype=np.uint64)
    least, count = 256, 0
    for block in np.array_split(random, 50):
        found = distances(queries, block)
        least, count = min(least, int(found.min())), count + int((found <= REACH).sum())
    pairs = len(queries) * len(random)
    print(f"{pairs:,} pairs of such a form and a random hash: nearest {least} bits, {count} within {REACH}")


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return the bits in which each row differs from each of the others, without and with its complement."""
    found = np.zeros((len(one), len(other)), dtype=np.uint16)
    for word in range(4):
        found += np.bitwise_count(one[:, word, None] ^ other[None, :, word])
    return np.minimum(found, 256 - found)


def main() -> None:
    """Print a line for each change, then how near different photographs come to each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threatexchange", type=Path, metavar="VENV", help="environment with python-threatexchange")
    parser.add_argument("--views", type=int, default=120)
    given = parser.parse_args()
    begun = time.monotonic()
    views = [view.image for view in islice(Views(7).every(), given.views)]
    entries = [np.asarray(pdqhash.compute(np.asarray(view))[0], dtype=bool) for view in views]
    more = ["threatexch.", "prepared"] if given.threatexchange else []
    print(f"{len(entries)} photographs, PDQ within {REACH} bits; shares in %")
    print(f"{'':36}" + "".join(f"{name:>12}" for name in ("known", "or review", "pdqhash", *more)) + f"{'wrong':>8}")
    for change in (*PLAIN, *OTHER):
        *shares, wrong = measured(change, views, entries, given.threatexchange)
        line = "".join(f"{100 * share:12.1f}" if share == share else f"{'-':>12}" for share in shares)
        print(f"{'*' if change in PLAIN else ' '} {change:34}{line}{wrong:8.0f}", flush=True)
    apart(views, entries)
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
