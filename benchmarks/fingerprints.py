"""What do the forms that are hashed cost, in processor time and in bytes of evidence?

    .venv/bin/python benchmarks/fingerprints.py

Photographs as in benchmarks/robustness.py, as JPEG. "plain" is what a picture needs at least: three digests, PDQ in its
eight derived forms, and pHash by imagehash, without borders, sizes or parts. Times are the least of several rounds.
"""

import hashlib
import io
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import imagehash
from PIL import Image

from filters.adult import OpenNsfw
from filters.fingerprints import DIGESTS, PART, fingerprints
from filters.luma import EXTENSION
from filters.minors import FacesAndAge
from filters.pdq import dihedral
from filters.rasters import Limits, Rasters, rasters
from filters.sample import Batch, Sample
from manifests.evidence import Evidence, EvidenceWriter
from pipelines.demo.photos import Views

PHOTOS, SHOWN, ROUNDS = 60, 12, 7  # SHOWN to the models, which are slow


def least(work: Callable[[], object]) -> float:
    """Processor seconds of the quickest round."""
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def plain(data: bytes, pictures: Rasters) -> list[object]:
    """What a picture needs at least."""
    found: list[object] = [hashlib.new(kind, data) for kind in DIGESTS]
    for raster in pictures.rasters:
        found += (dihedral(raster.pixels), imagehash.phash(Image.fromarray(raster.pixels)))
    return found


def stored(files: list[bytes], decoded: list[Rasters], parts: bool) -> float:
    """Bytes of evidence for each sample, with parts or without."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.parquet"
        with EvidenceWriter(path, {}) as writer:
            for number, (data, pictures) in enumerate(zip(files, decoded, strict=True)):
                prints = tuple(each for each in fingerprints((data,), {}, pictures) if parts or each.kind != PART)
                writer.write(Evidence("00000.tar", number, f"{number:09}", 0, 512, fingerprints=prints))
        return path.stat().st_size / len(files)


def main() -> None:
    files = []
    for view in islice(Views(7).every(), PHOTOS):
        stream = io.BytesIO()
        view.image.save(stream, "JPEG", quality=90)
        files.append(stream.getvalue())
    decoded = [rasters((data,), {}, Limits()) for data in files]
    few = [Sample("shard", str(number), (data,)) for number, data in enumerate(files[:SHOWN])]
    seconds = {
        "decoding": least(lambda: [rasters((data,), {}, Limits()) for data in files]) / PHOTOS,
        "fingerprints, plain": least(lambda: [plain(*each) for each in zip(files, decoded, strict=True)]) / PHOTOS,
        "fingerprints, all forms": least(
            lambda: [fingerprints((data,), {}, seen) for data, seen in zip(files, decoded, strict=True)]
        )
        / PHOTOS,
    }
    for model in (FacesAndAge(), OpenNsfw()):
        run = model.load()
        seconds[f"filter {model.name}, decoding included"] = least(lambda run=run: run(Batch(few))) / SHOWN  # type: ignore[misc]
    print(f"{PHOTOS} photographs, extensions {'built' if EXTENSION else 'missing'}")
    for name, value in seconds.items():
        print(f"{name:38}{1e3 * value:8.2f} ms")
    print(f"{'all forms to plain':38}{seconds['fingerprints, all forms'] / seconds['fingerprints, plain']:8.2f}")
    prints = [len(fingerprints((data,), {}, seen)) for data, seen in zip(files, decoded, strict=True)]
    print(f"{'fingerprints of a sample':38}{sum(prints) / PHOTOS:8.1f}")
    print(f"{'evidence of a sample':38}{stored(files, decoded, True):8.0f} bytes")
    print(f"{'evidence of a sample without parts':38}{stored(files, decoded, False):8.0f} bytes")


if __name__ == "__main__":
    main()
