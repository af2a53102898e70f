"""Small corpora laid out as img2dataset 1.47 leaves them, and where each of their samples belongs."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests.corpora import ADULT_WORD, LISTED_URL, LISTED_WORD, MINOR_WORD, drawing

ENCODERS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
PLACES = {"g": "general", "m": "minors"}  # whoever is not named here is withheld


@dataclass(frozen=True, slots=True)
class Drawn:
    """One sample of a corpus, the partition where it belongs, and its row in the Parquet file beside its shard."""

    key: str
    shard: str
    place: str
    image: bytes = field(repr=False)
    row: dict[str, str | int | None] = field(repr=False)
    suffix: str

    @property
    def caption(self) -> str:
        """The text of the sample."""
        return str(self.row["caption"])

    @property
    def members(self) -> dict[str, bytes]:
        """The members of the sample by suffix, in the order in which webdataset writes them."""
        text = json.dumps(self.row, indent=4).encode()
        return dict(sorted({self.suffix: self.image, "json": text, "txt": self.caption.encode()}.items()))


def drawn(shard: str, index: int, fate: str, suffix: str) -> Drawn:
    """Return a sample that a policy of `write_policy` keeps in general ("g"), in minors ("m"), or withholds."""
    stream = io.BytesIO()
    number = 100 * int(shard) + index
    Image.open(io.BytesIO(drawing(number))).save(stream, ENCODERS[suffix])
    image, key = stream.getvalue(), f"{shard}{index:04d}"
    words = {"g": "plain", "m": MINOR_WORD, "w": LISTED_WORD, "b": f"{MINOR_WORD} {ADULT_WORD}", "u": "plain"}
    row: dict[str, str | int | None] = {
        "url": LISTED_URL if fate == "u" else f"http://ok.test/{key}.{suffix}",
        "caption": f"{words[fate]} drawing {number}",
        "key": key,
        "status": "success",
        "error_message": None,
        "width": 96,
        "height": 96,
        "original_width": 96,
        "original_height": 96,
        "exif": "{}",
        "sha256": hashlib.sha256(image).hexdigest(),
    }
    return Drawn(key, shard, PLACES.get(fate, "withheld"), image, row, suffix)


def write_corpus(folder: Path, suffix: str, shapes: Sequence[str]) -> list[Drawn]:
    """Write a shard for each shape, a letter for each sample as `drawn` takes it, and return the samples in order.

    The tars have PAX headers, as webdataset writes them for img2dataset. Each shard has a download more that failed: it
    has a row and counts, but is no sample.
    """
    folder.mkdir(parents=True)
    samples = []
    for number, shape in enumerate(shapes):
        shard = f"{number:05d}"
        here = [drawn(shard, index, fate, suffix) for index, fate in enumerate(shape)]
        _write_tar(folder / f"{shard}.tar", here)
        _write_sidecars(folder, shard, here)
        samples += here
    return samples


def _write_tar(path: Path, samples: Sequence[Drawn]) -> None:
    from webdataset.writer import TarWriter

    with path.open("wb") as file:
        writer = TarWriter(file, encoder=False)
        for sample in samples:
            writer.write({"__key__": sample.key, **sample.members})
        writer.close()


def _write_sidecars(folder: Path, shard: str, samples: Sequence[Drawn]) -> None:
    key = f"{shard}{len(samples):04d}"
    failed = {"url": f"http://gone.test/{key}", "key": key, "status": "failed_to_download", "error_message": "404"}
    rows = [*(sample.row for sample in samples), {**dict.fromkeys(samples[0].row), **failed}]
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{shard}.parquet")
    counts = {"count": len(rows), "successes": len(samples), "failed_to_download": 1, "failed_to_resize": 0}
    times = {"duration": 1.5, "start_time": 1_700_000_000.25, "end_time": 1_700_000_001.75}
    status = {"success": len(samples), "404": 1}
    (folder / f"{shard}_stats.json").write_text(json.dumps({**counts, **times, "status_dict": status}, indent=4))
