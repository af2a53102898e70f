"""From members to samples: grouped as trainers group them, with all that is wrong with each.

Trainers differ on the same tar: one takes a repeated key for two samples, one for an error, one keeps both pictures.
Whatever they could take differently is a problem of the sample here, and a sample with a problem is withheld.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from filters.members import IMAGE_KINDS
from pipelines.faults import Fault
from pipelines.framing import EndMarker, Entry, MemberKind
from pipelines.names import key_mark, reserved, shown, split, unsafe

TEXT_KINDS = frozenset({"txt", "json"})
COMPRESSIONS = frozenset({"gz", "bz2", "xz", "lzma", "zst", "lz4", "zip"})  # `datasets` unpacks most of them unasked
MAX_KEY_CHARACTERS = 128
MAX_MEMBERS = 64  # of one sample

Problem = Literal[
    "link member",
    "device member",
    "FIFO member",
    "member without extension",
    "unknown member type",
    "compressed member",
    "member too large",
    "two members of one name",
    "too many members",
    "unsafe name",
    "reserved name",
    "key too long",
    "key repeated in the shard",
    "no image member",
]
_OF_KIND: dict[MemberKind, Problem] = {"link": "link member", "device": "device member", "fifo": "FIFO member"}


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a sample; its content is the `size` bytes at `offset` of the shard. `suffix` is in lower case."""

    name: str = field(repr=False)
    suffix: str = field(repr=False)
    offset: int
    size: int

    @property
    def kind(self) -> str:
        """The last part of the suffix, which decides how it is read: "jpg" for "img.jpg"."""
        return self.suffix.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of a shard: the blocks [start, end), with extended headers and padding.

    `problems` says why it cannot be examined, empty for a good sample. No more than 64 members are listed. Key and
    names can always be written as UTF-8: a byte that is not shows as "\\xff".
    """

    index: int
    key: str = field(repr=False)
    start: int
    end: int
    members: tuple[Member, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Run:
    """Consecutive members that share a key; not `complete` when a fault cut it off."""

    key: str = field(repr=False)
    start: int
    end: int
    entries: list[Entry] = field(repr=False)
    complete: bool = False

    def add(self, entry: Entry) -> None:
        """Take in the next member, and note no more than one beyond the allowed number."""
        self.end = entry.end
        if len(self.entries) <= MAX_MEMBERS:
            self.entries.append(entry)


def runs(frames: Iterable[Entry | EndMarker | Fault]) -> Iterator[Run | Entry | EndMarker | Fault]:
    """Group members into runs, and pass on what belongs to none: directories, the end marker, the fault.

    A directory ends a run. One with an unsafe name is a run, so that it is withheld.
    """
    run: Run | None = None
    for frame in frames:
        key = _key(frame) if isinstance(frame, Entry) else None
        if run and key != run.key:
            run.complete = not isinstance(frame, Fault)
            yield run
            run = None
        if not isinstance(frame, Entry) or key is None:
            yield frame
        elif run:
            run.add(frame)
        else:
            run = Run(key, frame.start, frame.end, [frame])


def row(index: int, run: Run, repeated: frozenset[int], max_member_bytes: int) -> Row:
    """Return the sample that a run is, with its problems; `repeated` holds the marks of keys in several runs."""
    members = tuple(_member(entry) for entry in run.entries if entry.kind == "file")
    problems: dict[Problem, None] = {}  # keeps the order
    for entry in run.entries:
        problems.update(dict.fromkeys(_entry_problems(entry, max_member_bytes)))
    problems.update(dict.fromkeys(_run_problems(run, members, repeated)))
    return Row(index, shown(run.key), run.start, run.end, members[:MAX_MEMBERS], tuple(problems))


def _key(entry: Entry) -> str | None:
    if entry.kind == "directory" and not unsafe(entry.name):
        return None
    parts = split(entry.name)
    return parts[0] if parts else entry.name


def _member(entry: Entry) -> Member:
    parts = split(entry.name)
    return Member(shown(entry.name), shown(parts[1].lower() if parts else ""), entry.offset, entry.size)


def _entry_problems(entry: Entry, max_member_bytes: int) -> Iterator[Problem]:
    if entry.kind in _OF_KIND:
        yield _OF_KIND[entry.kind]
    if unsafe(entry.name):
        yield "unsafe name"
    if entry.size > max_member_bytes:
        yield "member too large"
    if entry.kind != "directory":
        yield from _type_problems(entry.name)


def _type_problems(name: str) -> Iterator[Problem]:
    if reserved(name):
        yield "reserved name"
    parts = split(name)
    last = parts[1].lower().rpartition(".")[2] if parts else ""
    if not parts:
        yield "member without extension"
    elif last in COMPRESSIONS:
        yield "compressed member"
    elif last not in IMAGE_KINDS | TEXT_KINDS:
        yield "unknown member type"


def _run_problems(run: Run, members: tuple[Member, ...], repeated: frozenset[int]) -> Iterator[Problem]:
    if len({member.suffix for member in members}) < len(members):
        yield "two members of one name"
    if len(run.entries) > MAX_MEMBERS:
        yield "too many members"
    if len(run.key) > MAX_KEY_CHARACTERS:
        yield "key too long"
    if repeated and key_mark(run.key) in repeated:
        yield "key repeated in the shard"
    if not any(member.kind in IMAGE_KINDS for member in members):
        yield "no image member"
