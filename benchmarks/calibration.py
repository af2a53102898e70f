"""What does a calibration look like, from labels to a policy that rests on it? The run that docs/calibration.md shows.

A corpus of ordinary photographs and drawn stand-ins, some of them faint; the demonstration's test encoder, whose head
recognises the drawing; labels by how each picture was made. Run: python benchmarks/calibration.py
"""

import csv
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from corpora import photo  # type: ignore[import-not-found]
from PIL import Image

from pipelines.demo.encode import jpeg
from pipelines.demo.head import write_heads
from pipelines.demo.standins import ADULT_STAND_IN, adult_stand_in

ROOT = Path(__file__).parent.parent
SHARDS, SAMPLES = 4, 150
FAINT = 0.8  # how much of a faint stand-in is photograph
POLICY = """
name = "{name}"
uncalibrated = {accepted}

[[filters]]
name = "encoder"
model = "weights/model.json"
checkpoint = "weights/encoder.safetensors"
sha256 = "{encoder}"
heads = [{{ label = "{label}", path = "weights/{label}.safetensors", sha256 = "{head}" }}]

[[rules]]
name = "stand-in"
filter = "encoder"
labels = ["{label}"]
at_least = {at_least}
mark = "adult"

[[rules]]
name = "unexamined"
filter = "*"
unexamined = true
mark = "unexamined"

[[partitions]]
name = "general"

[[partitions]]
name = "adult"
allows = ["adult"]
{more}
"""


def picture(number: int, random: np.random.Generator) -> tuple[bytes, int, str]:
    """Return a picture, whether it shows the stand-in, and its group."""
    ground = Image.open(io.BytesIO(photo(number, 320, 0)))
    group = "faint" if random.random() < 0.4 else "clear"
    if random.random() < 0.55:
        return jpeg(ground), 0, group
    drawn = adult_stand_in(random)
    return jpeg(Image.blend(drawn, ground, FAINT) if group == "faint" else drawn), 1, group


def write_corpus(folder: Path) -> None:
    """Write the shards and their labels; the last sample of the last shard is no picture."""
    random = np.random.default_rng(2_026)
    (folder / "shards").mkdir()
    labels = []
    for shard in range(SHARDS):
        with tarfile.open(folder / "shards" / f"{shard:05d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in range(shard * SAMPLES, (shard + 1) * SAMPLES):
                data, label, group = picture(number, random)
                if number == SHARDS * SAMPLES - 1:
                    data = b"no picture"
                entry = tarfile.TarInfo(f"{number:09d}.jpg")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
                labels.append((f"{shard:05d}", f"{number:09d}", label, group))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("shard", "key", "label", "contrast"), *labels])


def shardwall(folder: Path, *words: str) -> str:
    """Run the command line as a user would, print what it says, and return it."""
    print(f"$ shardwall {' '.join(words)}")
    command = [sys.executable, "-m", "pipelines", *words]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    errors = ran.stderr.partition("Error: ")  # after the progress
    print(ran.stdout + "".join(errors[1:]))
    return ran.stdout


def main() -> None:
    """Print the session."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        write_corpus(folder)
        made = write_heads(folder / "weights")
        digest = {label: sha256 for label, _, sha256 in made.heads}[ADULT_STAND_IN]
        known = {"label": ADULT_STAND_IN, "encoder": made.encoder, "head": digest}
        first = POLICY.format(name="first-look", accepted="true", at_least=0.5, more="", **known)
        (folder / "first.toml").write_text(first)
        shardwall(folder, "clean", "shards", "first", "--policy", "first.toml")
        measured = ("evaluate", "first", "labels.csv", "--by", "contrast")
        shardwall(folder, *measured, "--recall", "0.999")
        told = shardwall(folder, *measured, "--recall", "0.95", "--out", "stand-in.json")
        at_least = told.partition("at_least ")[2].split()[0]
        entry = told[told.index("[[calibrations]]") :]
        for floors in ("[floors]\nmin_group_recall = 0.9\n", "[floors]\nmin_recall = 0.95\nmin_group_n = 100\n"):
            text = POLICY.format(name="measured", accepted="false", at_least=at_least, more=entry + floors, **known)
            (folder / "policy.toml").write_text(text)
            shardwall(folder, "policy", "check", "policy.toml")
        shardwall(folder, "clean", "shards", "cleaned", "--policy", "policy.toml")


if __name__ == "__main__":
    main()
