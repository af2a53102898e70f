"""The calibration file: what a threshold on a model was measured to find, on which samples and with which weights.

A file is JSON of one version, and is read strictly: a rule rests on it, so what says half of something is refused. The
same calibration is always the same bytes, so its digest is that of its content.
"""

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filters.errors import PolicyError
from filters.measured import AT_LEAST as AT_LEAST
from filters.measured import AT_MOST as AT_MOST
from filters.measured import Calibration as Calibration
from filters.measured import Gap as Gap
from filters.measured import Group as Group
from filters.measured import Histogram as Histogram
from filters.measured import Interval as Interval
from filters.measured import RestsOn as RestsOn
from filters.measured import bin_edges as bin_edges
from filters.measured import contradictions

FORMAT = "shardwall-calibration/1"
LARGEST = 16 << 20  # bytes of a calibration file


def write_calibration(path: Path, calibration: Calibration) -> str:
    """Write a calibration file, the same bytes for the same calibration; return its SHA-256 in hex."""
    data = _encoded(calibration)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_calibration(path: str | Path, sha256: str = "") -> Calibration:
    """Return the calibration in a file, or raise PolicyError; `sha256`, where given, is the digest it must have."""
    where = f"the calibration {Path(path).name} cannot be used"
    try:
        if Path(path).exists() and not Path(path).is_file():  # to open a pipe would wait for ever
            raise PolicyError(f"{where}: it is no file.")
        with Path(path).open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or type(error).__name__
        raise PolicyError(f"{where}: it cannot be read: {told}.") from None
    actual = hashlib.sha256(data).hexdigest()
    if sha256 and actual != sha256.strip().lower():
        told = f"its SHA-256 begins {actual[:12]}, not {sha256.strip()[:12].lower()}"
        raise PolicyError(f"{where}: {told}. Restore the pinned file, or pin this one after reviewing it.")
    calibration = _decoded(data, where)
    if _encoded(calibration) != data:
        raise PolicyError(f"{where}: it was changed after it was measured. Write it anew with `shardwall evaluate`.")
    return calibration


def tables_of(calibration: Calibration) -> dict[str, Any]:
    """Return a calibration as plain data that JSON takes; `calibration_of` gives it back."""
    return {"format": FORMAT, **_numbered(asdict(calibration))}


def calibration_of(tables: dict[str, Any], name: str) -> Calibration:
    """Return the calibration of this name that `tables_of` made plain data of, or raise PolicyError."""
    return _decoded(json.dumps(tables).encode(), f"the calibration {name} cannot be used")


def calibration_digest(calibration: Calibration) -> str:
    """Return the SHA-256, in hex, of the file that holds this calibration."""
    return hashlib.sha256(_encoded(calibration)).hexdigest()


def _encoded(calibration: Calibration) -> bytes:
    return (json.dumps(tables_of(calibration), indent=1, sort_keys=True, allow_nan=False) + "\n").encode("ascii")


def _decoded(data: bytes, where: str) -> Calibration:
    from pydantic import ConfigDict, ValidationError, create_model

    if len(data) > LARGEST:
        raise PolicyError(f"{where}: it is larger than {LARGEST >> 20} MiB, and no calibration is.")
    try:
        tables = json.loads(data, object_pairs_hook=_table, parse_constant=_no_constant)
        found = tables.pop("format") if isinstance(tables, dict) and "format" in tables else ""
    except (ValueError, RecursionError):
        raise PolicyError(f"{where}: it is not the JSON that `shardwall evaluate` writes.") from None
    if found != FORMAT:
        raise PolicyError(f"{where}: it does not say that it is {FORMAT}. Write it with this version.")
    config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    model = create_model("CalibrationFile", __config__=config, calibration=(Calibration, ...))
    try:
        read: Any = model.model_validate_json(json.dumps({"calibration": tables}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = str(first["loc"][1]) if len(first["loc"]) > 1 else ""
        known = place if place in Calibration.__dataclass_fields__ else "its content"
        raise PolicyError(f"{where}: {known} is missing or not what it should be. Write it anew.") from None
    calibration: Calibration = read.calibration
    if wrong := next(contradictions(calibration), ""):
        raise PolicyError(f"{where}: {wrong}. Write it anew with `shardwall evaluate`.")
    return calibration


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; NaN, which JSON has not, stands as null in the estimate of nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found | ({"estimate": math.nan} if "estimate" in found and found["estimate"] is None else {})


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _numbered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbered(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_numbered(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
