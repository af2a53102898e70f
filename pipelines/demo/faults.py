"""Planted faults: files that cannot be seen, members that cannot be trusted, samples that cannot be told apart.

None of them may reach a partition, whatever else is true of them: what nobody could examine is never clean.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from pipelines.demo.encode import animation, jpeg, png
from pipelines.demo.rows import WITHHELD, Plant, Row
from pipelines.demo.studio import Studio

MARK = "unexamined"
TOO_MANY_FRAMES = 65  # one more than the limit of every shipped policy
BOMB_SIDE = 60_000  # pixels: 3.6 billion in a file of 100 bytes

Spoil = Callable[[bytes], bytes]


def _page(image: bytes) -> bytes:
    return b"<!doctype html><title>404</title><p>Not found</p>"


def _noise(image: bytes) -> bytes:
    return image[:2] + np.random.default_rng(len(image)).bytes(len(image) // 4)


def _truncated(image: bytes) -> bytes:
    return image[: len(image) * 6 // 10]


def _empty(image: bytes) -> bytes:
    return b""


def _drawing(image: bytes) -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>'


def _bomb(image: bytes) -> bytes:
    header = BOMB_SIDE.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])  # 1 bit grey
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(64))) + _chunk(b"IEND")


SPOILT: tuple[tuple[str, Spoil], ...] = (
    ("an error page", _page),
    ("noise after a JPEG's first bytes", _noise),
    ("cut off at 60 %", _truncated),
    ("empty file", _empty),
    ("an SVG", _drawing),
    ("3.6 billion pixels by its header", _bomb),
)


def planted_faults(studio: Studio) -> Iterator[Row]:
    """Yield one row for each fault that a single sample can have."""
    yield from _images(studio)
    yield from _metadata(studio)
    row = _faulty(studio, "member of an unknown kind (.npy)")
    yield replace(row, more=(("npy", b"\x93NUMPY\x01\x00"),))
    yield replace(_faulty(studio, "image member is a symbolic link"), links=("jpg",))
    yield replace(_faulty(studio, "no image member"), suffix="")
    row = _faulty(studio, "same member twice")
    yield replace(row, more=(("jpg", jpeg(studio.thing().image)), ("json", b"{}"), ("txt", b"")))


def planted_groups(studio: Studio) -> Iterator[Row]:
    """Yield rows whose members or keys run into each other: two samples of one key, and two that interleave."""
    case = "two samples with the same key"
    yield _faulty(studio, case)
    yield replace(_faulty(studio, case), again=True)
    for _ in range(2):
        yield replace(_faulty(studio, "members interleaved with those of another key"), split=True)


def _images(studio: Studio) -> Iterator[Row]:
    for case, spoil in SPOILT:
        row = _faulty(studio, f"image: {case}")
        yield replace(row, image=spoil(row.image))
    row = _faulty(studio, "image: PNG with a damaged chunk")
    picture = bytearray(png(studio.thing().image))
    picture[len(picture) // 2] ^= 0xFF
    yield replace(row, image=bytes(picture), suffix="png")
    still = studio.thing().image.resize((96, 64))
    frames = [still.crop((number % 8, 0, 88 + number % 8, 64)).rotate(number) for number in range(TOO_MANY_FRAMES)]
    row = _faulty(studio, f"image: GIF of {TOO_MANY_FRAMES} frames")
    yield replace(row, image=animation(frames), suffix="gif")


def _metadata(studio: Studio) -> Iterator[Row]:
    row = _faulty(studio, "text that is not UTF-8")
    yield replace(row, text=row.caption.encode() + b" caf\xe9")
    plain = {"url": row.url, "caption": row.caption}
    for case, meta in (
        ("duplicate keys", b'{"url": "https://example.com/1.jpg", "url": "https://example.com/2.jpg"}'),
        ("NaN", json.dumps({**plain, "similarity": float("nan")}).encode()),
        ("cut off", json.dumps(plain).encode()[:-9]),
        ("not an object", b"[]"),
        ("nested 100,000 deep", b"[" * 100_000),
    ):
        yield replace(_faulty(studio, f"JSON: {case}"), meta=meta)


def _faulty(studio: Studio, case: str) -> Row:
    return studio.row(studio.thing(), "keep ratio", Plant(f"fault: {case}", WITHHELD, MARK))


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
