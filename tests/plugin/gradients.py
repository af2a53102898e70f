"""A perceptual hash of 144 bytes, plugged in as a licensed one would be: counts of gradients, compared by L1 distance.

The picture is divided into 6 x 6 cells; of each the sums of brightness gained and lost to the right and downwards are
told. It is made for tests alone, and promises nothing.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CELLS, SIDE, FLAT = 6, 48, 64


class Gradients:
    """What the entry point offers."""

    name = "gradients"
    length = 144
    default_distance = 600.0

    def hash(self, pixels: NDArray[np.uint8]) -> bytes | None:
        """Return the counts of a picture; None of a flat one."""
        grey = np.asarray(Image.fromarray(pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.int32)
        if int(np.ptp(grey)) < FLAT:
            return None
        padded = np.pad(grey, ((0, 1), (0, 1)), mode="edge")
        right, down = np.diff(padded, axis=1)[:SIDE], np.diff(padded, axis=0)[:, :SIDE]
        parts = [np.maximum(part, 0) for part in (right, -right, down, -down)]
        cells = np.stack([part.reshape(CELLS, 8, CELLS, 8).sum(axis=(1, 3)) for part in parts], axis=-1)
        return bytes(np.minimum(cells * 255 // max(1, int(cells.max())), 255).astype(np.uint8))

    def distance(self, query: bytes, entries: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the sum of absolute differences."""
        asked = np.frombuffer(query, dtype=np.uint8).astype(np.int16)
        found: NDArray[np.int64] = np.abs(entries.astype(np.int16) - asked).sum(axis=1, dtype=np.int64)
        return found


HASH = Gradients()
