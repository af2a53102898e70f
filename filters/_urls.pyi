"""The compiled loop; filters/_urls.c says what it is."""

from typing import Any

from numpy.typing import NDArray

Buffer = NDArray[Any]
Table = tuple[Buffer, Buffer, Buffer]

def unlisted(texts: tuple[str, ...], groups: tuple[tuple[bytes, bool, tuple[Table, ...]], ...], /) -> bytes: ...
def hashes(text: str, key: bytes, digests: bool, /) -> bytes | None: ...
