"""The compiled loops; filters/_hamming.c says what they are."""

from typing import Any

from numpy.typing import NDArray

Buffer = NDArray[Any]

def search(
    queries: Buffer,
    rows: Buffer,
    cells: Buffer,
    slots: Buffer,
    more: Buffer,
    bands: Buffer,
    labels: Buffer,
    best: Buffer,
    words: int,
    limit: int,
    label_count: int,
    /,
) -> bytes: ...
def table(
    rows: Buffer,
    words: int,
    band: tuple[int, int],
    cells: Buffer,
    slots: Buffer,
    more: Buffer,
    first_slot: int,
    first_more: int,
    /,
) -> tuple[int, int]: ...
