"""Names of members: what trainers make of them, and which are not safe to pass on."""

import hashlib
import re
import unicodedata

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, bytes that are not UTF-8, line separators
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_META = re.compile(r"__[^/]*__($|/)")


def split(name: str) -> tuple[str, str] | None:
    """Return key and suffix of a member's name, or None where trainers see no sample in it.

    Equal, for a name of one line, to `^((?:.*/|)[^.]+)[.]([^/]*)$` (webdataset 1.0.2, tariterators.base_plus_ext);
    written without that expression, whose time grows with the square of the name's length.
    """
    folder, slash, base = name.rpartition("/")
    stem, dot, suffix = base.partition(".")
    if not dot:
        return None
    if stem:
        return folder + slash + stem, suffix
    if slash and "." not in folder.rpartition("/")[2]:  # "a/.jpg" has the key "a/"
        return folder + slash, suffix
    return None


def key_mark(key: str) -> int:
    """Return 64 bits that stand for a key; "./a", ".//a" and "a" have the same, since they unpack to the same file."""
    path = "/".join(part for part in key.split("/") if part not in ("", "."))
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8)
    return int.from_bytes(digest.digest())


def unsafe(name: str) -> bool:
    """Tell whether a name could escape its folder, or show as something else than it is."""
    if not name or name.startswith("/") or name.endswith("/") or "\\" in name or ".." in name.split("/"):
        return True
    return not name.isprintable() and any(c in _BIDI or unicodedata.category(c) in _UNSAFE_CATEGORIES for c in name)


def reserved(name: str) -> bool:
    """Tell whether `datasets` 5.2 (hidden and double-underscore files) or webdataset 1.0.2 (meta names) skips it."""
    return name.rpartition("/")[2].startswith(("__", ".")) or bool(_META.match(name))


def shown(text: str) -> str:
    """Return the text with every byte that is not UTF-8 as "\\xff", so that it can be written."""
    return text if text.isprintable() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
