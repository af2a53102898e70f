"""What is done to pictures on their way into a corpus: each change makes a file, and what its download recorded."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from filters.letterbox import box

Made = tuple[bytes, dict[str, Any]]  # a file, and the fields of its JSON member
Make = Callable[[Image.Image, Image.Image], Made]  # from a picture and another one, for collages
Turn = Image.Transpose
Blend = Callable[[Image.Image], Image.Image]
WHITE, BLACK, GREEN = (255, 255, 255), (0, 0, 0), (30, 110, 80)


def encoded(image: Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    """Return the picture as a file, JPEG of quality 90 unless told otherwise."""
    stream = io.BytesIO()
    image.save(stream, kind, **({"quality": 90} if kind == "JPEG" and not how else how))
    return stream.getvalue()


def simply(change: Blend) -> Make:
    """A change of one picture, stored as JPEG without a record."""
    return lambda image, _: (encoded(change(image)), {})


def as_file(kind: str, mode: str = "RGB", **how: Any) -> Make:
    """A change of format and mode alone."""
    return lambda image, _: (encoded(image.convert(mode), kind, **how), {})


def scaled(image: Image.Image, longer: float) -> Image.Image:
    scale = longer / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC)


def times(factor: float) -> Blend:
    return lambda image: scaled(image, max(image.size) * factor)


def downloaded(recorded: bool, side: int = 256) -> Make:
    """What img2dataset stores by default: resize_mode=border."""

    def make(image: Image.Image, _: Image.Image) -> Made:
        left, top, right, bottom = box(image.size, (side, side))
        square = Image.new("RGB", (side, side), WHITE)
        square.paste(image.resize((right - left, bottom - top), Image.Resampling.BOX), (left, top))
        return encoded(square, quality=95), record(image) if recorded else {}

    return make


def record(image: Image.Image) -> dict[str, Any]:
    return {"original_width": image.width, "original_height": image.height}


def centre_cropped(image: Image.Image, _: Image.Image) -> Made:
    return encoded(ImageOps.fit(image, (256, 256)), quality=95), record(image)


def bordered(colour: tuple[int, int, int], share: float = 0.1) -> Blend:
    return lambda image: ImageOps.expand(image, round(share * min(image.size)), colour)


def one_bar(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (image.width, round(1.12 * image.height)), BLACK)
    canvas.paste(image)
    return canvas


def blurred_bars(image: Image.Image) -> Image.Image:
    """The picture over a blurred copy of it that fills a square, or a portrait where it is square itself."""
    size = (max(image.size),) * 2 if image.width != image.height else (image.width, image.width * 4 // 3)
    canvas = ImageOps.fit(image, size).filter(ImageFilter.GaussianBlur(size[0] / 30))
    canvas.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return canvas


def cut(share: float) -> Blend:
    """Leave out this share of the width and of the height at each edge."""

    def change(image: Image.Image) -> Image.Image:
        across, down = round(image.width * share), round(image.height * share)
        return image.crop((across, down, image.width - across, image.height - down))

    return change


def turned(degrees: float) -> Blend:
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC)


def captioned(image: Image.Image) -> Image.Image:
    high = max(16, image.height // 7)
    canvas = Image.new("RGB", (image.width, image.height + high), WHITE)
    canvas.paste(image, (0, high))
    ImageDraw.Draw(canvas).text((high // 4, high // 4), "codeword-alpha codeword-beta", BLACK, font_size=high // 2)
    return canvas


def written_on(image: Image.Image) -> Image.Image:
    shown, high = image.copy(), max(12, image.height // 12)
    ImageDraw.Draw(shown).text((high, image.height - 2 * high), "codeword-alpha", WHITE, font_size=high)
    return shown


def stickered(image: Image.Image) -> Image.Image:
    """A plain sticker over a tenth of the picture, in a corner."""
    shown, (width, height) = image.copy(), image.size
    at = round(width * (1 - 0.1**0.5)), round(height * (1 - 0.1**0.5))
    ImageDraw.Draw(shown).rectangle((*at, width, height), GREEN)
    return shown


def screenshot(image: Image.Image) -> Image.Image:
    wide, high = round(1.1 * image.width), round(1.5 * image.height)
    canvas = Image.new("RGB", (wide, high), (245, 245, 247))
    pen, line = ImageDraw.Draw(canvas), high // 30
    pen.rectangle((0, 0, wide, 2 * line), (40, 40, 48))
    pen.text((line, line // 2), "12:30 codeword-alpha", WHITE, font_size=line)
    pen.text((line, round(0.16 * high) + image.height + line), "codeword-beta", BLACK, font_size=line)
    canvas.paste(image, ((wide - image.width) // 2, round(0.16 * high)))
    return canvas


def noisy(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(1).normal(0, 12, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def beside(image: Image.Image, other: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (2 * image.width, image.height))
    canvas.paste(image)
    canvas.paste(other.resize(image.size), (image.width, 0))
    return canvas


def sixteen_bits(image: Image.Image, _: Image.Image) -> Made:
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG"), {}


def see_through(image: Image.Image, _: Image.Image) -> Made:
    shown = image.convert("RGBA")
    shown.putalpha(Image.linear_gradient("L").resize(image.size))
    return encoded(shown, "PNG"), {}


# The picture is still whole: resized, encoded, bordered, turned or of another mode.
PLAIN: dict[str, Make] = {
    "none (PNG)": as_file("PNG"),
    "JPEG quality 60": as_file("JPEG", quality=60),
    "JPEG quality 30": as_file("JPEG", quality=30),
    "WebP": as_file("WEBP", quality=75),
    "AVIF": as_file("AVIF", quality=60),
    "GIF": as_file("GIF", "P"),
    "half size": simply(times(0.5)),
    "quarter size": simply(times(0.25)),
    "double size": simply(times(2)),
    "thumbnail of 128": simply(lambda image: scaled(image, 128)),
    "squashed to 224 x 224": simply(lambda image: image.resize((224, 224))),
    "img2dataset border, size recorded": downloaded(True),
    "img2dataset border, no record": downloaded(False),
    "white border": simply(bordered(WHITE)),
    "black border": simply(bordered(BLACK)),
    "coloured border": simply(bordered(GREEN)),
    "one black bar": simply(one_bar),
    "blurred bars": simply(blurred_bars),
    "mirrored": simply(lambda image: image.transpose(Turn.FLIP_LEFT_RIGHT)),
    "upside down": simply(lambda image: image.transpose(Turn.FLIP_TOP_BOTTOM)),
    "turned by 90 degrees": simply(lambda image: image.transpose(Turn.ROTATE_90)),
    "turned by 180 degrees": simply(lambda image: image.transpose(Turn.ROTATE_180)),
    "turned by 270 degrees": simply(lambda image: image.transpose(Turn.ROTATE_270)),
    "transposed": simply(lambda image: image.transpose(Turn.TRANSPOSE)),
    "grey": as_file("JPEG", "L"),
    "palette PNG": as_file("PNG", "P"),
    "CMYK JPEG": as_file("JPEG", "CMYK", quality=90),
    "16-bit PNG": sixteen_bits,
    "transparent PNG": see_through,
}
# It is not, or its colours are not.
OTHER: dict[str, Make] = {
    "inverted": simply(ImageOps.invert),
    "brighter by half": simply(lambda image: ImageEnhance.Brightness(image).enhance(1.5)),
    "darker by half": simply(lambda image: ImageEnhance.Brightness(image).enhance(0.5)),
    "more contrast": simply(lambda image: ImageEnhance.Contrast(image).enhance(1.6)),
    "blurred": simply(lambda image: image.filter(ImageFilter.GaussianBlur(3))),
    "noise": simply(noisy),
    "text on it": simply(written_on),
    "sticker over a tenth": simply(stickered),
    **{f"cropped by {share} % at each edge": simply(cut(share / 100)) for share in (1, 2, 3, 5, 10, 20, 30)},
    "cropped by 4 % at one edge": simply(lambda i: i.crop((0, round(0.04 * i.height), *i.size))),
    "img2dataset center_crop": centre_cropped,
    **{f"rotated by {degrees} degrees": simply(turned(degrees)) for degrees in (1, 2, 5, 10)},
    "caption bar above": simply(captioned),
    "screenshot": simply(screenshot),
    "collage with its mirror image": simply(lambda i: beside(i, i.transpose(Turn.FLIP_LEFT_RIGHT))),
    "collage with another": lambda image, other: (encoded(beside(image, other)), {}),
}
# What python-threatexchange offers against a change.
THEIRS = {
    "black border": "unletterbox",
    "one black bar": "unletterbox",
    "mirrored": "rotations",
    "upside down": "rotations",
    "turned by 90 degrees": "rotations",
    "turned by 180 degrees": "rotations",
    "turned by 270 degrees": "rotations",
    "transposed": "rotations",
}
