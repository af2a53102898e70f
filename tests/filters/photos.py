"""Ordinary photographs that installed packages ship, drawn pictures, and batches that show them to a filter."""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.rasters import Raster, Rasters
from filters.sample import Batch, Sample

Pixels = NDArray[np.uint8]

# Adults with a face in plain view, then things.
ASTRONAUT = ("scikit-image", "skimage/data/astronaut.png")
HOPPER = ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg")
COFFEE = ("scikit-image", "skimage/data/coffee.png")
ROCKET = ("scikit-image", "skimage/data/rocket.jpg")
CAT = ("scikit-image", "skimage/data/chelsea.png")
CHINA = ("scikit-learn", "sklearn/datasets/images/china.jpg")
FLOWER = ("scikit-learn", "sklearn/datasets/images/flower.jpg")
EVERY = (ASTRONAUT, HOPPER, COFFEE, ROCKET, CAT, CHINA, FLOWER)


def file(photo: tuple[str, str]) -> Path:
    """Where a package keeps a photograph."""
    return Path(str(distribution(photo[0]).locate_file(photo[1])))


def pixels(photo: tuple[str, str], scale: float = 1.0) -> Pixels:
    """The photograph, as (height, width, 3)."""
    with Image.open(file(photo)) as opened:
        image = opened.convert("RGB")
    size = (round(image.width * scale), round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS) if scale != 1.0 else image)


def plain(height: int, width: int, colour: tuple[int, int, int] = (90, 120, 150)) -> Pixels:
    """A picture of one colour."""
    return np.full((height, width, 3), colour, dtype=np.uint8)


def showing(*samples: Rasters | Pixels) -> Batch:
    """A batch of samples that carry these pictures, decoded already."""
    batch = Batch([Sample("shard.tar", f"{number:04}") for number in range(len(samples))])
    for view, shown in zip(batch._views, samples, strict=True):
        rasters = shown if isinstance(shown, Rasters) else Rasters((Raster(shown, "as stored"),))
        view.__dict__["rasters"] = rasters  # where the cached property keeps it
    return batch
