"""How fast near-duplicates among all pictures of a corpus are found, and with how much memory.

    .venv/bin/python benchmarks/ties.py [COUNT ...]

Prints, for so many PDQ hashes (100,000 and 1,000,000 unless told otherwise), hashes a second of processor time and the
peak of the process's memory above what the hashes themselves take: of independent hashes, of hashes of which half are
near copies of others, in groups of up to a thousand, and of near copies of one picture alone. Each is measured in a
process of its own, by the compiled loop where it was built and by numpy; numpy is left out above 100,000.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from filters import ties

Rows = NDArray[np.uint8]
COUNTS = (100_000, 1_000_000)
BITS = 31
MOST_BY_NUMPY = 100_000
KINDS = ("independent", "half copied", "one picture")


def flipped(rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    """Return the rows with up to `most` bits of each changed: up to twice as many lie between two of them."""
    rows = rows.copy()
    for _ in range(most):
        bits = (1 << rng.integers(0, 8, len(rows))).astype(np.uint8)
        rows[np.arange(len(rows)), rng.integers(0, 32, len(rows))] ^= bits
    return rows


def hashes(kind: str, count: int) -> Rows:
    """Return so many hashes of one of KINDS."""
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    if kind == "one picture":
        return flipped(np.repeat(rows[:1], count, axis=0), 10, rng)
    if kind == "half copied":
        half = count // 2
        rows[half:] = flipped(rows[(rng.pareto(1.0, count - half) * half / 1000).astype(np.int64) % half], 12, rng)
    return rows


def measure(kind: str, count: int, way: str) -> str:
    """Return a line about one measurement."""
    if way == "numpy":
        ties._COMPILED = None
    rows = hashes(kind, count)
    ties.tied(rows[:5000], BITS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    groups = ties.tied(rows, BITS)
    took = time.process_time() - began
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    found = len(np.unique(groups))
    return f"{kind:<12} {count:>10,} {way:<9} {count / took:>12,.0f} {took:>8.1f} {more:>8.0f} {found:>10,}"


def main() -> None:
    """Measure everything, each in a process of its own."""
    if len(sys.argv) == 4 and sys.argv[1] in KINDS:
        sys.stdout.write(measure(sys.argv[1], int(sys.argv[2]), sys.argv[3]) + "\n")
        return
    sys.stdout.write("hashes            count way         hashes/s  seconds      MiB     groups\n")
    for count in map(int, sys.argv[1:] or COUNTS):
        for kind in KINDS:
            ways = (["compiled"] if ties.EXTENSION else []) + (["numpy"] if count <= MOST_BY_NUMPY else [])
            for way in ways:
                words = [sys.executable, __file__, kind, str(count), way]
                sys.stdout.write(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
                sys.stdout.flush()


if __name__ == "__main__":
    main()
