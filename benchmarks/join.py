"""How much memory and time the join over a whole corpus takes.

    .venv/bin/python benchmarks/join.py [ROWS]

Prints seconds of processor time and the peak of memory, before and after, for so many samples (1,000,000 unless told
otherwise) in shards of 10,000. Each has a file, a page and a picture of its own with its eight PDQ hashes; every 50th
has a mark. The evidence of two shards is written, and read again under other names, with other hashes each time.
"""

import dataclasses
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from filters.config import load_policy
from filters.finding import Finding
from filters.fingerprints import DIHEDRAL, Fingerprint
from manifests.evidence import Evidence, EvidenceWriter
from manifests.ties import TieColumns, Values, read_columns
from pipelines import join
from tests.corpora import write_policy

ROWS = 1_000_000
SHARD = 10_000
WRITTEN = 2  # shards


def sample(index: int, rng: np.random.Generator) -> Evidence:
    """Return the evidence of one sample."""
    turned = [f"as stored, {turn}" if turn else "as stored" for turn in DIHEDRAL]
    pictures = (Fingerprint("pdq", form, rng.bytes(32), 90) for form in turned)
    files = Fingerprint("sha256", "file 0", rng.bytes(32)), Fingerprint("md5", "file 0", rng.bytes(16))
    marked = (Finding("captions", "minor", source="terms"),) if index % 50 == 0 else ()
    page = (rng.bytes(16).hex(),)
    return Evidence("00000", index, "", 0, 1, page, (*files, *pictures), marked, ("urls", "digests", "captions"))


def write(folder: Path) -> list[Path]:
    """Write the evidence of a few shards."""
    rng = np.random.default_rng(1)
    for number in range(WRITTEN):
        with EvidenceWriter(folder / f"{number}.written", {}) as writer:
            for index in range(SHARD):
                writer.write(sample(index, rng))
    return sorted(folder.glob("*.written"))


def with_other_hashes(read: Callable[[Path], TieColumns]) -> Callable[[Path], TieColumns]:
    """Return what reads a shard as `read` does, with every hash changed by a pattern that its name gives."""

    def changed(path: Path) -> TieColumns:
        found = read(path)
        pattern = np.random.default_rng(int(path.stem)).integers(0, 256, 32, dtype=np.uint8)

        def other(values: Values) -> Values:
            return dataclasses.replace(values, values=values.values ^ pattern)

        return dataclasses.replace(
            found, digests=other(found.digests), pdq=other(found.pdq), groups=other(found.groups)
        )

    return changed


def peak() -> int:
    """Return the most memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Measure one join."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with TemporaryDirectory() as name:
        folder = Path(name)
        written = write(folder)
        policy = load_policy(write_policy(folder / "policy"))
        shards = [(folder / f"{number}.parquet", folder / f"{number}.inherited") for number in range(rows // SHARD)]
        for number, (evidence, _) in enumerate(shards):
            evidence.symlink_to(written[number % WRITTEN])
        vars(join)["read_columns"] = with_other_hashes(read_columns)
        join.join_corpus(policy, shards[:WRITTEN])
        before, began = peak(), time.process_time()
        join.join_corpus(policy, shards)
        took = time.process_time() - began
    told = f"{rows:,} samples: {took:.0f} s, peak {before} MiB with {WRITTEN * SHARD:,} samples, then {peak()} MiB"
    sys.stdout.write(f"{told}, {(peak() - before) * 2**20 / rows:.0f} bytes a sample more\n")


if __name__ == "__main__":
    main()
