import numpy as np
from numpy.typing import NDArray

def dihedral(pixels: NDArray[np.uint8], /) -> tuple[bytes, int]: ...
