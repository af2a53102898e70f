"""Ordinary photographs that installed packages ship, and many distinct views of them.

Nothing is downloaded: scikit-image, scikit-learn and matplotlib carry the files (requirements/demo.txt).
"""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

APART_BITS = 92  # of 256: the least PDQ distance between two views, three times the limit of a match
LEAST_QUALITY = 60  # of 100: below 50, PDQ says nothing
HASHED_SIDE = 128  # pixels of the shorter side, about; PDQ itself looks at 64 x 64
TRIES = 60  # crops tried before a photograph counts as used up
LONGEST_ORIGINAL = 760  # pixels of the longer side
RATIOS = (1.0, 4 / 3, 3 / 2, 16 / 9, 3 / 4)  # width to height

# name: (package, file, what a caption may call it, whether people can be seen)
PHOTOS: dict[str, tuple[str, str, str, bool]] = {
    "astronaut": ("skimage", "data/astronaut.png", "an astronaut in an orange suit", True),
    "brick": ("skimage", "data/brick.png", "a brick wall", False),
    "camera": ("skimage", "data/camera.png", "a man with a film camera on a lawn", True),
    "chelsea": ("skimage", "data/chelsea.png", "a tabby cat", False),
    "china": ("sklearn", "datasets/images/china.jpg", "a pavilion above a lake", False),
    "coffee": ("skimage", "data/coffee.png", "a cup of coffee on a wooden table", False),
    "coins": ("skimage", "data/coins.png", "old coins in a tray", False),
    "flower": ("sklearn", "datasets/images/flower.jpg", "an orange dahlia", False),
    "grass": ("skimage", "data/grass.png", "dry grass", False),
    "gravel": ("skimage", "data/gravel.png", "gravel on a path", False),
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "a naval officer in uniform", True),
    "hubble": ("skimage", "data/hubble_deep_field.jpg", "galaxies in deep space", False),
    "ihc": ("skimage", "data/ihc.png", "stained tissue under a microscope", False),
    "moon": ("skimage", "data/moon.png", "craters on the moon", False),
    "motorcycle": ("skimage", "data/motorcycle_left.png", "a red motorcycle in a garage", False),
    "page": ("skimage", "data/page.png", "a page of a printed book", False),
    "retina": ("skimage", "data/retina.jpg", "the back of an eye", False),
    "rocket": ("skimage", "data/rocket.jpg", "a rocket on its launch pad", False),
}

# Where the face is: left, top, right, bottom, as shares of the photograph.
FACES = {"astronaut": (0.34, 0.10, 0.54, 0.42), "hopper": (0.34, 0.12, 0.66, 0.48)}
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class View:
    """A crop of a photograph: uint8 (height, width, 3), RGB; `people` says whether the photograph shows any."""

    photo: str
    pixels: NDArray[np.uint8] = field(repr=False)
    people: bool

    @property
    def subject(self) -> str:
        """What a caption may call it."""
        return PHOTOS[self.photo][2]

    @property
    def image(self) -> Image.Image:
        """The view as a Pillow image."""
        return Image.fromarray(self.pixels)


def load(name: str) -> Image.Image:
    """Return a whole photograph in RGB, from the package that ships it."""
    package, file, _, _ = PHOTOS[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"The demonstration corpus cannot be written because {package}, which ships some of its photographs, "
            "is not installed. Install the demo requirements."
        )
    with Image.open(Path(spec.origin).parent / file) as image:
        return image.convert("RGB")


def hashes(image: Image.Image) -> tuple[NDArray[np.bool_], int]:
    """Return the PDQ hashes of the 8 dihedral forms, bool (8, 256), and the quality 0-100."""
    import pdqhash

    small = image.reduce(max(1, min(image.size) // HASHED_SIDE))
    forms, quality = pdqhash.compute_dihedral(np.asarray(small))
    return np.asarray(forms, dtype=bool), int(quality)


class Views:
    """A supply of views, no two of which PDQ could take for each other in any of the 8 dihedral forms.

    The same seed gives the same views in the same order.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._taken: list[NDArray[np.bool_]] = []
        self._photos: dict[str, Image.Image] = {}

    def take(self, name: str, around: Box | None = None) -> View | None:
        """Return the next view of a photograph, or None when no further one is distinct enough.

        `around` is a part of the photograph, in shares of it, that the view must show.
        """
        if name not in self._photos:
            self._photos[name] = load(name)
        for _ in range(TRIES):
            image = self._crop(self._photos[name], around)
            if image is None:
                continue
            if self._is_new(image):
                return View(name, np.asarray(image), PHOTOS[name][3])
        return None

    def every(self, names: Sequence[str] = tuple(PHOTOS)) -> Iterator[View]:
        """Yield views of these photographs in turn, as long as any of them has a distinct one."""
        left = list(names)
        while left:
            for name in tuple(left):
                view = self.take(name)
                if view is None:
                    left.remove(name)
                else:
                    yield view

    def _crop(self, photo: Image.Image, around: Box | None) -> Image.Image | None:
        width, height = photo.size
        share = self._random.uniform(0.4, 0.95)
        ratio = float(self._random.choice(RATIOS))
        high = min(share * height, share * width / ratio)
        wide = high * ratio
        left, top = self._random.uniform(0, width - wide), self._random.uniform(0, height - high)
        short = int(self._random.integers(256, 512))
        box = left, top, left + wide, top + high
        if around and not _inside((around[0] * width, around[1] * height, around[2] * width, around[3] * height), box):
            return None
        scale = min(short / min(wide, high), LONGEST_ORIGINAL / max(wide, high))
        size = round(wide * scale), round(high * scale)
        return photo.resize(size, Image.Resampling.BILINEAR, box, reducing_gap=2.0)

    def _is_new(self, image: Image.Image) -> bool:
        forms, quality = hashes(image)
        if quality < LEAST_QUALITY:
            return False
        if self._taken:
            distances = (np.stack(self._taken)[:, None, :] != forms[None, :, :]).sum(axis=2)
            if int(distances.min()) < APART_BITS:
                return False
        self._taken.append(forms[0])
        return True


def _inside(inner: Box, outer: Box) -> bool:
    return all(low <= at for low, at in zip(outer[:2], inner[:2], strict=True)) and all(
        high >= at for high, at in zip(outer[2:], inner[2:], strict=True)
    )
