"""The compiled loop; filters/_ties.c says what it is."""

from typing import Any

from numpy.typing import NDArray

Buffer = NDArray[Any]

def join(
    rows: Buffer,
    groups: Buffer,
    starts: Buffer,
    parents: Buffer,
    words: int,
    width: int,
    radius: int,
    limit: int,
    /,
) -> None: ...
