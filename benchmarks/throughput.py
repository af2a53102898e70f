"""What does each stage cost? Samples per second of one core, beside plain reading and decoding of the same pictures.

Counts processor time, not the clock, so other work on the machine matters less. Run: python benchmarks/throughput.py
"""

import io
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from corpora import table, write_policies, write_shards  # type: ignore[import-not-found]
from PIL import Image

from filters.config import load_policy
from filters.members import parse
from filters.sample import Batch
from pipelines.examine import batches
from pipelines.inputs import find_shards
from pipelines.job import make_job
from pipelines.layout import Layout
from pipelines.separate import SEPARATED, separate_shard
from pipelines.shards import rows, survey

ROOT = Path(__file__).parent.parent
SHARDS, SAMPLES, SIDE = 2, 60, 384  # img2dataset's usual picture is 256 to 512 pixels a side
REPEATS = 3  # of what takes no time; the best counts


def cost(work: Callable[[], object], repeats: int = 1) -> float:
    """Return the processor time, in seconds, that the work takes."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return max(min(found), 1e-9)


def read(source: Path) -> None:
    """Read every byte."""
    for shard in source.iterdir():
        shard.read_bytes()


def pictures(source: Path) -> list[bytes]:
    """Return the image files of all shards, found by Python's own tarfile."""
    found = []
    for shard in sorted(source.iterdir()):
        with tarfile.open(shard) as tar:
            found += [tar.extractfile(each).read() for each in tar if each.name.endswith("jpg")]  # type: ignore[union-attr]
    return found


def decode(files: list[bytes]) -> None:
    """Decode pictures with Pillow and nothing else."""
    for file in files:
        with Image.open(io.BytesIO(file)) as image:
            image.convert("RGB").load()


def framed(source: Path) -> list[Any]:
    """Frame and hash every shard, and return its samples parsed."""
    samples = []
    for path in sorted(source.iterdir()):
        data = path.read_bytes()
        for batch in batches(rows(path, survey(path), 1 << 30)):
            for row in batch:
                members = [(each.suffix, data[each.offset : each.offset + each.size]) for each in row.members]
                samples.append(parse(path.stem, row.key, members, row.problems))
    return samples


def stages(source: Path, folder: Path, policy_file: Path) -> list[tuple[str, float]]:
    """Return the processor time of each stage over the whole corpus."""
    policy = load_policy(policy_file)
    found = [
        ("read", cost(lambda: read(source), REPEATS)),
        ("frame, hash, parse", cost(lambda: framed(source), REPEATS)),
    ]
    batch = Batch(framed(source), policy.limits)
    Batch(batch.samples[:1]).fingerprints(0)  # imports what it needs at the first call
    every = range(len(batch))
    found.append(("every raster", cost(lambda: [batch.rasters(row) for row in every])))
    found.append(("fingerprints", cost(lambda: [batch.fingerprints(row) for row in every])))
    for each in policy.filters:
        loaded = each.load()
        loaded(batch.take([0]))  # likewise
        found.append((f"filter {each.name}", cost(lambda run=loaded: run(batch))))  # type: ignore[misc]
    first, whole = (
        run(words, folder / each, policy_file) for words, each in ((source / "00000.tar", "1"), (source, "2"))
    )
    output = folder / "2"
    job, shards = make_job(output, policy), find_shards(str(source))
    for shard in shards:
        Layout(output).marker(shard.name, SEPARATED).unlink()
    found.append(("separate", cost(lambda: [separate_shard(job, shard) for shard in shards])))
    past = (whole - first) * SHARDS / (SHARDS - 1)
    return [*found, ("whole run", whole), ("whole run without its start", past)]


def run(source: Path, output: Path, policy_file: Path) -> float:
    """Return the processor time of the command line and all that it starts."""
    started = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = ["clean", str(source), str(output), "--policy", str(policy_file), "--", "--direct_num_workers=1"]
    subprocess.run([sys.executable, "-m", "pipelines", *words], cwd=ROOT, check=True, capture_output=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - started.ru_utime - started.ru_stime


def main() -> None:
    """Print a row per stage."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as name:
        folder = Path(name)
        policy = write_policies(folder / "demo")["full"]
        source = write_shards(folder / "in", SHARDS, SAMPLES, SIDE)
        count, files = SHARDS * SAMPLES, pictures(source)
        floor = cost(lambda: decode(files), REPEATS)
        found = [("floor: Pillow decodes", floor), *stages(source, folder, policy)]
    print(f"{count} samples, pictures of {SIDE} x {SIDE} pixels")
    table(("stage", "samples/s of a core", "times the floor"), [(n, round(count / t, 1), t / floor) for n, t in found])


main()
