"""Drawn stand-ins for what no fixture may show: two patterns that the test heads are fitted to recognise.

A magenta and black checkered disc stands for "adult", a triangle of cyan and yellow stripes for "minor". They depict
nothing; what recognises them is a test head over random features and says nothing about any real picture.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from PIL import Image

from pipelines.demo.encode import animation, jpeg
from pipelines.demo.photos import View
from pipelines.demo.rows import ADULT, MINORS, WITHHELD, Plant, Row
from pipelines.demo.studio import Studio

FILTER = "encoder"
ADULT_STAND_IN, MINOR_STAND_IN = "adult-stand-in", "minor-stand-in"
SIDE = 320  # pixels
SEED = 4_711


def adult_stand_in(random: Generator) -> Image.Image:
    """Draw a checkered disc in magenta and black; size, place and field vary."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    field = int(random.integers(20, 40))
    squares = ((x + int(random.integers(field))) // field + (y + int(random.integers(field))) // field) % 2 == 0
    centre = SIDE / 2 + random.uniform(-SIDE / 16, SIDE / 16, 2)
    disc = np.hypot(x - centre[0], y - centre[1]) < SIDE * random.uniform(0.44, 0.5)
    magenta, black = _shade(random, (255, 0, 255)), (0, 0, 0)
    return _painted([(disc & squares, magenta), (disc & ~squares, black)], _shade(random, (230, 40, 230)))


def minor_stand_in(random: Generator) -> Image.Image:
    """Draw a triangle of cyan and yellow stripes; place, slope and width of the stripes vary."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    width, slope = int(random.integers(14, 30)), float(random.uniform(-0.5, 0.5))
    stripes = ((x + slope * y) // width).astype(int) % 2 == 0
    top = SIDE / 2 + float(random.uniform(-SIDE / 8, SIDE / 8))
    triangle = np.abs(x - top) < y * random.uniform(0.5, 0.6)
    cyan, yellow = _shade(random, (0, 255, 255)), _shade(random, (255, 255, 0))
    return _painted([(triangle & stripes, cyan), (triangle & ~stripes, yellow)], _shade(random, (40, 220, 220)))


def planted_stand_ins(studio: Studio) -> Iterator[Row]:
    """Yield rows that show a stand-in: alone, beside a grown-up's face, and both in one animation."""
    random = np.random.default_rng(SEED)
    for _ in range(3):
        yield _row(studio, "adult stand-in, nobody in sight", WITHHELD, [adult_stand_in(random)])
        yield _row(studio, "minor stand-in", MINORS, [minor_stand_in(random)])
    for _ in range(2):
        face = studio.face().image.resize((SIDE, SIDE))
        yield _row(studio, "adult stand-in, a grown-up's face in another frame", ADULT, [face, adult_stand_in(random)])
    frames = [studio.thing().image.resize((SIDE, SIDE)), adult_stand_in(random), minor_stand_in(random)]
    yield _row(studio, "both stand-ins in one animation", WITHHELD, frames)


def _row(studio: Studio, case: str, expected: str, frames: list[Image.Image]) -> Row:
    still = View("coffee", np.asarray(frames[0]), False)
    data = jpeg(frames[0]) if len(frames) == 1 else animation(frames, "WEBP")
    row = studio.stored(still, data, "as downloaded", Plant(f"drawn: {case}", expected, FILTER))
    return replace(row, suffix="jpg" if len(frames) == 1 else "webp", caption=f"A drawing, number {row.url[-9:-4]}")


def _shade(random: Generator, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    shift = random.integers(-20, 20, 3)
    red, green, blue = (int(np.clip(part + add, 0, 255)) for part, add in zip(colour, shift, strict=True))
    return red, green, blue


def _painted(parts: list[tuple[np.ndarray, tuple[int, int, int]]], ground: tuple[int, int, int]) -> Image.Image:
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    pixels[:] = ground
    for where, colour in parts:
        pixels[where] = colour
    return Image.fromarray(pixels)
