"""From a decoded picture of any mode to RGB, in every way in which a reader may come to see it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

Pixels = NDArray[np.uint8]

_DEEP = ("I", "F")  # and I;16 in its byte orders: one channel of more than eight bits
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def renderings(image: Image.Image) -> Iterator[tuple[str, Pixels]]:
    """Yield a loaded picture as uint8 (height, width, 3) RGB, upright, with a name for each but the plain one.

    A picture with transparency has up to three: its colours with alpha left out, which is what `convert("RGB")` in a
    training loop sees, and what shows on white and on black. One of more than eight bits has two: scaled, and clipped
    as `convert("RGB")` does it. Renderings that do not differ are yielded once.
    """
    turn = _turn(image)
    upright = image if turn is None else image.transpose(turn)
    seen: list[Pixels] = []
    for name, pixels in _all(upright):
        if not any(np.array_equal(pixels, other) for other in seen):
            seen.append(pixels)
            yield name, pixels


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - a broken EXIF block leaves the picture as it is stored
        return None


def _all(image: Image.Image) -> Iterator[tuple[str, Pixels]]:
    if image.mode in _DEEP or image.mode.startswith("I;16"):
        yield from _deep(np.asarray(image))
    elif image.has_transparency_data:
        yield from _see_through(image.convert("RGBA"))
    else:
        yield "", np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _see_through(image: Image.Image) -> Iterator[tuple[str, Pixels]]:
    colours, alpha = image.convert("RGB"), image.getchannel("A")
    yield "", np.asarray(colours)
    if alpha.getextrema() != (255, 255):
        for name, ground in (("on white", (255, 255, 255)), ("on black", (0, 0, 0))):
            canvas = Image.new("RGB", image.size, ground)
            canvas.paste(colours, mask=alpha)
            yield name, np.asarray(canvas)


def _deep(values: NDArray[np.generic]) -> Iterator[tuple[str, Pixels]]:
    numbers = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    # Sixteen bits have a full scale; integers of 32 bits and floats have none but their own range.
    low, high = (0.0, 65535.0) if values.dtype.itemsize == 2 else (float(numbers.min()), float(numbers.max()))
    yield "", _grey((numbers - low) * (255.0 / ((high - low) or 1.0)))
    clipped = _grey(numbers)
    if clipped.min() != clipped.max():
        yield "clipped", clipped


def _grey(values: NDArray[np.float64]) -> Pixels:
    return np.repeat(np.clip(np.rint(values), 0, 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)
