"""Extended headers: the long names and pax records that stand before the header of a member."""

import re

from pipelines.faults import BrokenError

MAX_PAX_BYTES = 65_536  # of one extended header; a member of ours has well under 1 KiB
MAX_NAME_BYTES = 4_096  # of a member's name; PATH_MAX of Linux

_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ([^=\n\0]+)=")
_UTF8 = b"ISO-IR 10646 2000 UTF-8"


def long_name(data: bytes, size: int, at: int) -> str:
    """Return the name in the `size` bytes of a GNU long name whose padded blocks are `data`."""
    name = data.split(b"\0", 1)[0]
    if not name or len(name) > size:  # without a zero at its end, tarfile reads on into the padding
        raise BrokenError("malformed long name", at)
    return name.decode("utf-8", "surrogateescape")


def pax_path(data: bytes, size: int, everywhere: bool, at: int) -> str | None:
    """Return the path in the `size` bytes of a pax header whose padded blocks are `data`, or None.

    `everywhere` says that it is a global header, which may name nothing. Times, owners and comments are ignored.
    """
    if data[size:].strip(b"\0"):  # tarfile reads on into the padding and believes it
        raise BrokenError("malformed pax header", at)
    records = _records(data[:size], at)
    if any(key.startswith(b"GNU.sparse.") or key == b"SCHILY.realsize" for key in records):
        raise BrokenError("sparse member", at)
    if b"size" in records:
        raise BrokenError("pax size override", at)
    if records.get(b"hdrcharset", _UTF8) != _UTF8:
        raise BrokenError("pax character set", at)
    if everywhere and (b"path" in records or b"linkpath" in records):
        raise BrokenError("pax global name", at)
    return _name(records[b"path"], at) if b"path" in records else None


def _name(path: bytes, at: int) -> str:
    if not path:
        raise BrokenError("malformed pax header", at)
    if len(path) > MAX_NAME_BYTES:
        raise BrokenError("long name too large", at)
    return path.decode("utf-8", "surrogateescape")


def _records(data: bytes, at: int) -> dict[bytes, bytes]:
    records: dict[bytes, bytes] = {}
    begin = 0
    while begin < len(data):
        record = _RECORD.match(data, begin)
        end = begin + int(record[1]) if record else 0
        if not record or not record.end() < end <= len(data) or data[end - 1] != ord("\n") or record[2] in records:
            raise BrokenError("malformed pax header", at)
        records[record[2]] = data[record.end() : end - 1]
        begin = end
    return records
