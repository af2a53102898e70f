"""Evidence and policies for hypothesis: coded words and planted values only."""

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from filters.finding import STRUCTURE, Examine, Finding, Material
from filters.fingerprints import Fingerprint
from filters.policy import ADULT, LISTED, MINOR, OPTED_OUT, UNEXAMINED, Deadlines, Partition, Policy, Rule
from filters.sample import Batch
from manifests.evidence import Evidence

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

# Text as a tar header may hold it: NUL, backslashes and bytes that are no UTF-8 among the rest.
ODD_TEXT = st.text(max_size=8) | st.lists(
    st.sampled_from(("\\", "u", "\\u", "dc80", "005c", "d8", "\0", "\udc80", "\ud800", "'", "é", "日")), max_size=6
).map("".join)
NAMES = ("digests", "perceptual", "urls", "captions", "minors", "adult")
LABELS = ("codeword-alpha", "codeword-beta")
WHY = ("undecodable", "failed: ValueError", "no image", "/codeword/path: 7")
SHA256 = "5d" * 32


@dataclass(frozen=True, slots=True)
class Named:
    """A filter by name only."""

    name: str
    conclusive: tuple[str, ...] = ()
    labels: tuple[str, ...] = LABELS

    def materials(self) -> tuple[Material, ...]:
        return ()

    def load(self) -> Examine:
        def examine(batch: Batch) -> list[tuple[Finding, ...]]:
            return [()] * len(batch)

        return examine


PARTITION = Policy(
    "partition",
    filters=tuple(Named(name) for name in NAMES),
    rules=(
        Rule("known digest", LISTED, "digests", ("codeword-alpha",)),
        Rule("opted out", OPTED_OUT, "digests", ("codeword-beta",)),
        Rule("abuse words", "abuse", "captions", ("codeword-abuse",)),
        Rule("suspect picture", "abuse", "adult", ("codeword-suspect",)),
        Rule("known picture", LISTED, "perceptual", at_most=31),
        Rule("known address", LISTED, "urls", ("codeword-alpha",)),
        Rule("adult site", ADULT, "urls", ("codeword-beta",)),
        Rule("adult words", ADULT, "captions", ("codeword-alpha",)),
        Rule("minor words", MINOR, "captions", ("codeword-beta",)),
        Rule("minor face", MINOR, "minors", ("codeword-alpha",), at_least=0.5),
        Rule("doubtful face", MINOR, "minors", ("codeword-beta",), beside=(ADULT,)),
        Rule("adult picture", ADULT, "adult", at_least=0.5),
        Rule("unexamined", UNEXAMINED, "*", unexamined=True),
    ),
    partitions=(Partition("general"), Partition("minors", (MINOR,)), Partition("adult", (ADULT,))),
    deadlines=Deadlines(),
)
FORGETFUL = Policy(  # has no rule for what is unexamined, and allows everything that a policy can name
    "forgetful",
    filters=PARTITION.filters,
    rules=PARTITION.rules[:-1],
    partitions=(Partition("all", (ADULT, MINOR, LISTED, UNEXAMINED, OPTED_OUT)),),
)
STRICT = Policy("strict", filters=PARTITION.filters, rules=PARTITION.rules, partitions=(Partition("general"),))
AUDIT_ONLY = Policy("audit-only", filters=PARTITION.filters, rules=PARTITION.rules)
POLICIES = st.sampled_from((PARTITION, STRICT, AUDIT_ONLY, FORGETFUL))
MARKS = st.lists(st.sampled_from((LISTED, ADULT, MINOR, OPTED_OUT)), max_size=3).map(tuple)

FINDINGS = st.builds(
    Finding,
    filter=st.sampled_from((*NAMES, STRUCTURE)),
    label=st.sampled_from(LABELS),
    value=st.none() | st.floats(0, 1) | st.integers(0, 64).map(float),
    source=st.sampled_from(("", "list-alpha 3")),
    entry=st.sampled_from(("", "a1" * 16, "b2" * 16)),
    form=st.sampled_from(("", "as stored, mirrored")),
    unexamined=st.sampled_from(("", "", "", *WHY)),
    classification=st.sampled_from(("", "codeword-class")),
)


def tuples(each: st.SearchStrategy[Any], size: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(each, max_size=size).map(tuple)


EVIDENCE = st.builds(
    Evidence,
    shard=st.just("00000.tar"),
    index=st.integers(0, 9999),
    key=st.from_regex(r"[0-9]{5}", fullmatch=True),
    offset=st.integers(0, 2**40),
    length=st.integers(512, 2**30),
    groups=tuples(st.just("c3" * 16), 2),
    findings=tuples(FINDINGS, 5),
    examined=st.just(NAMES) | st.lists(st.sampled_from(NAMES), unique=True).map(tuple),
)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
ODD_FINDINGS = st.builds(
    Finding,
    ODD_TEXT,
    ODD_TEXT,
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    *(ODD_TEXT for _ in range(4)),
)
ODD_EVIDENCE = st.builds(
    Evidence,
    ODD_TEXT,
    INTEGERS,
    ODD_TEXT,
    INTEGERS,
    INTEGERS,
    tuples(ODD_TEXT),
    tuples(st.builds(Fingerprint, ODD_TEXT, ODD_TEXT, st.binary(max_size=40), st.none() | st.integers(0, 100))),
    tuples(ODD_FINDINGS),
    tuples(ODD_TEXT),
)


def evidence(*findings: Finding, examined: tuple[str, ...] = NAMES, index: int = 0, key: str = "00000") -> Evidence:
    return Evidence("00000.tar", index, key, 1024 * index, 1024, (), (), findings, examined)
