"""What a hash on a list must look like before anything is compared with it."""

import hashlib
import re
from functools import lru_cache

from filters.fingerprints import DIGESTS, PERCEPTUAL

BYTES = {**DIGESTS, **PERCEPTUAL}  # algorithm -> bytes
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
    return re.sub("[-_ ]", "", named).lower()


def wrong_hash(kind: str, value: str) -> str:
    """Return what is wrong with a value of this kind, as a phrase; empty when it can be matched."""
    if not kind:
        return "whose length does not tell the algorithm: name it in `columns`"
    if kind not in BYTES:
        return f"of an algorithm that is not one of {', '.join(BYTES)}"
    if not re.fullmatch(f"[0-9A-Fa-f]{{{2 * BYTES[kind]}}}", value):
        return f"that are not {2 * BYTES[kind]} hex digits of {kind}"
    raw = bytes.fromhex(value)
    if raw in _EMPTY_FILE:
        return "with the digest of an empty file"
    low, high = (share * 8 * len(raw) for share in _SET_BITS)
    if kind in PERCEPTUAL and not low <= int.from_bytes(raw).bit_count() <= high:
        return "with the hash of a flat picture, or a placeholder"
    if kind != "phash" and len(set(raw)) < _MIN_DIFFERENT_BYTES:
        return "with a placeholder for a hash"
    return ""
