"""How a compiled list is written, for its owner alone: arrays in files, and a record that pins each by its digest."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.listsource import COMPILED
from filters.pins import digest


def write_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Write each array to <name>.npy and return the SHA-256, in hex, by file name; OSError when that fails."""
    for name, content in arrays.items():
        with os.fdopen(_new(folder / f"{name}.npy"), "wb") as file:
            np.save(file, content, allow_pickle=False)
    return {f"{name}.npy": digest(folder / f"{name}.npy") for name in arrays}


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the list.json of a folder; OSError when that fails."""
    with os.fdopen(_new(folder / COMPILED), "w") as file:
        json.dump(record, file, indent=1, sort_keys=True)


def _new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
