"""What does a finished run tell of itself? The session that docs/measuring.md shows, with the truth beside it.

The corpus, labels and calibration are those of benchmarks/calibration.py. Then come a sample plan answered from the
truth, another threshold, groups, and a shard of faint pictures only. Run: python benchmarks/measuring.py
"""

import csv
import io
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import calibration  # type: ignore[import-not-found]
import numpy as np
from calibration import FAINT, POLICY
from corpora import photo  # type: ignore[import-not-found]
from PIL import Image

from manifests.manifest import read_manifest
from pipelines.demo.encode import jpeg
from pipelines.demo.head import write_heads
from pipelines.demo.standins import ADULT_STAND_IN, adult_stand_in

ROOT = Path(__file__).parent.parent
SHARDS, SAMPLES = 3, 120  # of a corpus smaller than that of benchmarks/calibration.py, for a shorter session
NEW = 500  # samples of the shard that is unlike the others


def shardwall(folder: Path, *words: str) -> str:
    """Run the command line as a user would, print what it says and warns of, and return what it says."""
    print(f"$ shardwall {shlex.join(words)}")
    command = [sys.executable, "-m", "pipelines", *words]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    told = [line for line in ran.stderr.splitlines() if line.startswith(("Error", "warning"))]
    print(ran.stdout + "\n".join([*told, ""]))
    return ran.stdout


def write_faint(shard: Path) -> None:
    """Write a shard of stand-ins that are half photograph, each of them."""
    random = np.random.default_rng(2_027)
    with tarfile.open(shard, "w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(NEW):
            ground = Image.open(io.BytesIO(photo(number, 320, 0)))
            data = jpeg(Image.blend(adult_stand_in(random), ground, FAINT))
            entry = tarfile.TarInfo(f"new{number:06d}.jpg")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def truth(folder: Path) -> dict[tuple[str, str], bool]:
    """Return whether each sample shows the stand-in."""
    with (folder / "labels.csv").open(newline="") as file:
        return {(row["shard"], row["key"]): row["label"] == "1" for row in csv.DictReader(file)}


def left(folder: Path, output: str) -> None:
    """Print how many stand-ins really are left in the general partition."""
    known = truth(folder)
    files = sorted((folder / output / "restricted" / "manifest").glob("*.parquet"))
    kept = [each for path in files for each in read_manifest(path) if each.partition == "general"]
    print(f"In truth {sum(known[each.shard, each.key] for each in kept)} stand-ins are left in general.\n")


def answer(folder: Path, output: str) -> None:
    """Answer the plan of a run from the truth."""
    known = truth(folder)
    with (folder / output / "restricted" / "sample" / "plan.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "answers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            adult = "yes" if known[row["shard"], row["key"]] else "no"
            writer.writerow(row | {"adult": row["adult"] or adult, "minor": row["minor"] or "no"})


def main() -> None:
    """Print the session."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        calibration.SHARDS, calibration.SAMPLES = SHARDS, SAMPLES
        calibration.write_corpus(folder)
        made = write_heads(folder / "weights")
        head = {label: sha256 for label, _, sha256 in made.heads}[ADULT_STAND_IN]
        known = {"label": ADULT_STAND_IN, "encoder": made.encoder, "head": head}
        first = POLICY.format(name="first-look", accepted="true", at_least=0.5, more="", **known)
        (folder / "first.toml").write_text(first)
        shardwall(folder, "clean", "shards", "first", "--policy", "first.toml")
        shardwall(folder, "residual", "first")
        told = shardwall(folder, "evaluate", "first", "labels.csv", "--recall", "0.95", "--out", "stand-in.json")
        at_least, entry = told.partition("at_least ")[2].split()[0], told[told.index("[[calibrations]]") :]
        text = POLICY.format(name="measured", accepted="false", at_least=at_least, more=entry, **known)
        (folder / "policy.toml").write_text(text)
        shardwall(folder, "clean", "shards", "cleaned", "--policy", "policy.toml")
        shardwall(folder, "residual", "cleaned")
        left(folder, "cleaned")
        shardwall(folder, "residual", "cleaned", "--plan", "150")
        answer(folder, "cleaned")
        shardwall(folder, "evaluate", "cleaned", "--sample", "answers.csv")
        shardwall(
            folder, "what-if", "cleaned", "--set", "stand-in at_least=0.9", "--by", "contrast", "--groups", "labels.csv"
        )
        shardwall(folder, "what-if", "cleaned", "--curve", "stand-in")
        shardwall(folder, "bias", "cleaned", "labels.csv", "--by", "contrast")
        write_faint(folder / "shards" / "new-00004.tar")
        shardwall(folder, "clean", "shards", "later", "--policy", "policy.toml")


if __name__ == "__main__":
    main()
