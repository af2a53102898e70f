"""The index of PDQ hashes beside other ways: time to build and load, bytes an entry, queries a second and core.

Run: .venv/bin/python -m benchmarks.index [--entries 100000 1000000] [--rounds 5] [--no-peers]. Ten million entries take
5 GB and a quarter of an hour. faiss and python-threatexchange are measured where they can be imported (PYTHONPATH).

Lists: "random" is even; "clustered" holds families of near copies, 0 to 24 bits from their first, whose sizes follow a
power law with one family of a hundredth of the list. Queries: six of seven are of no picture on the list, the seventh
lies 0 to 44 bits from an entry. A query is one hash; a picture asks 16 (turned, mirrored, inverted). All at 31 bits, in
calls of 256 queries: what a batch of 16 pictures asks. Processor time of one thread, per call the best of the rounds,
between which every cache has seen all other calls. The product's own index answers as the filter asks it, with the
nearest entry of each category; the others list every match.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from filters import bandtables, hamming, pins
from filters.bands import Hashes
from filters.hamming import HammingIndex, brute_force
from filters.hashfolder import write_folder
from filters.hashlists import build
from filters.hashtables import Gathering, HashList
from filters.listsource import ListSource
from filters.perceptual import PerceptualMatch

LIMIT = 31  # bits
CALL = 256
SOURCE = ListSource("made-up", "", "hashes", "csam", version="1", categories=("opt-out",))
Search = Callable[[Hashes], object]


def flipped(rows: Hashes, most: int, rng: np.random.Generator) -> None:
    """Change up to `most` bits of every row, in place."""
    for block in np.array_split(rows, math.ceil(len(rows) / 10**6)):
        wanted = rng.integers(0, most + 1, len(block))
        for step in range(most):
            chosen = np.flatnonzero(wanted > step)
            bits = rng.integers(0, 256, len(chosen))
            block[chosen, bits >> 3] ^= (1 << (bits & 7)).astype(np.uint8)


def entries(count: int, kind: str) -> Hashes:
    rng = np.random.default_rng(count)
    if kind == "random":
        return rng.integers(0, 256, (count, 32), dtype=np.uint8)
    sizes = np.minimum(rng.pareto(1.2, count // 4) + 1, count // 100).astype(np.int64)
    sizes[0] = count // 100
    families = np.repeat(np.arange(len(sizes)), sizes)[:count]
    families = np.concatenate((families, rng.integers(0, len(sizes), count - len(families))))
    rows = rng.integers(0, 256, (len(sizes), 32), dtype=np.uint8)[families]
    flipped(rows, 24, rng)
    return rows


def queries(known: Hashes, count: int) -> Hashes:
    rng = np.random.default_rng(7)
    asked = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    near = known[rng.integers(0, len(known), len(asked[::7]))]
    flipped(near, 44, rng)
    asked[::7] = near
    return asked


def compiled(rows: Hashes, folder: Path) -> tuple[ListSource, float]:
    """Build the list as `shardwall list build` does after reading its text; return it, and the seconds that took."""
    gathered = Gathering(32)
    for place, row in enumerate(rows):
        gathered.add(row.tobytes(), place % 2, 0)
    began = time.process_time()
    table = gathered.table(np.zeros(1, dtype=np.uint32))
    folder.mkdir()
    write_folder(folder, HashList("made-up", "1", "", "0" * 64, SOURCE.labels, ("",), {"pdq": table}), "")
    return replace(SOURCE, path=str(folder)), time.process_time() - began


def text_speed(rows: Hashes, folder: Path) -> float:
    """Return the entries a second at which a list is built from its text."""
    path = folder / "list.txt"
    path.write_text("hash\n" + "\n".join(row.tobytes().hex() for row in rows))
    source = replace(SOURCE, path=str(path), columns=(("value", "hash"), ("algorithm", "=pdq")))
    began = time.process_time()
    build(source, str(folder / "from-text"))
    return len(rows) / (time.process_time() - began)


def loading(source: ListSource) -> tuple[float, float]:
    """Return the seconds of the first look at a list, which reads all of it, and of a worker's load after it."""
    one = PerceptualMatch(lists=(source,))
    time.sleep(pins.SETTLED_NS / 1e9 + 0.1)
    began = time.perf_counter()
    one.materials()
    looked = time.perf_counter()
    one.load()
    return looked - began, time.perf_counter() - looked


def speed(search: Search, asked: Hashes, rounds: int) -> float:
    """Return queries a second: the sum of the least time of each call."""
    calls = [asked[start : start + CALL] for start in range(0, len(asked), CALL)]
    least = [math.inf] * len(calls)
    for _ in range(rounds):
        for place, call in enumerate(calls):
            began = time.process_time()
            search(call)
            least[place] = min(least[place], time.process_time() - began)
    return len(asked) / sum(least)


def peers(rows: Hashes) -> Iterator[tuple[str, Search, int]]:
    """Yield the name, the search and a number of queries that takes some seconds, of what can be imported."""
    try:
        import faiss  # type: ignore[import-not-found]
    except ImportError:
        print("  faiss cannot be imported here")
        return
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexBinaryFlat(256)
    flat.add(rows)
    yield "faiss IndexBinaryFlat, range_search", lambda asked: flat.range_search(asked, LIMIT + 1), 10**8 // len(rows)
    if len(rows) > 2 * 10**6:
        return  # tens of seconds and gigabytes to build
    several = faiss.IndexBinaryMultiHash(256, 16, 16)
    several.nflip = 1  # all that can be within 31 bits
    several.add(rows)
    yield "faiss IndexBinaryMultiHash 16 x 16", lambda asked: several.range_search(asked, LIMIT + 1), CALL
    try:
        from threatexchange.signal_type.pdq.pdq_index import PDQIndex
    except ImportError:
        print("  python-threatexchange cannot be imported here")
        return
    index = PDQIndex([(row.tobytes().hex(), place) for place, row in enumerate(rows)])
    yield "python-threatexchange PDQIndex", lambda asked: [index.query(each.tobytes().hex()) for each in asked], CALL


def as_numpy(search: Search) -> Search:
    """Return the same search as it is where no extension was built."""

    def searched(asked: Hashes) -> object:
        kept = hamming._COMPILED
        hamming._COMPILED = None
        try:
            return search(asked)
        finally:
            hamming._COMPILED = kept

    return searched


def told(found: hamming.Pairs) -> list[tuple[int, int, int]]:
    return list(zip(found.queries.tolist(), found.entries.tolist(), found.distances.tolist(), strict=True))


def measure(rows: Hashes, folder: Path, rounds: int, with_peers: bool) -> None:
    source, seconds = compiled(rows, folder)
    size = sum(path.stat().st_size for path in folder.iterdir()) / len(rows)
    looked, loaded = loading(source)
    print(f"  built in {seconds:.1f} s; {size:.0f} bytes an entry; first look {looked:.2f} s, load {loaded:.3f} s")
    values, numbers = (np.load(folder / f"pdq.{part}.npy", mmap_mode="r") for part in ("values", "categories"))
    parts = {part: np.load(folder / f"pdq.{part}.npy", mmap_mode="r") for part in ("cells", "slots", "more")}
    index = HammingIndex(values, bandtables.Tables(**parts))
    asked = queries(rows, 16 * CALL)
    few = asked[: max(7, min(70, 10**8 // len(rows)))]
    wanted = brute_force(few, values, LIMIT)
    equal = all(told(search(few)) == told(wanted) for search in (pairs(index), as_numpy(pairs(index))))  # type: ignore[arg-type]
    print(f"  {len(wanted)} matches of {len(few)} queries: {'the same as' if equal else 'NOT WHAT'} brute force finds")

    def nearest(some: Hashes) -> object:
        return index.nearest(some, LIMIT, numbers, len(SOURCE.labels))

    ways: list[tuple[str, Search, int]] = [
        ("extension, nearest of each category", nearest, len(asked)),
        ("extension, every match", pairs(index), len(asked)),
        ("numpy, nearest of each category", as_numpy(nearest), len(asked) // 2),
        ("numpy brute force", lambda some: brute_force(some, values, LIMIT), max(4, 10**7 // len(rows))),
    ]
    for name, search, count in [*(ways if hamming.EXTENSION else ways[2:]), *(peers(rows) if with_peers else ())]:
        print(f"  {name:40}{speed(search, asked[:count], rounds if count > CALL else 2):12,.0f} queries/s", flush=True)


def pairs(index: HammingIndex) -> Search:
    return lambda some: index.pairs(some, LIMIT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, nargs="+", default=[10**5, 10**6])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-peers", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rate = text_speed(entries(50_000, "random"), Path(folder))
        print(f"A list of PDQ hashes is built from its text at {rate:,.0f} entries a second.")
    for count in wanted.entries:
        for kind in ("random", "clustered"):
            print(f"{count:,} entries, {kind}")
            with tempfile.TemporaryDirectory() as folder:
                measure(entries(count, kind), Path(folder) / "built", wanted.rounds, not wanted.no_peers)


if __name__ == "__main__":
    main()
