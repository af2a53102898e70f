"""The laws of the house on whole runs; those of single rooms stand beside their modules."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from filters.config import load_policy
from filters.policy import WITHHELD
from manifests.manifest import read_manifest
from pipelines.clean import clean
from pipelines.verify import verify
from tests.corpora import (
    ADULT_WORD,
    LISTED_URL,
    LISTED_WORD,
    MINOR_WORD,
    Given,
    drawing,
    plain_samples,
    write_policy,
    write_shard,
)
from tests.tree import digests

KILLS = 24
ROUNDS = 4  # the kills are spread over so many runs, each of which is finished at last


def mixed_samples(seed: int, count: int) -> list[Given]:
    """Return samples with every kind of evidence, in random order, some of them copies of each other."""
    chance = random.Random(seed)
    words = [*["nothing"] * 6, *[MINOR_WORD, ADULT_WORD] * 2, LISTED_WORD, f"{MINOR_WORD} {ADULT_WORD}"]
    samples = []
    for n in range(count):
        number = 1000 * seed + n if chance.random() < 0.8 else chance.randrange(count)
        image = drawing(number) if chance.random() < 0.95 else b"broken" * n
        url = LISTED_URL if chance.random() < 0.05 else f"http://ok.test/{seed}/{n}"
        page = {"page_url": f"http://page.test/{chance.randrange(20 * count)}"}
        samples.append(Given(f"{seed}-{n:04d}", image, chance.choice(words), {"url": url, **page}))
    return samples


def write_corpus(folder: Path, shards: int = 4, samples: int = 24) -> Path:
    """Write a mixed corpus and its policy; return the policy's path."""
    (folder / "in").mkdir(parents=True)
    for number in range(shards):
        write_shard(folder / "in" / f"{number:05d}.tar", mixed_samples(number, samples))
    return write_policy(folder / "policy", [drawing(3), drawing(7)])


def command(folder: Path, output: Path, *beam: str) -> list[str]:
    """Return the command line of a run."""
    words = ["clean", str(folder / "in"), str(output), "--policy", str(folder / "policy" / "policy.toml")]
    return [sys.executable, "-m", "pipelines", *words, "--", *(beam or ("--direct_num_workers=2",))]


def same_identity(undisturbed: Path, output: Path) -> None:
    """Give a new output the key and the start time of another run."""
    (output / "restricted").mkdir(parents=True)
    shutil.copy(undisturbed / "restricted" / "run.json", output / "restricted" / "run.json")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus and, in `out`, what an undisturbed run makes of it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_corpus(folder)
    subprocess.run(command(folder, folder / "out"), check=True, capture_output=True)
    return folder


def test_identity_a_policy_that_finds_nothing_returns_every_shard_bit_for_bit(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        write_shard(tmp_path / "in" / f"{number:05d}.tar", plain_samples(5, 10 * number))
    policy = load_policy(write_policy(tmp_path / "policy"))
    clean(str(tmp_path / "in"), tmp_path / "out", policy, ["--direct_num_workers=1"])
    for shard in (tmp_path / "in").iterdir():
        assert (tmp_path / "out" / "clean" / "general" / shard.name).read_bytes() == shard.read_bytes()


def test_conservation_every_sample_has_one_row_and_one_place(undisturbed: Path) -> None:
    """`verify` recounts source, evidence and manifest; here the sums of the whole run."""
    rows = [row for path in (undisturbed / "out/restricted/manifest").iterdir() for row in read_manifest(path)]
    assert len({(row.shard, row.index) for row in rows}) == len(rows) == 4 * 24
    assert {row.partition for row in rows} == {"general", "minors", "adult", WITHHELD}
    assert verify(undisturbed / "out") == []


def test_separation_nothing_that_is_tied_stands_on_both_sides_of_the_wall(undisturbed: Path) -> None:
    """Recomputed from the pictures themselves: the drawing of a sample decides what it is tied to."""
    sides: dict[bytes, set[str]] = {}
    placed = {
        row.key: row.partition
        for path in (undisturbed / "out/restricted/manifest").iterdir()
        for row in read_manifest(path)
    }
    for number in range(4):
        for sample in mixed_samples(number, 24):
            sides.setdefault(sample.image, set()).add(placed[sample.key])
    assert not [places for places in sides.values() if {"minors", "adult"} <= places]


@pytest.mark.parametrize(
    "beam",
    [
        ("--direct_num_workers=1",),
        ("--direct_num_workers=4",),
        ("--runner=FnApiRunner", "--direct_running_mode=multi_threading", "--direct_num_workers=2"),
        ("--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"),
    ],
    ids=["one worker", "four workers", "threads over gRPC", "processes"],
)
def test_join_the_number_and_kind_of_workers_cannot_be_seen_in_the_output(
    undisturbed: Path, tmp_path: Path, beam: tuple[str, ...]
) -> None:
    same_identity(undisturbed / "out", tmp_path / "out")
    subprocess.run(command(undisturbed, tmp_path / "out", *beam), check=True, capture_output=True)
    assert digests(tmp_path / "out") == digests(undisturbed / "out")


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_restart_killed_anywhere_and_started_again_the_output_is_that_of_an_undisturbed_run(
    undisturbed: Path, tmp_path: Path, round_number: int
) -> None:
    chance = random.Random(round_number)
    same_identity(undisturbed / "out", tmp_path / "out")
    for _ in range(KILLS // ROUNDS):
        started = subprocess.Popen(
            command(undisturbed, tmp_path / "out"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.5, 3.5))
        started.send_signal(signal.SIGKILL)
        started.wait()
    subprocess.run(command(undisturbed, tmp_path / "out"), check=True, capture_output=True)
    assert digests(tmp_path / "out") == digests(undisturbed / "out")


def test_restart_an_examining_process_that_is_killed_costs_no_sample(undisturbed: Path, tmp_path: Path) -> None:
    """The child is stopped first, so that it surely dies with samples in hand."""
    same_identity(undisturbed / "out", tmp_path / "out")
    started = subprocess.Popen(command(undisturbed, tmp_path / "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    killed = 0
    while started.poll() is None and killed < 2:
        for child in children(started.pid):
            os.kill(child, signal.SIGKILL)
            killed += 1
        time.sleep(0.05)
    _, told = started.communicate()
    if started.returncode:  # killed before the first shard: the run says so and is started again
        subprocess.run(command(undisturbed, tmp_path / "out"), check=True, capture_output=True)
    assert killed, told
    assert digests(tmp_path / "out") == digests(undisturbed / "out")


@pytest.mark.parametrize("seconds", [0, 2])  # as it starts, and at work
def test_restart_a_worker_process_that_is_killed_ends_the_run_with_a_sentence_and_loses_nothing(
    undisturbed: Path, tmp_path: Path, seconds: float
) -> None:
    """Beam alone would wait for the dead worker for ever."""
    same_identity(undisturbed / "out", tmp_path / "out")
    processes = ("--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
    started = subprocess.Popen(
        command(undisturbed, tmp_path / "out", *processes), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    workers: list[int] = []
    while started.poll() is None and not workers:
        workers = [pid for pid in descendants(started.pid) if "sdk_worker_main" in command_of(pid)]
        time.sleep(0.05)
    time.sleep(seconds)
    os.kill(workers[-1], signal.SIGKILL)
    _, told = started.communicate(timeout=90)
    assert started.returncode == 1
    assert "A worker process died" in told
    subprocess.run(command(undisturbed, tmp_path / "out"), check=True, capture_output=True)
    assert digests(tmp_path / "out") == digests(undisturbed / "out")


def descendants(pid: int) -> list[int]:
    """Return the processes that `pid` has started, and those that they have."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def command_of(pid: int) -> str:
    """Return the command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started."""
    tasks = Path(f"/proc/{pid}/task")
    try:
        return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
