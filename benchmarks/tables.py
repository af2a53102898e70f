"""How many rows a second does a core clean of a corpus of addresses, where does the time go, and does memory stay flat?

Tables in the shape of LAION with DataComp's digest; URL, digest and caption filters under the tests' small lists.
Counts processor time of the run and of all that it starts. Floor: pyarrow reads, filters and writes the same rows, with
one thread.
Run: python benchmarks/tables.py [ROWS], from the root of the repository
"""

import gc
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from corpora import table  # type: ignore[import-not-found]

from filters.config import load_policy
from filters.finding import examine
from filters.sample import Batch
from pipelines.child import COLLECTED
from pipelines.parquet.columns import columns
from pipelines.parquet.evidence import Reading, as_columns
from pipelines.parquet.rows import read

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
ROWS = 100_000
CHUNK = 4096
WORDS = ("red", "bicycle", "harbour", "mountain", "kitchen", "portrait of a cat", "wooden", "vintage", "poster", "blue")


def corpus(path: Path, count: int, seed: int = 0) -> Path:
    """Write a table of so many rows; one in a thousand has a word of a list."""
    chance = random.Random(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer: Any = None
    for start in range(0, count, 50_000):
        rows = range(start, min(start + 50_000, count))
        words = [" ".join(chance.choices(WORDS, k=9)) + (" codeword-alpha" if row % 1000 == 7 else "") for row in rows]
        part = pa.table(
            {
                "URL": [f"https://img{chance.randrange(5000)}.shop-{row % 977}.test/p/{row}/large.jpg" for row in rows],
                "TEXT": [word + (" é" if row % 10 == 3 else "") for word, row in zip(words, rows, strict=True)],
                "WIDTH": pa.array([chance.randrange(2000) for _ in rows], pa.int32()),
                "HEIGHT": pa.array([chance.randrange(2000) for _ in rows], pa.int32()),
                "similarity": pa.array([chance.random() for _ in rows], pa.float64()),
                "punsafe": pa.array([chance.random() for _ in rows], pa.float32()),
                "hash": pa.array([chance.getrandbits(62) for _ in rows], pa.int64()),
                "sha256": [f"{chance.getrandbits(256):064x}" for _ in rows],
            }
        )
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    writer.close()
    return path


def spent() -> float:
    """Return the processor time of this process and of those that it waited for."""
    return sum(
        r.ru_utime + r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def cost(work: Callable[[], object]) -> float:
    start = spent()
    work()
    return spent() - start


def floor(source: Path, target: Path) -> None:
    """Read, filter and write, and nothing else."""
    file = pq.ParquetFile(source)
    with pq.ParquetWriter(target, file.schema_arrow) as writer:
        for batch in file.iter_batches(CHUNK, use_threads=False):
            writer.write_batch(batch.filter(pa.array([row % 1000 != 7 for row in range(batch.num_rows)])))


def stages(source: Path, policy: Any) -> list[tuple[str, float]]:
    """Return the processor time of what examines, piece by piece, in this process."""
    gc.freeze()  # as the examining process does
    gc.set_threshold(COLLECTED)
    found = columns(pq.read_schema(source))
    chain = [(each, each.load()) for each in policy.filters]
    batches = list(pq.ParquetFile(source).iter_batches(CHUNK, use_threads=False))
    keys = [str(row) for row in range(CHUNK)]
    rows: list[Any] = []
    told = [("rows to samples", cost(lambda: rows.extend(read(b, "s", keys[: b.num_rows], found) for b in batches)))]
    some = [Batch.recorded(each.samples, each.prints) for each in rows]
    idle = [(each, lambda batch: [()] * len(batch)) for each, _ in chain]
    told.append(("chain without filters", cost(lambda: [examine(each, idle, b"k") for each in some])))
    for each, run in chain:
        told.append((f"filter {each.name}", cost(lambda run=run: [run(batch) for batch in some])))  # type: ignore[misc]
    return [*told, ("answers to evidence", cost(lambda: evidence(policy, rows)))]


def evidence(policy: Any, rows: list[Any]) -> None:
    """Take answers about rows without findings, and make columns of them."""
    reading = Reading(policy)
    for each in rows:
        count = len(each.samples)
        answer: dict[str, Any] = {
            "keys": None,
            "patterns": [{"findings": [], "examined": ["urls", "digests", "captions"]}],
            "of": [0] * count,
            "shapes": [[["sha256", None]]],
            "shape": [0] * count,
            "values": [prints[0].value.hex() for prints in each.prints],
            "groups": {},
        }
        as_columns("s", 0, 0, reading.taken(json.loads(json.dumps(answer)), count, keyed=False))


def run(source: Path, output: Path, policy: Path) -> tuple[float, float, float]:
    """Return the processor time of a run, and the peak memory in MB of it and of its examining processes."""
    words = ["clean", str(source), str(output), "--policy", str(policy), "--", "--direct_num_workers=1"]
    start = spent()
    command = [sys.executable, "-m", "pipelines", *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    own = below = 0.0
    while process.poll() is None:
        own = max(own, peak(process.pid))
        below = max([below, *map(peak, children(process.pid))])
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    return spent() - start, own, below


def peak(pid: int) -> float:
    """Return the highest resident memory of a process so far, in MB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def children(pid: int) -> list[int]:
    """Return the processes of a run that have begun to read a table."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [child for child in found if b"pipelines." in Path(f"/proc/{child}/cmdline").read_bytes()]
    except OSError:
        return []


def main() -> None:
    """Print a row per stage, then a row per size."""
    from tests.corpora import write_policy

    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with TemporaryDirectory() as name:
        folder = Path(name)
        policy = write_policy(folder / "policy")
        source = corpus(folder / "1" / "00000.parquet", count)
        lowest = cost(lambda: floor(source, folder / "floor.parquet"))
        told = [("floor: pyarrow reads, filters, writes", lowest), *stages(source, load_policy(policy))]
        nothing = run(corpus(folder / "0" / "00000.parquet", 1), folder / "out0", policy)
        one = run(source, folder / "out1", policy)
        four = run(corpus(folder / "4" / "00000.parquet", 4 * count), folder / "out4", policy)
    told.append(("whole run without its start", one[0] - nothing[0]))
    told.append(("whole run of four times the rows, a row", (four[0] - nothing[0]) / 4))
    filters = sum(seconds for stage, seconds in told if stage.startswith("filter "))
    told.append(("all of it but the filters", told[-1][1] - filters))
    lines = [(stage, round(s / count * 1e6, 2), round(count / s), s / lowest) for stage, s in told]
    table(("stage", "microseconds a row", "rows/s of a core", "times the floor"), lines)
    sizes = [(f"{times} x {count}", round(found[1]), round(found[2])) for times, found in ((1, one), (4, four))]
    table(("rows", "peak MB of the run", "of a process that reads"), sizes)


main()
