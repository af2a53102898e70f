"""Shards: no byte is lost in silence, a sound shard comes out as it went in, and memory does not follow the input."""

import io
import tarfile
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.errors import ShardError
from pipelines.faults import Fault
from pipelines.samples import MAX_MEMBERS, Problem, Row
from pipelines.shards import Survey, copy_kept, rows, survey
from tests.pipelines.hostile_tars import (
    BLOCK,
    HOSTILE,
    RECORD,
    SAMPLE_BYTES,
    closed,
    header,
    long_name,
    member,
    pax,
    record,
    sample,
    samples,
    summed,
)

LIMIT = 1_000_000  # bytes of a member
FILES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return tmp_path / "00000.tar"


def read(shard: Path, data: bytes) -> tuple[Survey, list[Row]]:
    shard.write_bytes(data)
    found = survey(shard)
    return found, list(rows(shard, found, LIMIT))


def ranges(read_rows: Sequence[Row]) -> list[tuple[int, int]]:
    return [(row.start, row.end) for row in read_rows]


def copied(shard: Path, found: Survey, kept: Sequence[Row]) -> bytes:
    target = io.BytesIO()
    copy_kept(shard, found, ranges(kept), target)
    return target.getvalue()


def problems(shard: Path, *blocks: bytes) -> list[tuple[Problem, ...]]:
    """Return the problems of each row of a shard made of these blocks."""
    return [row.problems for row in read(shard, closed(b"".join(blocks)))[1]]


def assert_conserved(found: Survey, read_rows: Sequence[Row], data: bytes) -> None:
    """Every byte is in one row, in a directory, in the rest behind a named fault, or in the zeros at the end."""
    assert [row.index for row in read_rows] == list(range(found.rows))
    position = gaps = 0
    for row in [*read_rows, Row(found.rows, "", found.end, found.end, (), ())]:
        assert row.start >= position
        gaps += row.start > position
        position = row.end
    assert gaps <= found.directories
    if found.fault:
        assert found.rest == (found.end, found.size) == (position, len(data))
        assert found.fault.offset >= found.end
    else:
        assert found.rest is None
        assert len(data) - found.end >= 2 * BLOCK
        assert not data[found.end :].strip(b"\0")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_shard_is_read_as_far_as_it_is_sound(shard: Path, name: str) -> None:
    hostile = HOSTILE[name]
    with shard.open("wb") as file:
        for chunk in hostile.chunks():
            file.write(chunk)
    found = survey(shard)
    read_rows = list(rows(shard, found, LIMIT))
    assert (found.rows, found.fault.kind if found.fault else None) == (hostile.rows, hostile.fault)
    assert {problem for row in read_rows for problem in row.problems} >= ({hostile.problem} - {None})
    assert_conserved(found, read_rows, shard.read_bytes())


@pytest.mark.parametrize("name", [name for name, hostile in HOSTILE.items() if hostile.problem])
def test_a_hostile_member_spoils_no_sample_but_its_own(shard: Path, name: str) -> None:
    _, read_rows = read(shard, b"".join(HOSTILE[name].chunks()))
    assert [row.index for row in read_rows if row.problems] == [5]


def test_the_sample_in_hand_at_a_fault_belongs_to_the_rest(shard: Path) -> None:
    found, read_rows = read(shard, b"".join(HOSTILE["one flipped header checksum in ten samples"].chunks()))
    assert found.fault == Fault("bad header checksum", 3 * SAMPLE_BYTES)
    assert found.end == read_rows[-1].end == 2 * SAMPLE_BYTES
    assert found.rest == (2 * SAMPLE_BYTES, found.size)


def test_what_follows_the_end_marker_does_not_spoil_what_stands_before_it(shard: Path) -> None:
    first, second = closed(samples(2)), closed(samples(2, 2))
    found, read_rows = read(shard, first + second)
    assert found.fault == Fault("data after the end marker", len(first))
    assert found.rest == (2 * SAMPLE_BYTES, len(first + second))
    assert copied(shard, found, read_rows) == first


def test_the_offset_of_a_fault_is_that_of_a_block(shard: Path) -> None:
    data = closed(samples(1))
    found, _ = read(shard, data + bytes(BLOCK + 7) + b"x")
    assert found.fault == Fault("data after the end marker", len(data) + BLOCK)


def test_a_row_says_where_its_members_are_and_what_they_are(shard: Path) -> None:
    extended = pax(record(b"mtime", b"1.5"))
    data = closed(samples(1) + extended + member(b"d.1/a.IMG.Jpg", b"picture") + member(b"d.1/a.TXT", b"text"))
    _, (_, row) = read(shard, data)
    assert (row.index, row.key, row.start, row.problems) == (1, "d.1/a", SAMPLE_BYTES, ())
    assert [(each.name, each.suffix, each.kind) for each in row.members] == [
        ("d.1/a.IMG.Jpg", "img.jpg", "jpg"),
        ("d.1/a.TXT", "txt", "txt"),
    ]
    assert [data[each.offset : each.offset + each.size] for each in row.members] == [b"picture", b"text"]
    assert row.end == SAMPLE_BYTES + len(extended) + 4 * BLOCK


def test_keys_and_names_never_show_in_a_repr(shard: Path) -> None:
    found, read_rows = read(shard, closed(sample("codeword-alpha")))
    assert "codeword" not in repr((found, read_rows))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (b"a", "member without extension"),
        (b"a/b", "member without extension"),
        (b"a.cls", "unknown member type"),
        (b"a.npz", "unknown member type"),
        (b"a.pyd", "unknown member type"),
        (b"a.jpg.exe", "unknown member type"),
        (b"a.", "unknown member type"),
        (b"a.jpg.gz", "compressed member"),
        (b"a.txt.ZST", "compressed member"),
        (b"/abs/a.jpg", "unsafe name"),
        (b"../a.jpg", "unsafe name"),
        (b"x/../a.jpg", "unsafe name"),
        (b"x\\a.jpg", "unsafe name"),
        (b"a\x01.jpg", "unsafe name"),
        (b"a\x7f.jpg", "unsafe name"),
        (b"a\n.jpg", "unsafe name"),
        (b"a.jpg\n", "unsafe name"),
        (b"a\xff.jpg", "unsafe name"),
        (b"a\xed\xa0\x80.jpg", "unsafe name"),  # a surrogate written as UTF-8
        ("a\u2028.jpg".encode(), "unsafe name"),
        ("a\u202e.jpg".encode(), "unsafe name"),
        ("a\u2067.jpg".encode(), "unsafe name"),
        ("a\u0085.jpg".encode(), "unsafe name"),
        (b"a.jpg/", "unsafe name"),
        (b"__x__.jpg", "reserved name"),
        (b"x/__a.jpg", "reserved name"),
        (b"__x__/a.jpg", "reserved name"),
        (b"x/.a.jpg", "reserved name"),
    ],
)
def test_a_member_that_no_trainer_should_meet_is_a_problem(shard: Path, name: bytes, problem: Problem) -> None:
    before, found, after = problems(shard, sample("0"), member(name, b"x"), sample("1"))
    assert problem in found
    assert before == after == ()


@pytest.mark.parametrize(
    "name", ["a.jpg", "./a.jpg", "d.1/a.PNG", "a b.webp", "\u00e4\u65e5.gif", "x__/a__.bmp", "a..tiff", "a.x.avif"]
)
def test_an_ordinary_name_is_no_problem(shard: Path, name: str) -> None:
    assert problems(shard, member(name.encode())) == [()]


def test_a_pax_path_is_judged_as_it_is_written(shard: Path) -> None:
    path = pax(record(b"path", b"a.jpg\0.txt"))
    assert "unsafe name" in problems(shard, path + header(b"a.jpg"))[0]
    assert "unsafe name" in problems(shard, pax(record(b"path", b"a.jpg/")) + header(b"a.jpg"))[0]


def test_members_of_a_sample_that_clash_are_a_problem(shard: Path) -> None:
    twice = ("two members of one name",)
    assert problems(shard, member(b"a.jpg"), member(b"a.jpg")) == [twice]
    assert problems(shard, member(b"a.jpg"), member(b"a.JPG")) == [twice]
    assert problems(shard, member(b"a.jpg"), member(b"a.jpeg"), member(b"a.img.jpg")) == [()]


def test_all_pieces_of_a_key_that_comes_back_are_a_problem(shard: Path) -> None:
    again = "key repeated in the shard"
    split_keys = [member(name) for name in (b"a.jpg", b"b.jpg", b"a.txt", b"b.txt", b"c.jpg")]
    assert [again in each for each in problems(shard, *split_keys)] == [True] * 4 + [False]
    assert problems(shard, sample("a"), sample("b"), sample("./a")) == [(again,), (), (again,)]


def test_a_key_that_comes_back_in_the_rest_is_a_problem_too(shard: Path) -> None:
    cut_off = member(b"a.txt", b"x")[:BLOCK]
    found, read_rows = read(shard, sample("a") + sample("b") + member(b"a.png") + cut_off)
    assert found.fault is not None
    assert [row.problems for row in read_rows] == [("key repeated in the shard",), ()]


def test_a_sample_without_picture_is_a_problem(shard: Path) -> None:
    assert problems(shard, member(b"a.txt"), member(b"a.json")) == [("no image member",)]
    assert problems(shard, header(b"a.jpg", 0, b"2")) == [("link member", "no image member")]


def test_a_sample_beyond_the_limits_is_a_problem(shard: Path) -> None:
    large = member(b"a.jpg", bytes(LIMIT + 1))
    assert problems(shard, large, member(b"b.jpg", bytes(LIMIT))) == [("member too large",), ()]
    assert problems(
        shard, long_name(b"k" * 128 + b".jpg") + header(b"k"), long_name(b"k" * 129 + b".jpg") + header(b"k")
    ) == [
        (),
        ("key too long",),
    ]


def test_a_sample_of_very_many_members_is_listed_in_part(shard: Path) -> None:
    crowd = b"".join(member(b"a.%d.jpg" % index) for index in range(MAX_MEMBERS))
    assert problems(shard, crowd) == [()]
    found, (row,) = read(shard, closed(crowd * 9))
    assert "too many members" in row.problems
    assert (len(row.members), row.end) == (MAX_MEMBERS, found.end)


def test_a_directory_belongs_to_no_sample(shard: Path) -> None:
    folder = header(b"folder/", 0, b"5")
    found, read_rows = read(shard, closed(folder + sample("folder/a") + folder + sample("folder/b") + folder))
    assert (found.directories, [row.problems for row in read_rows]) == (3, [(), ()])
    assert copied(shard, found, read_rows) == shard.read_bytes()
    assert copied(shard, found, read_rows[1:]) == closed(sample("folder/b"))


def test_a_directory_inside_a_sample_splits_it(shard: Path) -> None:
    halves = problems(shard, member(b"a.jpg"), header(b"folder/", 0, b"5"), member(b"a.txt"))
    assert all("key repeated in the shard" in half for half in halves)
    assert len(halves) == 2


def test_a_directory_with_an_unsafe_name_is_withheld_like_a_sample(shard: Path) -> None:
    found, read_rows = read(shard, closed(sample("a") + header(b"../../folder/", 0, b"5") + sample("b")))
    assert (found.directories, [row.problems[:1] for row in read_rows]) == (0, [(), ("unsafe name",), ()])


def test_a_global_header_goes_with_the_sample_behind_it(shard: Path) -> None:
    comment = pax(record(b"comment", b"a commit"), b"g")
    found, read_rows = read(shard, closed(comment + sample("a") + sample("b")))
    assert read_rows[0].start == 0
    assert copied(shard, found, read_rows[1:]) == closed(sample("b"))


def test_a_key_that_is_not_utf8_can_be_written_as_utf8(shard: Path) -> None:
    _, (row,) = read(shard, closed(member(b"a\xff.jp\xffg")))
    assert (row.key, row.members[0].name, row.members[0].suffix) == ("a\\xff", "a\\xff.jp\\xffg", "jp\\xffg")


def test_an_empty_shard_is_sound_and_comes_out_as_it_is(shard: Path) -> None:
    found, read_rows = read(shard, closed(b""))
    assert (found.rows, found.end, found.fault, read_rows) == (0, 0, None, [])
    assert copied(shard, found, []) == closed(b"")


def test_an_empty_file_comes_out_as_an_empty_shard(shard: Path) -> None:
    found, read_rows = read(shard, b"")
    assert (found.fault, found.rest, read_rows) == (Fault("empty file", 0), (0, 0), [])
    assert copied(shard, found, []) == bytes(RECORD)


@given(st.data())
@FILES
def test_a_copy_holds_the_kept_samples_and_nothing_else(shard: Path, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 12))
    kept = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    found, read_rows = read(shard, closed(samples(count)))
    chosen = [row for row, keep in zip(read_rows, kept, strict=True) if keep]
    expected = closed(b"".join(samples(1, row.index) for row in chosen))
    assert copied(shard, found, chosen) == expected


def test_a_large_copy_is_exact(shard: Path) -> None:
    picture = bytes(range(256)) * 10_000  # 2.56 MB: more than is copied at once
    blocks = [member(b"%d.jpg" % index, picture + b"%d" % index) for index in range(3)]
    found, read_rows = read(shard, closed(b"".join(blocks)))
    assert copied(shard, found, read_rows[::2]) == closed(blocks[0] + blocks[2])


@pytest.mark.parametrize(
    "kept",
    [
        [(SAMPLE_BYTES, 2 * SAMPLE_BYTES), (0, SAMPLE_BYTES)],
        [(0, SAMPLE_BYTES), (0, SAMPLE_BYTES)],
        [(0, 2 * SAMPLE_BYTES), (SAMPLE_BYTES, 3 * SAMPLE_BYTES)],
        [(0, 0)],
        [(7, SAMPLE_BYTES)],
        [(0, SAMPLE_BYTES - 1)],
        [(2 * SAMPLE_BYTES, 4 * SAMPLE_BYTES)],
        [(-SAMPLE_BYTES, SAMPLE_BYTES)],
    ],
)
def test_ranges_that_are_not_those_of_samples_are_refused(shard: Path, kept: list[tuple[int, int]]) -> None:
    found, _ = read(shard, closed(samples(3)))
    target = io.BytesIO()
    with pytest.raises(ValueError, match="cannot be copied"):
        copy_kept(shard, found, kept, target)
    assert target.getvalue() == b""


def test_a_shard_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tar", tmp_path):
        with pytest.raises(ShardError, match=str(path)):
            survey(path)


def test_a_shard_that_changed_since_the_survey_is_refused(shard: Path) -> None:
    found, read_rows = read(shard, closed(samples(3)))
    for changed in (
        closed(samples(2)),
        closed(samples(9)),
        b"\xff" * found.size,
        closed(sample("000000000") * 3),
        closed(samples(2) + sample("000000002") + member(b"000000002.png", b"x")),  # as long, but for its zeros
        bytes(found.size),
    ):
        shard.write_bytes(changed)
        with pytest.raises(ShardError, match=r"changed .* offset"):
            list(rows(shard, found, LIMIT))
    shard.write_bytes(closed(samples(9)))
    with pytest.raises(ShardError, match="changed"):
        copied(shard, found, read_rows)


# --- laws over changed shards


def written(form: int, mtime: float = 0) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for index in range(4):
            for suffix, size in (("jpg", 700), ("json", 40), ("txt", 5)):
                info = tarfile.TarInfo("folder/" * 20 * (index == 2) + f"{index:04}.{suffix}")
                info.size, info.mtime = size, mtime
                tar.addfile(info, io.BytesIO(f"{index}{suffix}".encode() * size))
    return buffer.getvalue()


LEGITIMATE = [
    written(tarfile.USTAR_FORMAT),
    written(tarfile.PAX_FORMAT, 1.5),
    written(tarfile.GNU_FORMAT),
    closed(samples(5)),
]
INTERESTING = st.sampled_from([0, 1, 0x20, 0x30, 0x37, 0x80, 0xFF]) | st.integers(0, 255)


@st.composite
def changed_shards(draw: st.DrawFn) -> bytes:
    """A legitimate shard with bytes, blocks or its length changed; headers often get a right checksum again."""
    data = bytearray(LEGITIMATE[draw(st.integers(0, len(LEGITIMATE) - 1))])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) // BLOCK - 1)) * BLOCK
        where = draw(st.integers(0, BLOCK - 1) | st.integers(124, 156))
        data[at + where] = draw(INTERESTING)
        if draw(st.booleans()) and data[at + 257 : at + 262] == b"ustar":
            data[at : at + BLOCK] = summed(bytes(data[at : at + BLOCK]))
    at = draw(st.integers(0, len(data)))
    match draw(st.sampled_from(["", "cut off", "lose a block", "gain zeros", "repeat"])):
        case "cut off":
            del data[at:]
        case "lose a block":
            del data[at : at + BLOCK]
        case "gain zeros":
            data[at:at] = bytes(BLOCK)
        case "repeat":
            data[at:] = data[at // 2 :]
    return bytes(data)


def seen_by_tarfile(prefix: bytes) -> list[tuple[int, int]]:
    """Return where Python's own reader, which trainers use, finds the data of files in what we call sound.

    It is given no more than that: behind a fault it takes any size for granted and overflows.
    """
    with tarfile.open(fileobj=io.BytesIO(closed(prefix)), mode="r:") as tar:
        return [(info.offset_data, info.size) for info in tar if info.isreg()]


@given(changed_shards())
@settings(parent=FILES, max_examples=400)
def test_a_changed_shard_never_raises_and_never_loses_a_sample_in_silence(shard: Path, data: bytes) -> None:
    found, read_rows = read(shard, data)
    assert_conserved(found, read_rows, data)
    ours = [(each.offset, each.size) for row in read_rows for each in row.members]
    assert ours == seen_by_tarfile(data[: found.end])


@given(changed_shards())
@settings(parent=FILES, max_examples=150)
def test_what_is_kept_of_a_changed_shard_is_a_sound_shard(shard: Path, data: bytes) -> None:
    found, read_rows = read(shard, data)
    good = [row for row in read_rows if not row.problems]
    again, again_rows = read(shard, copied(shard, found, good))
    assert again.fault is None
    assert [(row.key, row.problems) for row in again_rows if not row.problems] == [(row.key, ()) for row in good]


# --- memory


def sparse_shard(path: Path, count: int) -> None:
    """Write samples of 96 KiB of zeros each that take no room on disk."""
    with path.open("wb") as file:
        for index in range(count):
            file.write(header(b"%09d.jpg" % index, 98_304))
            file.seek(98_304, 1)
        file.write(bytes(2 * BLOCK))


def peak_of_reading(path: Path) -> int:
    tracemalloc.start()
    try:
        found = survey(path)
        assert sum(1 for _ in rows(path, found, LIMIT)) == found.rows > 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_by_no_more_than_the_set_of_keys(tmp_path: Path) -> None:
    small, large = 700, 2_800
    for count in (small, large):
        sparse_shard(tmp_path / f"{count}.tar", count)
    peak_of_reading(tmp_path / f"{small}.tar")  # what is made once, such as compiled expressions, is made now
    grown = peak_of_reading(tmp_path / f"{large}.tar") - peak_of_reading(tmp_path / f"{small}.tar")
    assert grown < 120 * (large - small)  # bytes per sample; a kept Row takes more than 500


def test_memory_does_not_grow_with_the_members_of_one_sample(tmp_path: Path) -> None:
    small, large = 4_500, 9_000  # both longer than what is read at once
    for count in (small, large):
        members = b"".join(header(b"a.%d.jpg" % index) for index in range(count))
        (tmp_path / f"{count}.tar").write_bytes(closed(members))
    peak_of_reading(tmp_path / f"{small}.tar")
    grown = peak_of_reading(tmp_path / f"{large}.tar") - peak_of_reading(tmp_path / f"{small}.tar")
    assert grown < 100_000  # bytes; all members together take 1.5 MB
