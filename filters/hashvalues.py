"""What a hash on a list must look like before anything is compared with it."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from filters.fingerprints import DIGESTS, PERCEPTUAL
from filters.hashplugins import PHOTODNA, length_of

BYTES = {**DIGESTS, **PERCEPTUAL}  # algorithm -> bytes
LICENSED = frozenset({PHOTODNA})  # on many a list, and matched where a package plugs it in
_OTHER_NAMES = {"pdna": PHOTODNA}  # NCMEC's element
_TOLD_BY_LENGTH = {32: "md5", 40: "sha1"}  # hex digits
_EMPTY_FILE = {hashlib.new(kind, b"", usedforsecurity=False).digest() for kind in DIGESTS}
# A random digest of 16 bytes has fewer than 5 different ones once in 5e20; "00...", "ff..." and "deadbeef..." have. The
# PDQ of 41 photographs and icons shipped with scikit-image, scikit-learn and matplotlib have 20 to 32, a chessboard 8.
_MIN_DIFFERENT_BYTES = 5
# PDQ and pHash cut at the median, so a picture sets half the bits: 128 of 256 in all 41, 17 (chessboard) to 32 of 64.
# An entry beyond these shares is a flat picture's or a placeholder, and near to every flat picture.
_SET_BITS = (0.25, 0.75)


def algorithm(named: str, value: str) -> str:
    """Return the fingerprint kind that a list means by a name, else by a value's length; empty when neither tells."""
    return _plain(named) or _TOLD_BY_LENGTH.get(len(value), "")


@lru_cache
def _plain(named: str) -> str:
    plain = re.sub("[-_ ]", "", named).lower()
    return _OTHER_NAMES.get(plain, plain)


class Lengths(Mapping[str, int]):
    """The bytes of a value by kind: of Shardwall's own hashes, and of each that is plugged in when it is asked for.

    A plug-in that no list and no policy names is never loaded.
    """

    def __init__(self) -> None:
        self._known: dict[str, int | None] = dict(BYTES)

    def __getitem__(self, kind: str) -> int:
        """Return the bytes of this kind; KeyError when nothing here can match it."""
        if kind not in self._known:
            self._known[kind] = length_of(kind)
        length = self._known[kind]
        if length is None:
            raise KeyError
        return length

    def __iter__(self) -> Iterator[str]:
        """Yield the kinds that were found so far."""
        return (kind for kind, length in self._known.items() if length is not None)

    def __len__(self) -> int:
        """Return how many these are."""
        return sum(1 for _ in self)


def as_hex(kind: str, value: str, length: int) -> str:
    """Return a value of a plugged-in kind in hex digits, whichever of its usual spellings it has, else as it stands.

    These are hex digits, base64, and the bytes as decimal numbers between commas.
    """
    if kind in BYTES or len(value) == 2 * length:
        return value
    numbers = value.split(",")
    if len(numbers) == length and all(re.fullmatch("[0-9]{1,3}", each.strip(), re.ASCII) for each in numbers):
        bytes_ = [int(each) for each in numbers]
        return bytes(bytes_).hex() if max(bytes_) < 256 else value
    try:
        return base64.b64decode(value, validate=True).hex()
    except (ValueError, binascii.Error):
        return value


def wrong_hash(kind: str, value: str, lengths: Mapping[str, int]) -> str:
    """Return what is wrong with a value of this kind, as a phrase; empty when it can be matched."""
    if not kind:
        return "whose length does not tell the algorithm: name it in `columns`"
    if kind not in lengths:
        return f"of an algorithm that is not one of {', '.join(lengths)}"
    if not re.fullmatch(f"[0-9A-Fa-f]{{{2 * lengths[kind]}}}", value):
        written = f"{2 * lengths[kind]} hex digits" if kind in BYTES else f"{lengths[kind]} bytes"
        return f"that are not {written} of {kind}"
    raw = bytes.fromhex(value)
    if raw in _EMPTY_FILE:
        return "with the digest of an empty file"
    low, high = (share * 8 * len(raw) for share in _SET_BITS)
    if kind in PERCEPTUAL and not low <= int.from_bytes(raw).bit_count() <= high:
        return "with the hash of a flat picture, or a placeholder"
    if kind != "phash" and len(set(raw)) < _MIN_DIFFERENT_BYTES:
        return "with a placeholder for a hash"
    return ""
