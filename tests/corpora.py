"""Small corpora of drawn shapes for tests: distinct pictures, captions and addresses, and a policy without models."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

LISTED_WORD = "codeword-alpha"
MINOR_WORD = "codeword-young"
ADULT_WORD = "codeword-grown"
LISTED_URL = "http://listed.test/page"


def drawing(seed: int, size: int = 96) -> bytes:
    """Return a JPEG of coloured shapes; another seed gives another picture."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (size, size), tuple(int(c) for c in random.integers(0, 256, 3)))
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        corners = [tuple(int(c) for c in random.integers(0, size, 2)) for _ in range(3)]
        pen.polygon(corners, fill=tuple(int(c) for c in random.integers(0, 256, 3)))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class Given:
    """One sample of a test corpus; `meta` adds to its JSON."""

    key: str
    image: bytes
    caption: str = "a drawing"
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def members(self) -> list[tuple[str, bytes]]:
        """The members as img2dataset names and orders them."""
        text = json.dumps({"key": self.key, "caption": self.caption, **self.meta}).encode()
        return [(f"{self.key}.jpg", self.image), (f"{self.key}.json", text), (f"{self.key}.txt", self.caption.encode())]


def write_tar(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    """Write members in the order given, as USTAR, the same bytes every time."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def write_shard(path: Path, samples: Sequence[Given]) -> None:
    """Write whole samples."""
    write_tar(path, [member for sample in samples for member in sample.members])


def plain_samples(count: int, first: int = 0) -> list[Given]:
    """Return samples that nothing is held against."""
    return [
        Given(
            f"{first + n:09d}",
            drawing(first + n),
            f"drawing number {first + n}",
            {"url": f"http://ok.test/{first + n}"},
        )
        for n in range(count)
    ]


def write_policy(folder: Path, listed: Sequence[bytes] = (), more: str = "") -> Path:
    """Write lists and a policy of URL, digest, perceptual and caption filters; return the policy's path.

    `listed` are image files whose SHA-256 goes on the hash list; `more` is added to the policy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digests = [hashlib.sha256(data).hexdigest() for data in listed] or [hashlib.sha256(b"nothing").hexdigest()]
    (folder / "hashes.csv").write_text("hash\n" + "".join(f"{digest}\n" for digest in digests))
    (folder / "urls.csv").write_text(f"{LISTED_URL}\n")
    words = [(LISTED_WORD, "solicitation"), (MINOR_WORD, "minor"), (ADULT_WORD, "adult")]
    (folder / "terms.csv").write_text("term,category\n" + "".join(f"{word},{kind}\n" for word, kind in words))
    path = folder / "policy.toml"
    path.write_text(POLICY + more)
    return path


POLICY = """
name = "test"

[[lists]]
name = "hashes"
path = "hashes.csv"
kind = "hashes"
category = "csam"
columns = { value = "hash", algorithm = "=sha256" }

[[lists]]
name = "urls"
path = "urls.csv"
kind = "urls"
category = "csam"

[[lists]]
name = "terms"
path = "terms.csv"
kind = "terms"
category = "solicitation"
categories = ["minor", "adult"]
columns = { value = "term", category = "category" }

[[filters]]
name = "urls"

[[filters]]
name = "digests"

[[filters]]
name = "captions"

[[rules]]
name = "listed"
filter = "digests"
mark = "listed"

[[rules]]
name = "listed address"
filter = "urls"
mark = "listed"

[[rules]]
name = "listed word"
filter = "captions"
labels = ["solicitation"]
mark = "listed"

[[rules]]
name = "minor word"
filter = "captions"
labels = ["minor"]
mark = "minor"

[[rules]]
name = "adult word"
filter = "captions"
labels = ["adult"]
mark = "adult"

[[rules]]
name = "unexamined"
filter = "*"
unexamined = true
mark = "unexamined"

[[partitions]]
name = "general"
allows = []

[[partitions]]
name = "minors"
allows = ["minor"]

[[partitions]]
name = "adult"
allows = ["adult"]
"""
