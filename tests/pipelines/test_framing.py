"""Strict framing: every way in which blocks can be wrong is named, with its offset, and nothing else is."""

import hashlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.faults import Fault, FaultKind
from pipelines.framing import EndMarker, Entry, frames
from pipelines.tape import HASHED_BYTES, HEADER_BYTES, Tape
from tests.pipelines.hostile_tars import (
    BLOCK,
    GNU,
    POSIX,
    closed,
    header,
    long_name,
    member,
    padded,
    pax,
    record,
    summed,
)

GOOD = member(b"a.jpg", b"x")
GNU_UTF8 = record(b"hdrcharset", b"ISO-IR 10646 2000 UTF-8")


def walk(data: bytes, hashed: bool = False) -> list[Entry | EndMarker | Fault]:
    return list(frames(Tape(io.BytesIO(data), hashlib.sha256() if hashed else None)))


def names(data: bytes) -> list[str]:
    return [frame.name for frame in walk(data) if isinstance(frame, Entry)]


def fault_behind(blocks: bytes) -> Fault:
    """Return the fault of a good member, then the blocks, then another good member, counted from the blocks."""
    *_, last = walk(closed(GOOD + blocks + member(b"b.jpg", b"y")))
    assert isinstance(last, Fault)
    return Fault(last.kind, last.offset - len(GOOD))


def test_a_member_is_its_headers_its_data_and_its_padding() -> None:
    extended = pax(record(b"mtime", b"1.5"))
    first, second, end = walk(closed(GOOD + extended + member(b"b.txt", b"y" * 513)))
    assert first == Entry("file", "a.jpg", 0, 2 * BLOCK, BLOCK, 1)
    assert second == Entry("file", "b.txt", 2 * BLOCK, 7 * BLOCK, 5 * BLOCK, 513)
    assert end == EndMarker(7 * BLOCK)


def test_a_name_never_shows_in_a_repr() -> None:
    assert "codeword" not in repr(walk(closed(member(b"codeword.jpg"))))


@pytest.mark.parametrize(
    ("data", "kind", "offset"),
    [
        (b"", "empty file", 0),
        (b"\x1f\x8b\x08\0", "compressed shard", 0),
        (padded(b"BZh91AY&SY"), "compressed shard", 0),
        (padded(b"\xfd7zXZ\0"), "compressed shard", 0),
        (padded(b"\x28\xb5\x2f\xfd"), "compressed shard", 0),
        (header(b"BZh91AY&SY.jpg") + bytes(1024), "compressed shard", 0),  # a tar and a bzip2 file at once
        (b"P6 not a tar", "truncated header", 0),
        (padded(b"P6 not a tar"), "bad header checksum", 0),
        (GOOD, "missing end marker", 1024),
        (GOOD + bytes(100), "missing end marker", 1024),
        (GOOD + bytes(512), "missing end marker", 1024),
        (GOOD + bytes(1000), "missing end marker", 1024),
        (GOOD + bytes(512) + GOOD, "lone zero block", 1024),
        (GOOD + GOOD[:511], "truncated header", 1024),
        (GOOD + GOOD[:512], "truncated member", 1024),
        (GOOD + GOOD[:1023], "truncated member", 1024),
        (GOOD + header(b"x", 600, b"x") + bytes(512), "truncated member", 1024),
    ],
)
def test_an_archive_that_does_not_end_as_archives_end_is_faulty(data: bytes, kind: FaultKind, offset: int) -> None:
    assert walk(data)[-1] == walk(data, hashed=True)[-1] == Fault(kind, offset)


@pytest.mark.parametrize(
    ("blocks", "kind"),
    [
        (header(b"b.jpg", b"\0" * 12), "malformed header"),
        (header(b"b.jpg", b"000000001_0\0"), "malformed header"),  # int() reads eight
        (header(b"b.jpg", b"0o000000010\0"), "malformed header"),
        (header(b"b.jpg", b"+0000000010\0"), "malformed header"),
        (header(b"b.jpg", b"0000010" + bytes(3) + b"1\0"), "malformed header"),
        (header(b"b.jpg", b"00000000009\0"), "malformed header"),
        (header(b"b.jpg", b"-0000000001\0"), "negative size"),
        (header(b"b.jpg", b"\xff" * 12), "negative size"),
        (header(b"b.jpg", more={100: b"zzzzzzz\0"}), "malformed header"),
        (header(b"b.jpg", more={136: b"\x80\x01" + bytes(10)}), "malformed header"),  # a time beyond time_t
        (header(b"b.jpg", more={108: b"\x80\x01" + bytes(6)}), "malformed header"),  # an owner beyond uid_t
        (header(b"b.jpg", magic=GNU, more={345: b"folder"}), "malformed header"),
        (header(b"b.jpg", magic=bytes(8), more={345: b"folder"}), "malformed header"),
        (header(b"b.jpg", kind=b"7"), "unknown member type"),
        (header(b"b.jpg", kind=b"V"), "unknown member type"),
        (header(b"b.jpg", kind=b"X"), "unknown member type"),
        (header(b"b.jpg", kind=b"S", magic=GNU), "sparse member"),
        (header(b"b.jpg", 512, b"1"), "size on a member without data"),
        (header(b"b.jpg", 512, b"2"), "size on a member without data"),
        (header(b"b", 512, b"5"), "size on a member without data"),
        (header(b"b/", 512, b"\0"), "size on a member without data"),  # tarfile makes it a directory
        (header(b"b.jpg", b"77777777777\0"), "truncated member"),
        (pax(b"1" * 65_537), "pax header too large"),
        (pax(b"5 a=\n"[1:]), "malformed pax header"),
        (pax(b"05 a=\n"), "malformed pax header"),
        (pax(b"6 a=\n"), "malformed pax header"),
        (pax(b"5 a=b"), "malformed pax header"),
        (pax(b"4 =\n"), "malformed pax header"),
        (pax(b"0 a=\n"), "malformed pax header"),
        (pax(b"9999999999999999999 a=\n"), "malformed pax header"),
        (pax(record(b"path", b"")), "malformed pax header"),
        (pax(record(b"path", b"c.jpg") * 2), "malformed pax header"),
        (header(b"x", 9, b"x") + padded(b"9 a=bcde\n" + record(b"path", b"evil.jpg")), "malformed pax header"),
        (pax(record(b"size", b"1")), "pax size override"),
        (pax(record(b"size", b"1"), b"g"), "pax size override"),
        (pax(record(b"hdrcharset", b"BINARY")), "pax character set"),
        (pax(record(b"GNU.sparse.map", b"0,1")), "sparse member"),
        (pax(record(b"GNU.sparse.name", b"c.jpg"), b"g"), "sparse member"),
        (pax(record(b"SCHILY.realsize", b"99")), "sparse member"),
        (pax(record(b"path", b"c.jpg"), b"g"), "pax global name"),
        (pax(record(b"linkpath", b"c.jpg"), b"g"), "pax global name"),
        (pax(record(b"path", b"c" * 4_097)), "long name too large"),
        (long_name(b"c" * 4_096), "long name too large"),
        (long_name(b""), "malformed long name"),
        (header(b"L", 5, b"L", GNU) + padded(b"c.jpgevil"), "malformed long name"),  # tarfile reads on to the zero
    ],
)
def test_blocks_that_readers_take_differently_are_a_fault(blocks: bytes, kind: FaultKind) -> None:
    assert fault_behind(blocks) == Fault(kind, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pax(b""), pax(b"")),
        (long_name(b"c.jpg"), long_name(b"c.jpg")),
        (pax(b"", b"g"), pax(b"", b"g")),
        (pax(b""), long_name(b"c.jpg")),
        (long_name(b"c.jpg", b"K"), pax(b"")),
    ],
)
def test_a_member_with_two_extended_headers_that_could_both_name_it_is_a_fault(first: bytes, second: bytes) -> None:
    assert fault_behind(first + second) == Fault("conflicting extended headers", len(first))


@pytest.mark.parametrize("extended", [pax(b""), pax(b"", b"g"), long_name(b"c.jpg"), long_name(b"c.jpg", b"K")])
def test_an_extended_header_without_a_member_is_a_fault(extended: bytes) -> None:
    assert walk(closed(GOOD + extended))[-1] == Fault("stray extended header", len(GOOD) + len(extended))


def test_a_long_link_name_before_a_file_is_a_fault() -> None:
    target = long_name(b"c.jpg", b"K")
    assert fault_behind(target) == Fault("stray extended header", len(target))


def test_any_byte_of_a_header_that_changes_is_noticed() -> None:
    block = header(b"a.jpg", 1)
    unnoticed = []
    for position in range(BLOCK):
        changed = block[:position] + bytes([block[position] ^ 1]) + block[position + 1 :]
        if isinstance(walk(closed(changed + padded(b"x")))[-1], EndMarker):
            unnoticed.append(position)
    assert unnoticed == []


def test_a_checksum_of_signed_bytes_is_as_good() -> None:
    block = header(b"\xc3\xa4.jpg")
    signed = sum(byte - 256 * (byte > 127) for byte in block[:148] + b" " * 8 + block[156:])
    assert names(closed(block[:148] + b"%06o\0 " % signed + block[156:])) == ["\u00e4.jpg"]


def test_names_come_from_where_the_formats_put_them() -> None:
    blocks = [
        header(b"a.jpg", magic=POSIX, more={345: b"folder"}),
        pax(record(b"path", b"long/b.jpg") + GNU_UTF8) + header(b"b.jpg"),
        long_name(b"c" * 200 + b".jpg") + header(b"c.jpg", magic=GNU),
        long_name(b"target", b"K") + long_name(b"d.jpg") + header(b"e.jpg", 0, b"2", GNU),
        pax(record(b"comment", b"a commit"), b"g") + header(b"f.jpg", magic=bytes(8)),
        header(b"folder/", 0, b"5"),
    ]
    expected = ["folder/a.jpg", "long/b.jpg", "c" * 200 + ".jpg", "d.jpg", "f.jpg", "folder"]
    assert names(closed(b"".join(blocks))) == expected


def test_old_times_and_large_owners_are_read() -> None:
    assert names(closed(header(b"a.jpg", more={108: b"\x80" + bytes(3) + b"\xff" * 4, 136: b"\xff" * 12}))) == ["a.jpg"]


def test_padding_of_a_member_may_hold_anything() -> None:
    data = closed(header(b"a.jpg", 1) + padded(b"x", b"\xff"))
    assert walk(data) == [Entry("file", "a.jpg", 0, 1024, 512, 1), EndMarker(1024)]


def test_a_size_in_base_256_is_read() -> None:
    data = closed(header(b"a.jpg", b"\x80" + (600).to_bytes(11)) + padded(b"x" * 600))
    assert walk(data) == [Entry("file", "a.jpg", 0, 1536, 512, 600), EndMarker(1536)]


@given(st.binary(max_size=4 * BLOCK))
def test_any_bytes_end_in_one_fault_or_one_end_marker(data: bytes) -> None:
    *members, last = walk(data)
    assert all(isinstance(frame, Entry) for frame in members)
    assert isinstance(last, EndMarker | Fault)


@given(st.binary(min_size=1, max_size=600), st.sampled_from([b"x", b"g", b"L", b"K"]))
def test_any_extended_header_is_answered(data: bytes, kind: bytes) -> None:
    *_, last = walk(closed(member(b"x", data, kind) + GOOD))
    assert isinstance(last, EndMarker | Fault)


@given(st.binary(min_size=BLOCK, max_size=BLOCK))
def test_any_header_with_a_right_checksum_is_answered(block: bytes) -> None:
    *_, last = walk(closed(summed(block) + GOOD))
    assert isinstance(last, EndMarker | Fault)


@given(st.lists(st.integers(0, 9_000), max_size=8), st.booleans())
def test_reading_and_seeking_find_the_same_members(sizes: list[int], hashed: bool) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for index, size in enumerate(sizes):
            info = tarfile.TarInfo(f"{index}.jpg")
            info.size = size
            tar.addfile(info, io.BytesIO(bytes(size)))
    *members, end = walk(buffer.getvalue(), hashed)
    assert [frame.size for frame in members if isinstance(frame, Entry)] == sizes
    assert isinstance(end, EndMarker)


@pytest.mark.parametrize("size", [HEADER_BYTES - 1, HEADER_BYTES, HASHED_BYTES - 1, HASHED_BYTES, 3 * HASHED_BYTES + 5])
def test_a_tape_hashes_every_byte_once_however_it_is_read(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    digest = hashlib.sha256()
    tape = Tape(io.BytesIO(data), digest)
    assert tape.take(700) == data[:700]
    assert tape.skip(size - 1_000) == size - 1_000
    assert tape.take(200) == data[size - 300 : size - 100]
    assert tape.finish() == next(index for index in range(size - 100, size) if data[index])
    assert tape.position == size
    assert digest.digest() == hashlib.sha256(data).digest()


def test_a_tape_tells_how_far_it_came() -> None:
    for digest in (None, hashlib.sha256()):
        tape = Tape(io.BytesIO(bytes(10_000)), digest)
        assert tape.skip(1 << 87) == tape.position == 10_000
        assert tape.take(1) == b""
        assert tape.finish() is None
