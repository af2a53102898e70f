from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.errors import SealError
from filters.finding import Finding
from filters.fingerprints import DIHEDRAL, RECORDED, Fingerprint
from filters.policy import ADULT, LISTED, MINOR, UNEXAMINED, Partition, Policy, Rule, Ties, earn, not_shown
from manifests.evidence import Evidence, EvidenceWriter
from manifests.manifest import decide
from pipelines.join import RELIABLE_QUALITY, join_corpus, read_inherited
from tests.pipelines.sacrifice import Trap

DOUBT, GREY, OPTED_OUT = "doubt", "adult-evidence", "opted-out"
RULES = (
    Rule("listed", LISTED, "x", ("listed",)),
    Rule("minor", MINOR, "x", ("minor",)),
    Rule("adult", ADULT, "x", ("adult",)),
    Rule("grey", GREY, "x", ("grey",)),
    Rule("opted out", OPTED_OUT, "x", ("opt-out",)),
    Rule("grey beside a minor", ADULT, "x", ("grey",), beside=(MINOR,)),
    Rule("no face beside adult content", MINOR, "x", ("no-face",), beside=(ADULT, GREY)),
    Rule("doubt beside an opt-out", DOUBT, "x", ("no-face",), beside=(OPTED_OUT,)),
    Rule("unexamined", UNEXAMINED, "*", unexamined=True),
)
POLICY = Policy("test", rules=RULES, partitions=(Partition("minors", (MINOR, GREY)), Partition("adult", (ADULT, GREY))))
LABELS = ("listed", "minor", "adult", "grey", "opt-out", "no-face", "nothing")
NEAR = POLICY.ties.near_duplicate_bits or 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A sample of a test: labels found, numbers for bytes and for pages, pictures as (base, bits flipped, quality)."""

    labels: frozenset[str] = frozenset()
    files: frozenset[int] = frozenset()
    pictures: tuple[tuple[int, int, int], ...] = ()
    pages: frozenset[int] = frozenset()
    examined: bool = True

    @property
    def findings(self) -> tuple[Finding, ...]:
        missed = () if self.examined else (Finding("x", "unexamined", unexamined="undecodable"),)
        return (*(Finding("x", label) for label in sorted(self.labels)), *missed)

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        files = (Fingerprint("sha256", f"file {n}", bytes([n]) * 32) for n in sorted(self.files))
        pictures = (Fingerprint("pdq", "as stored", pdq(base, bits), quality) for base, bits, quality in self.pictures)
        return (*files, *pictures)


def pdq(base: int, flipped: int) -> bytes:
    """Return a hash far from that of any other base, `flipped` bits away from its base."""
    value = int.from_bytes(bytes([0x0F, 0xF0, 0x33, 0xCC][base % 4] for _ in range(32)))
    return (value ^ ((1 << flipped) - 1)).to_bytes(32)


seen = st.builds(
    Seen,
    labels=st.frozensets(st.sampled_from(LABELS), max_size=2),
    files=st.frozensets(st.integers(0, 5), max_size=1),
    pictures=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0, 16, 31, 32, 47, 62, 64]), st.sampled_from([49, 50, 100])),
        max_size=1,
    ).map(tuple),
    pages=st.frozensets(st.integers(0, 5), max_size=2),
    examined=st.booleans(),
)
corpora = st.lists(st.lists(seen, max_size=5), min_size=1, max_size=3)
ties = st.builds(
    Ties,
    same_bytes=st.booleans(),
    near_duplicate_bits=st.sampled_from([None, 0, 31]),
    inherit=st.sets(st.sampled_from([LISTED, ADULT, MINOR, OPTED_OUT, UNEXAMINED])).map(tuple),
)


def evidence(shard: int, index: int, sample: Seen) -> Evidence:
    groups = tuple(f"{page:032x}" for page in sorted(sample.pages))
    where = (f"{shard:05d}", index, f"{shard}-{index}", 512 * index, 512)
    return Evidence(*where, groups, sample.fingerprints, sample.findings, ("x",))


def write(path: Path, found: Sequence[Evidence]) -> None:
    with EvidenceWriter(path, {}) as writer:
        for each in found:
            writer.write(each)


def joined(policy: Policy, shards: Sequence[Sequence[Evidence]]) -> list[list[set[str]]]:
    """Return what `join_corpus` lets each sample inherit, shard by shard."""
    with TemporaryDirectory() as name:
        files = [(Path(name) / f"{n}.evidence", Path(name) / f"{n}.inherited") for n in range(len(shards))]
        for (path, _), found in zip(files, shards, strict=True):
            write(path, found)
        join_corpus(policy, files)
        told = [read_inherited(target) for _, target in files]
    assert all(marks for inherited in told for marks in inherited.values())
    return [
        [set(inherited.get(each.index, ())) for each in found] for inherited, found in zip(told, shards, strict=True)
    ]


def inherited(policy: Policy, *samples: Seen) -> list[set[str]]:
    """Return what each of these samples inherits, every one of a shard of its own."""
    return [only for (only,) in joined(policy, [[evidence(n, 0, sample)] for n, sample in enumerate(samples)])]


# The reference: pairs compared one by one, groups merged until nothing changes.


def one_picture(policy: Policy, one: Seen, other: Seen) -> bool:
    if policy.ties.same_bytes and one.files & other.files:
        return True
    if policy.ties.near_duplicate_bits is None:
        return False
    return any(
        (int.from_bytes(pdq(a, b)) ^ int.from_bytes(pdq(c, d))).bit_count() <= policy.ties.near_duplicate_bits
        for a, b, quality in one.pictures
        for c, d, other_quality in other.pictures
        if min(quality, other_quality) >= RELIABLE_QUALITY
    )


def groups(samples: Sequence[Seen], tied: Callable[[Seen, Seen], bool]) -> list[set[int]]:
    """Return for each sample the numbers of all that it is tied to."""
    group = {n: {n} for n in range(len(samples))}
    for one, other in combinations(range(len(samples)), 2):
        if tied(samples[one], samples[other]) and group[one] is not group[other]:
            group[one] |= group[other]
            for member in group[one]:
                group[member] = group[one]
    return [group[n] for n in range(len(samples))]


def naive(policy: Policy, samples: Sequence[Seen]) -> list[set[str]]:
    pictures = groups(samples, lambda a, b: one_picture(policy, a, b))
    related = groups(samples, lambda a, b: one_picture(policy, a, b) or bool(a.pages & b.pages))
    own = [set(earn(policy, sample.findings).marks) - {UNEXAMINED} for sample in samples]
    passed = set(policy.ties.inherit) - {UNEXAMINED}
    marks = [
        set().union(*(own[n] for n in pictures[each]), *(own[n] & passed for n in related[each]))
        for each in range(len(samples))
    ]
    while True:
        grown = [set(earn(policy, s.findings, m).marks) - {UNEXAMINED} for s, m in zip(samples, marks, strict=True)]
        shared = [set().union(*(grown[n] for n in pictures[each])) for each in range(len(samples))]
        if shared == marks:
            return [all_of - mine for all_of, mine in zip(marks, own, strict=True)]
        marks = shared


@settings(deadline=None, max_examples=80)
@given(corpora, ties, st.booleans())
def test_the_join_is_that_of_comparing_every_pair(corpus: list[list[Seen]], tied: Ties, beside: bool) -> None:
    policy = replace(POLICY, ties=tied, rules=tuple(rule for rule in RULES if beside or not rule.beside))
    shards = [[evidence(n, index, sample) for index, sample in enumerate(samples)] for n, samples in enumerate(corpus)]
    expected = naive(policy, [sample for samples in corpus for sample in samples])
    assert [marks for found in joined(policy, shards) for marks in found] == expected


@settings(deadline=None, max_examples=25)
@given(corpora)
def test_copies_of_one_picture_end_with_the_same_marks_but_unexamined(corpus: list[list[Seen]]) -> None:
    """So that no picture is withheld here and kept there."""
    shards = [[evidence(n, index, sample) for index, sample in enumerate(samples)] for n, samples in enumerate(corpus)]
    told = [marks for found in joined(POLICY, shards) for marks in found]
    every = [each for found in shards for each in found]
    ends = [set(decide(e, tuple(m), POLICY).marks) - {UNEXAMINED} for e, m in zip(every, told, strict=True)]
    samples = [sample for samples in corpus for sample in samples]
    for group in groups(samples, lambda a, b: one_picture(POLICY, a, b)):
        assert len({frozenset(ends[n]) for n in group}) == 1


@settings(deadline=None, max_examples=25)
@given(corpora, st.randoms(use_true_random=False))
def test_the_order_of_shards_and_of_samples_does_not_matter(corpus: list[list[Seen]], random: object) -> None:
    samples = [sample for samples in corpus for sample in samples]
    order = list(range(len(samples)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one = inherited(POLICY, *samples)
    other = inherited(POLICY, *(samples[n] for n in order))
    assert [one[n] for n in order] == other


@settings(deadline=None, max_examples=25)
@given(corpora, seen)
def test_one_more_sample_never_takes_a_mark_away(corpus: list[list[Seen]], more: Seen) -> None:
    samples = [sample for samples in corpus for sample in samples]
    before, after = inherited(POLICY, *samples), inherited(POLICY, *samples, more)
    assert all(old <= new for old, new in zip(before, after, strict=False))


def marked(label: str, **kind: object) -> Seen:
    return Seen(frozenset({label} if label else ()), **kind)  # type: ignore[arg-type]


FILE, PAGE = {"files": frozenset({1})}, {"pages": frozenset({1})}


def picture(flipped: int, quality: int = 100) -> dict[str, object]:
    return {"pictures": ((0, flipped, quality),)}


def test_copies_share_every_mark_and_pages_those_that_the_policy_lets_pass() -> None:
    labels = ("listed", "minor", "adult", "grey", "opt-out")
    marks = {LISTED, MINOR, ADULT, GREY, OPTED_OUT}
    shown = Seen(frozenset(labels), **FILE, **PAGE)  # type: ignore[arg-type]
    assert inherited(POLICY, shown, marked("", **FILE)) == [set(), marks]
    assert inherited(POLICY, shown, marked("", **PAGE)) == [set(), {LISTED, MINOR, ADULT}]
    assert inherited(replace(POLICY, ties=Ties(inherit=())), shown, marked("", **PAGE)) == [set(), set()]


def test_unexamined_passes_along_no_tie_not_even_where_the_policy_asks_for_it() -> None:
    policy = replace(POLICY, ties=Ties(inherit=(UNEXAMINED, LISTED)))
    unseen = Seen(examined=False, **FILE, **PAGE)  # type: ignore[arg-type]
    assert inherited(policy, unseen, marked("", **FILE), marked("", **PAGE)) == [set(), set(), set()]


def test_a_filter_that_never_saw_a_sample_passes_nothing_on() -> None:
    policy = replace(POLICY, filters=(Trap("talk"),))
    assert inherited(policy, marked("minor", **FILE), marked("", **FILE)) == [set(), {MINOR}]
    assert UNEXAMINED in earn(policy, not_shown(policy, ())).marks


def test_ties_are_followed_to_the_end() -> None:
    chain = [
        Seen(files=frozenset({1}), labels=frozenset({"adult"})),
        Seen(files=frozenset({1}), pages=frozenset({1})),
        Seen(pages=frozenset({1, 2})),
        Seen(pages=frozenset({2}), pictures=((1, 0, 100),)),
        Seen(pictures=((1, NEAR, 100),)),
        Seen(pictures=((1, 2 * NEAR, 100),)),
        Seen(pictures=((2, 0, 100),)),
    ]
    assert inherited(POLICY, *chain) == [set(), *[{ADULT}] * 5, set()]


@pytest.mark.parametrize(("flipped", "tied"), [(0, True), (NEAR, True), (NEAR + 1, False)])
def test_near_duplicates_are_tied_up_to_the_distance_of_the_policy(flipped: int, tied: bool) -> None:
    assert inherited(POLICY, marked("minor", **picture(0)), marked("", **picture(flipped))) == [
        set(),
        {MINOR} if tied else set(),
    ]


@pytest.mark.parametrize("quality", [0, RELIABLE_QUALITY - 1])
def test_flat_pictures_are_tied_to_nothing(quality: int) -> None:
    assert inherited(POLICY, marked("minor", **picture(0, quality)), marked("", **picture(0))) == [set(), set()]


def test_what_the_policy_turns_off_ties_nothing() -> None:
    policy = replace(POLICY, ties=Ties(same_bytes=False, near_duplicate_bits=None))
    both = {**FILE, **picture(0)}
    assert inherited(policy, marked("minor", **both), marked("", **both)) == [set(), set()]


def test_the_digest_that_a_downloader_recorded_ties_nothing_for_anybody_can_write_one() -> None:
    recorded = (Fingerprint("sha256", RECORDED, bytes([1]) * 32),)
    claims = replace(evidence(0, 0, Seen()), fingerprints=recorded)
    assert joined(POLICY, [[claims], [evidence(1, 0, marked("minor", **FILE))]]) == [[set()], [set()]]


@pytest.mark.parametrize("turned", [turn for turn in DIHEDRAL if turn])
def test_turned_forms_are_matched_against_lists_but_tie_nothing(turned: str) -> None:
    """A picture and its mirror image would be tied by the pair of the one as stored and the other turned."""
    form = (Fingerprint("pdq", f"as stored, {turned}", pdq(0, 0), 100),)
    other = replace(evidence(0, 0, Seen()), fingerprints=form)
    assert joined(POLICY, [[other], [evidence(1, 0, marked("minor", **picture(0)))]]) == [[set()], [set()]]


def test_the_picture_without_its_padding_is_tied_like_the_picture() -> None:
    form = (Fingerprint("pdq", "letterbox removed", pdq(0, 0), 100),)
    other = replace(evidence(0, 0, Seen()), fingerprints=form)
    assert joined(POLICY, [[other], [evidence(1, 0, marked("minor", **picture(0)))]]) == [[{MINOR}], [set()]]


def test_a_mark_earned_beside_an_inherited_one_reaches_copies_but_not_the_page() -> None:
    """`first` gets `adult` from its page, so its missing face counts; `second` is a copy of it, `page` is not."""
    page = marked("adult", **PAGE)
    first = Seen(frozenset({"no-face"}), files=frozenset({1}), pages=frozenset({1}))
    second = marked("", **FILE)
    assert inherited(POLICY, page, first, second) == [set(), {ADULT, MINOR}, {ADULT, MINOR}]


def test_marks_earned_beside_inherited_ones_may_earn_more() -> None:
    one = Seen(frozenset({"grey"}), **FILE)  # type: ignore[arg-type]
    other = Seen(frozenset({"no-face"}), **FILE)  # type: ignore[arg-type]
    assert inherited(POLICY, one, other) == [{MINOR, ADULT}, {MINOR, ADULT, GREY}]


def test_a_corpus_of_nothing_and_shards_without_samples_are_joined() -> None:
    assert joined(POLICY, []) == []
    assert joined(POLICY, [[], [evidence(1, 0, marked("minor", **FILE))], []]) == [[], [set()], []]


def test_many_copies_cost_no_pairs() -> None:
    """Eight thousand times the same picture are thirty million pairs."""
    copies = [evidence(0, index, marked("minor" if not index else "", **FILE, **picture(0))) for index in range(8_000)]
    (found,) = joined(POLICY, [copies])
    assert found == [set(), *[{MINOR}] * 7_999]


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no more"])
def test_inherited_marks_that_cannot_be_read_are_told_by_file(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "00000.parquet").write_bytes(damage)
    with pytest.raises(SealError, match=r"00000\.parquet"):
        read_inherited(tmp_path / "00000.parquet")


def test_evidence_itself_is_not_taken_for_inherited_marks(tmp_path: Path) -> None:
    write(tmp_path / "00000.parquet", [evidence(0, 0, Seen())])
    with pytest.raises(SealError, match="columns"):
        read_inherited(tmp_path / "00000.parquet")


def test_the_file_is_for_its_owner_alone_and_the_same_each_time(tmp_path: Path) -> None:
    write(tmp_path / "evidence", [evidence(0, 0, marked("minor", **FILE)), evidence(0, 1, marked("", **FILE))])
    for name in ("one", "two"):
        join_corpus(POLICY, [(tmp_path / "evidence", tmp_path / name)])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600
