"""From a picture to the input of an image tower: open_clip's own transform, in a third of its time.

Resized as bytes by torch, which gives the pixels that Pillow gives, to one part of 255 (facts of open_clip 3.3, torch
2.13, Pillow 12.3); the rest is arithmetic in the order of open_clip's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)  # open_clip/constants.py, 3.3.0
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a tower wants its pictures: `size` is (height, width), `crops` says that ends of a long picture are lost.

    `slow` is open_clip's transform, for what is not done here.
    """

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    resize_mode: str
    slow: Callable[[Any], Any] = field(repr=False)

    @property
    def crops(self) -> bool:
        """Whether only the middle of a picture that is not square is seen."""
        return self.resize_mode == "shortest"

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> Any:
        """Return pictures (height, width, 3) as one tensor, float32 (n, 3, *size), normalised."""
        import torch

        square = self.size[0] == self.size[1]
        if self.resize_mode == "longest" or not (square or self.resize_mode == "squash"):
            from PIL import Image

            return torch.stack([self.slow(Image.fromarray(each)) for each in pictures])
        stacked = torch.stack([self._resized(each) for each in pictures]).to(torch.float32).div_(255)
        mean, std = (torch.tensor(each, dtype=torch.float32)[:, None, None] for each in (self.mean, self.std))
        return stacked.sub_(mean).div_(std)

    def _resized(self, picture: NDArray[np.uint8]) -> Any:
        """Return the picture as bytes (3, *size)."""
        import torch

        height, width = picture.shape[:2]
        target = self.size if self.resize_mode == "squash" else _shortest(height, width, self.size[0])
        owned = np.require(picture, requirements=["C", "W"])  # torch takes no array that it could not write to
        shown = torch.from_numpy(owned).permute(2, 0, 1)[None]
        if (height, width) != target:
            mode = self.interpolation
            shown = torch.nn.functional.interpolate(shown, size=target, mode=mode, antialias=True)
        top, left = (round((have - want) / 2.0) for have, want in zip(target, self.size, strict=True))
        return shown[0, :, top : top + self.size[0], left : left + self.size[1]]


def _shortest(height: int, width: int, size: int) -> tuple[int, int]:
    """Return the size whose shorter side is `size`, rounded as torchvision's Resize does."""
    long = int(size * max(height, width) / min(height, width))
    return (long, size) if height > width else (size, long)


def preprocess(image_size: int | Sequence[int], given: Mapping[str, Any], open_clip: Any) -> Preprocess:
    """Return the transform of a model by its image size and what its checkpoint says of the transform."""
    height, width = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    return Preprocess(
        (height, width),
        _three(given.get("mean") or OPENAI_MEAN),
        _three(given.get("std") or OPENAI_STD),
        given.get("interpolation") or "bicubic",
        given.get("resize_mode") or "shortest",
        open_clip.image_transform(image_size, is_train=False, **given),
    )


def _three(values: float | Sequence[float]) -> tuple[float, ...]:
    return (float(values),) * 3 if isinstance(values, int | float) else tuple(float(each) for each in values)
