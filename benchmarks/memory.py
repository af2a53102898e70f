"""Does memory grow with the corpus? Peak resident memory of the run and of its examining process.

Corpora of 1, 4 and 16 times the shards, then of 1, 4 and 16 times the samples in one shard, under a policy without
models and under the demonstration's, which has them all. One worker. Run: python benchmarks/memory.py
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from corpora import table, write_policies, write_shards  # type: ignore[import-not-found]

ROOT = Path(__file__).parent.parent
SAMPLES = {"light": 40, "full": 5}  # in a shard of size 1; a sample is about half a megabyte
SIZES = [(1, 1), (4, 1), (16, 1), (1, 4), (1, 16)]  # shards, and times as many samples in each


def peaks(words: list[str]) -> tuple[float, float]:
    """Run the command line and return the peak resident memory, in MB, of it and of its examining process."""
    command = [sys.executable, "-m", "pipelines", *words, "--", "--direct_num_workers=1"]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    own = others = 0.0
    while run.poll() is None:
        own = max(own, peak(run.pid))
        others = max([others, *map(peak, examining(run.pid))])
        time.sleep(0.02)
    if run.returncode:
        raise SystemExit(f"the run ended with {run.returncode}: {words}")
    return own, others


def refuse_unexamined(output: Path) -> None:
    """End with a message when samples went unexamined: what nobody looks at takes no memory."""
    withheld = json.loads((output / "restricted" / "summary.json").read_text())["withheld"]
    if any(reason.startswith("unexamined") for reason in withheld):
        raise SystemExit(f"samples went unexamined: {withheld}")


def peak(pid: int) -> float:
    """Return the highest resident memory of a process so far, in MB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def examining(pid: int) -> list[int]:
    """Return the examining processes of a run; one that has only been forked still shows the memory of the run."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [child for child in children if b"pipelines.child" in Path(f"/proc/{child}/cmdline").read_bytes()]
    except OSError:
        return []


def main() -> None:
    """Print a row per corpus."""
    rows: list[tuple[object, ...]] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        for policy, path in write_policies(folder / "demo").items():
            first: tuple[float, float] | None = None
            for shards, times in SIZES:
                source = write_shards(folder / f"{policy}-{shards}-{times}", shards, SAMPLES[policy] * times, 512, 60)
                megabytes = sum(shard.stat().st_size for shard in source.iterdir()) / 1e6
                output = folder / f"{source.name}-out"
                found = peaks(["clean", str(source), str(output), "--policy", str(path)])
                refuse_unexamined(output)
                first = first or found
                ratios = (found[0] / first[0], found[1] / first[1])
                rows.append((policy, shards, times, round(megabytes), *map(round, found), *ratios))
    header = (
        "policy",
        "shards x",
        "shard size x",
        "input MB",
        "run MB",
        "examining MB",
        "run ratio",
        "examining ratio",
    )
    table(header, rows)


main()
