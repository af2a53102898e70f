"""Does a run survive being killed anywhere? 200 SIGKILLs, and the output compared with that of an undisturbed run.

Each kill hits, at a random moment, the run itself, one of Beam's worker processes or an examining process. After every
tenth kill the run is finished, its tree compared, and a new one begun. Run: python benchmarks/restart.py [kills]
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from corpora import table, write_policies, write_shards  # type: ignore[import-not-found]

ROOT = Path(__file__).parent.parent
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ROUND = 10  # kills before the output is finished and compared
KINDS = ("run", "worker", "examining")
THREADS = ("--direct_num_workers=2",)
PROCESSES = ("--runner=FnApiRunner", "--direct_running_mode=multi_processing", *THREADS)
PATIENCE = 120  # seconds for a run that was hurt, before it counts as hung
LINGER = 10  # seconds for the processes of a run that is gone


def start(source: Path, output: Path, policy: Path, kind: str = "") -> subprocess.Popen[bytes]:
    """Start a run in a session of its own, so that all its processes can be ended."""
    words = [
        "clean",
        str(source),
        str(output),
        "--policy",
        str(policy),
        "--",
        *(PROCESSES if kind == "worker" else THREADS),
    ]
    command = [sys.executable, "-m", "pipelines", *words]
    return subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def below(pid: int) -> list[int]:
    """Return all processes that descend from one."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [each for child in children for each in (child, *below(child))]


def kind_of(pid: int) -> str:
    """Return what a process of a run is."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return "examining" if b"pipelines.child" in command else "worker" if b"sdk_worker" in command else ""


def end(run: subprocess.Popen[bytes], descendants: set[int]) -> bool:
    """End what is left of a run by its ids, and tell whether any of it outlived the run by more than a while."""
    if hung := run.poll() is None:
        run.kill()
    run.wait()
    until = time.monotonic() + LINGER
    while (left := [pid for pid in descendants if kind_of(pid)]) and time.monotonic() < until and not hung:
        time.sleep(0.05)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(left) and not hung


def disturb(run: subprocess.Popen[bytes], kind: str, chance: random.Random, longest: float) -> tuple[bool, str]:
    """Kill one process of a kind at a random moment; tell whether that happened, and how the run ended."""
    moment, begun = time.monotonic() + chance.uniform(0, longest), time.monotonic()
    seen: set[int] = set()
    hit = False
    while run.poll() is None and time.monotonic() - begun < PATIENCE:
        now = below(run.pid)
        seen.update(now)
        targets = [run.pid] if kind == "run" else [pid for pid in now if kind_of(pid) == kind]
        if not hit and targets and time.monotonic() >= moment:
            os.kill(chance.choice(targets), signal.SIGKILL)
            hit = True
        time.sleep(0.02)
    told = "hung" if run.poll() is None else "killed" if run.returncode < 0 else f"ended with {run.returncode}"
    return hit, told + (", and left processes behind" if end(run, seen) else "")


def digests(root: Path) -> dict[str, str]:
    """Return the digest of every file by its path."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main() -> None:
    """Print what was killed and how the outputs compare."""
    chance, kills, ends, compared = random.Random(20261121), Counter[str](), Counter[tuple[str, str]](), Counter[str]()
    with TemporaryDirectory() as name:
        folder = Path(name)
        policy, source = write_policies(folder / "demo")["light"], write_shards(folder / "in", 6, 30, 128)
        begun = time.monotonic()
        start(source, folder / "whole", policy).wait()
        longest, whole = time.monotonic() - begun, digests(folder / "whole")
        while kills.total() < KILLS:
            output = folder / "out"
            (output / "restricted").mkdir(parents=True)
            shutil.copy(folder / "whole" / "restricted" / "run.json", output / "restricted")
            aim = kills.total() + min(ROUND, KILLS - kills.total())
            while kills.total() < aim:
                kind = KINDS[kills.total() % len(KINDS)]
                hit, told = disturb(start(source, output, policy, kind), kind, chance, longest)
                kills[kind] += hit
                ends[kind, told if hit else "finished before it was hit"] += 1
            finished = start(source, output, policy).wait()
            same = digests(output) == whole
            compared["identical" if same and finished == 0 else f"different, ended with {finished}"] += 1
            shutil.rmtree(output)
    table(("killed", "how the run ended", "times"), [(*key, count) for key, count in sorted(ends.items())])
    table(("output after every tenth kill", "times"), sorted(compared.items()))


main()
