"""PDQ of a picture in its eight dihedral forms: by a compiled extension where one was built, elsewhere by pdqhash."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def _built() -> Callable[[Pixels], tuple[bytes, int]] | None:
    try:
        from filters._pdq import dihedral as compiled
    except ImportError:  # setup.py goes on without a compiler
        return None
    return compiled


_SIDE = 16  # bits of each direction
# As in _pdq.c: where row * i + column * j is odd (1) or even (0) a coefficient is negated; places of the two forms.
_SIGNS = ((0, 0, 1, 0, 6), (0, 1, 0, 5, 1), (1, 0, 0, 4, 3), (1, 1, 1, 2, 7))
_COMPILED = _built()
EXTENSION = _COMPILED is not None


def dihedral(pixels: Pixels) -> tuple[NDArray[np.uint8], int]:
    """Return the eight PDQ hashes of a picture, and its quality of 0-100.

    Takes RGB of shape (height, width, 3), at its stored size, in any memory order; returns uint8 (8, 32), in the order
    of `pdqhash.compute_dihedral`, most significant byte first as in PDQ's hexadecimal form. A picture with a side under
    5 pixels has hashes of zeros and quality 0.

    Both ways give the same bits on x86-64, whatever the picture. Where compilers round a product and a sum as one, as
    for ARM, pdqhash may differ in coefficients that equal the median but for rounding; the extension does not.
    """
    if _COMPILED is None:
        return slow_dihedral(pixels)
    hashes, quality = _COMPILED(pixels)
    return np.frombuffer(hashes, dtype=np.uint8).reshape(8, 32), quality


def slow_dihedral(pixels: Pixels) -> tuple[NDArray[np.uint8], int]:
    """Return what `dihedral` returns, by pdqhash."""
    import pdqhash

    # It takes any array for one whose rows lie in order, and hashes another picture without a word where they do not.
    hashes, quality = pdqhash.compute_dihedral(np.ascontiguousarray(pixels))
    return np.packbits(np.array(hashes, dtype=np.uint8), axis=1), int(quality)


def turned(hashes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return eight PDQ hashes, (n, 8, 32), in the order of `dihedral`, for each of (n, 32) of upright pictures.

    As if the median of the coefficients were 0, which it nearly is: 7 bits, on average, from those of the picture.
    """
    grids = np.unpackbits(hashes, axis=1)[:, ::-1].reshape(len(hashes), _SIDE, _SIDE)
    row, column = np.indices((_SIDE, _SIDE))
    forms = np.empty((len(hashes), 8, _SIDE, _SIDE), dtype=np.uint8)
    for down, across, odd, upright, transposed in _SIGNS:
        forms[:, upright] = grids ^ ((down * row + across * column) % 2 == odd)
        forms[:, transposed] = forms[:, upright].swapaxes(1, 2)
    return np.packbits(forms.reshape(len(hashes), 8, _SIDE * _SIDE)[:, :, ::-1], axis=2)
