"""What each shipped profile does with a sample, as a table."""

import tomllib
from collections.abc import Sequence
from itertools import combinations

import pytest

from filters.config import POLICIES, load_policy, profiles
from filters.errors import ListError
from filters.finding import Finding
from filters.policy import ADULT, APART, LISTED, MINOR, UNEXAMINED, earn, place

NO_FACE = Finding("minors", "no-usable-face")
SMALL_FACE = Finding("minors", "small-face", value=25)
MINOR_TERM = Finding("captions", "minor")
DETAILS = Finding("captions", "personal-details")
ADULT_TERM = Finding("captions", "adult")
ADULT_SITE = Finding("urls", "adult-site")
PARTITIONS = ("partition", "no-adult", "no-minors", "strict", "deaging", "audit-only")


def adult(score: float) -> Finding:
    return Finding("adult", "score", value=score)


def age(years: float) -> Finding:
    return Finding("minors", "apparent-age", value=years)


WITHHELD = ("withheld",) * 6
GENERAL = ("general", "general", "general", "general", "general", "withheld")
MINORS = ("minors", "general", "withheld", "withheld", "minors", "withheld")
GREY = ("general", "withheld", "general", "withheld", "withheld", "withheld")
ADULTS = ("adult", "withheld", "general", "withheld", "withheld", "withheld")

# What a sample shows, and where it goes under PARTITIONS.
TABLE: dict[str, tuple[Sequence[Finding], tuple[str, ...]]] = {
    "nothing at all": ([], GENERAL),
    "a landscape without a face": ([NO_FACE, adult(0.01)], GENERAL),
    "a crowd of small faces": ([NO_FACE, SMALL_FACE, adult(0.05)], GENERAL),
    "an adult of 50": ([age(50), adult(0.01)], GENERAL),
    "an adult of 28, past the challenge age": ([age(27.1), adult(0.01)], GENERAL),
    "a person of 27": ([age(27), adult(0.01)], MINORS),
    "a child": ([age(8), adult(0.1)], MINORS),
    "a landscape whose caption speaks of a minor": ([NO_FACE, MINOR_TERM, adult(0.01)], MINORS),
    "the grey band with a face of 50": ([age(50), adult(0.25)], GREY),
    "the grey band with a face of 41": ([age(41), adult(0.2)], GREY),
    "the grey band without a face": ([NO_FACE, adult(0.25)], WITHHELD),
    "the grey band with a face of 40": ([age(40), adult(0.25)], WITHHELD),
    "the grey band with a small face": ([age(50), SMALL_FACE, adult(0.25)], WITHHELD),
    "the grey band with a child": ([age(8), adult(0.25)], WITHHELD),
    "the grey band with a minor in the caption": ([age(50), MINOR_TERM, adult(0.25)], WITHHELD),
    "adult content with a face of 50": ([age(50), adult(0.9)], ADULTS),
    "adult content with a face of 35": ([age(35), adult(0.9)], WITHHELD),
    "adult content without a face": ([NO_FACE, adult(0.8)], WITHHELD),
    "adult content with a small face": ([age(50), SMALL_FACE, adult(0.9)], WITHHELD),
    "adult content with a child": ([age(8), adult(0.9)], WITHHELD),
    "an adult term and a face of 50": ([age(50), ADULT_TERM, adult(0.01)], ADULTS),
    "an adult term and no face": ([NO_FACE, ADULT_TERM, adult(0.01)], WITHHELD),
    "an adult site and a face of 50": ([age(50), ADULT_SITE, adult(0.01)], ADULTS),
    "an adult site and no face": ([NO_FACE, ADULT_SITE, adult(0.01)], WITHHELD),
    "an adult term and a minor term": ([age(50), ADULT_TERM, MINOR_TERM, adult(0.01)], WITHHELD),
    "a listed digest": ([Finding("digests", "csam")], WITHHELD),
    "a listed picture": ([Finding("perceptual", "ncii", value=12)], WITHHELD),
    "a part of a listed picture": ([Finding("perceptual", "partial", value=12), age(50), adult(0.01)], WITHHELD),
    "a picture withdrawn by its owner": ([Finding("perceptual", "opt-out", value=0)], WITHHELD),
    "a picture too flat for a hash": ([Finding("perceptual", "not-effective", value=3), NO_FACE, adult(0.01)], GENERAL),
    "a listed address": ([Finding("urls", "csam")], WITHHELD),
    "an address of a site for intimate pictures without consent": ([Finding("urls", "ncii-site")], WITHHELD),
    "a caption that solicits": ([Finding("captions", "solicitation"), age(50), adult(0.01)], WITHHELD),
    "a caption that advertises": ([Finding("captions", "advertising"), NO_FACE, adult(0.01)], WITHHELD),
    "a caption that grooms": ([Finding("captions", "grooming"), NO_FACE, adult(0.01)], WITHHELD),
    "a caption that extorts": ([Finding("captions", "sextortion"), NO_FACE, adult(0.01)], WITHHELD),
    "a caption that offers intimate pictures": ([Finding("captions", "ncii"), NO_FACE, adult(0.01)], WITHHELD),
    "personal details of an adult": ([DETAILS, age(50), adult(0.01)], GENERAL),
    "personal details of an adult in the grey band": ([DETAILS, age(50), adult(0.25)], GREY),
    "personal details of a child": ([DETAILS, age(8), adult(0.01)], WITHHELD),
    "personal details beside a minor in the caption": ([DETAILS, MINOR_TERM, NO_FACE, adult(0.01)], WITHHELD),
    "a term of personal details beside a child": ([Finding("captions", "personal"), age(8), adult(0.01)], WITHHELD),
    "a newborn in the caption and a face too small": ([MINOR_TERM, SMALL_FACE, adult(0.01)], MINORS),
    "a newborn in the caption and a face of 35": ([MINOR_TERM, age(35), adult(0.01)], MINORS),
    "a newborn in the caption, adult content and a face of 50": ([MINOR_TERM, age(50), adult(0.9)], WITHHELD),
    "a newborn in the caption, adult content and no face": ([MINOR_TERM, NO_FACE, adult(0.9)], WITHHELD),
    "an age in the caption and a face too small": ([Finding("captions", "minor", 7.0), SMALL_FACE], MINORS),
    "one filter that could not look": ([Finding("adult", "unexamined", unexamined="no image"), age(50)], WITHHELD),
    "a fault of the shard": ([Finding("structure", "bad name", unexamined="bad name")], WITHHELD),
    "a score that is not a number": ([Finding("adult", "score", unexamined="value is not a number")], WITHHELD),
}


@pytest.mark.parametrize("shown", TABLE)
@pytest.mark.parametrize("profile", PARTITIONS)
def test_each_profile_places_each_sample_as_the_table_says(profile: str, shown: str) -> None:
    findings, expected = TABLE[shown]
    policy = load_policy(profile)
    assert place(policy, earn(policy, findings).marks) == expected[PARTITIONS.index(profile)]


def test_the_table_covers_every_shipped_profile() -> None:
    assert set(PARTITIONS) == set(profiles())


@pytest.mark.parametrize("profile", profiles())
def test_no_combination_of_evidence_reaches_an_output_with_both_sides_of_the_wall(profile: str) -> None:
    policy = load_policy(profile)
    shown = [NO_FACE, SMALL_FACE, MINOR_TERM, ADULT_TERM, ADULT_SITE, adult(0.3), adult(0.9), age(8), age(35), age(50)]
    for size in range(len(shown) + 1):
        for findings in combinations(shown, size):
            earned = earn(policy, findings)
            if earned.marks >= APART or earned.marks & {LISTED, UNEXAMINED}:
                assert place(policy, earned.marks) == "withheld"


@pytest.mark.parametrize("profile", profiles())
def test_a_word_in_the_caption_never_frees_a_sample(profile: str) -> None:
    """Law 3 for text: whatever the picture shows, one more finding in the caption opens no output to it."""
    policy = load_policy(profile)
    allowed = {each.name: set(each.allows) for each in policy.partitions}
    pictures = [NO_FACE, SMALL_FACE, age(8), age(35), age(50), adult(0.01), adult(0.25), adult(0.9)]
    words = [MINOR_TERM, ADULT_TERM, DETAILS, Finding("captions", "sextortion"), Finding("captions", "minor", 7.0)]
    for size in range(4):
        for shown in combinations(pictures, size):
            before = earn(policy, list(shown)).marks
            for word in words:
                after = earn(policy, [*shown, word]).marks
                assert before <= after
                assert {name for name in allowed if after <= allowed[name]} <= {
                    name for name in allowed if before <= allowed[name]
                }


@pytest.mark.parametrize("profile", profiles())
def test_an_output_that_may_hold_minors_holds_no_evidence_of_adult_content(profile: str) -> None:
    for partition in load_policy(profile).partitions:
        if MINOR in partition.allows:
            assert not {ADULT, "adult-evidence"} & set(partition.allows)


@pytest.mark.parametrize("mark", [MINOR, ADULT])
def test_a_tied_sample_turns_doubt_into_a_mark(mark: str) -> None:
    policy = load_policy("partition")
    assert earn(policy, [NO_FACE, adult(0.25)], inherited=[mark]).marks >= APART


def test_the_deaging_profile_can_never_emit_adult_content() -> None:
    assert not any({ADULT, "adult-evidence"} & set(each.allows) for each in load_policy("deaging").partitions)


@pytest.mark.parametrize("profile", sorted(set(profiles()) - {"partition"}))
def test_a_profile_is_a_short_table_over_the_default_one(profile: str) -> None:
    file = tomllib.loads((POLICIES / f"{profile}.toml").read_text(encoding="utf-8"))
    assert set(file) == {"extends", "name", "description", "partitions"}
    assert load_policy(profile).rules == load_policy("partition").rules


def test_a_filter_without_a_list_refuses_to_load_and_one_with_the_shipped_terms_can_be_relied_on() -> None:
    for each in load_policy("partition").filters:
        if each.name in ("urls", "digests", "perceptual"):
            with pytest.raises(ListError):
                each.load()
        if each.name == "captions":
            assert {material.name for material in each.materials()} == {"minor-terms", "adult-terms"}
