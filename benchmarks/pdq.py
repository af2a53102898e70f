"""CPU time of PDQ in eight forms: the compiled extension beside pdqhash, in turns, in one process.

    .venv/bin/python benchmarks/pdq.py

Each figure is the least of many rounds, of one photograph at several sizes, decoded already. Ratios carry over to other
machines better than times do.
"""

import sys
import time
from collections.abc import Callable
from importlib.metadata import distribution

import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from filters.pdq import EXTENSION, dihedral, slow_dihedral

SIDES = (128, 256, 512, 1024, 2048)
ROUNDS = 9
PHOTO = ("scikit-image", "skimage/data/astronaut.png")
Pixels = NDArray[np.uint8]


def seconds(way: Callable[[Pixels], object], picture: Pixels, times: int) -> float:
    """CPU seconds of one call, as the mean of several."""
    begun = time.process_time()
    for _ in range(times):
        way(picture)
    return (time.process_time() - begun) / times


def measured(picture: Pixels) -> tuple[float, float]:
    """The least CPU seconds of pdqhash and of the extension."""
    times = max(1, 2**20 // picture.size)
    rounds = [
        (seconds(pdqhash.compute_dihedral, picture, times), seconds(dihedral, picture, 10 * times))
        for _ in range(ROUNDS)
    ]
    slow, fast = zip(*rounds, strict=True)
    return min(slow), min(fast)


def differing(picture: Pixels) -> int:
    """Bits of eight hashes in which the two differ."""
    one, other = dihedral(picture)[0], slow_dihedral(picture)[0]
    return int(np.bitwise_count(one ^ other).sum())


def main() -> None:
    if not EXTENSION:
        sys.exit(
            "The extension was not built, so there is nothing to compare: scripts/setup builds it where a compiler is."
        )
    with Image.open(str(distribution(PHOTO[0]).locate_file(PHOTO[1]))) as opened:
        photo = opened.convert("RGB")
    print(f"{'pixels':>12} {'pdqhash, us':>12} {'extension, us':>14} {'times faster':>13} {'bits that differ':>17}")
    for side in SIDES:
        picture = np.asarray(photo.resize((side, side), Image.Resampling.BICUBIC))
        slow, fast = measured(picture)
        size = f"{side} x {side}"
        print(f"{size:>12} {slow * 1e6:12.0f} {fast * 1e6:14.0f} {slow / fast:13.1f} {differing(picture):17}")


main()
