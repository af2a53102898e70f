from dataclasses import replace
from typing import Any

import pytest

from filters.config import load_policy
from filters.lists import ListSource
from filters.policy import Policy, Rule
from filters.policycheck import problems

POLICY = load_policy("partition")


def only(policy: Policy) -> str:
    (problem,) = problems(policy)
    return problem


def ruled(rule: Rule) -> Policy:
    return replace(POLICY, rules=(*POLICY.rules, rule))


def listing(category: str, *more: str) -> Policy:
    source = ListSource("ours", "ours.csv", "urls", category, categories=more)
    urls: Any = POLICY.filters[0]
    return replace(POLICY, filters=(replace(urls, lists=(source,)), *POLICY.filters[1:]))


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (Rule("r", "adult", "adlut"), "filter 'adlut' is not enabled; did you mean 'adult'?"),
        (Rule("r", "adult", "encoder"), "filter 'encoder' is not enabled. Enable it"),
        (Rule("r", "adult", "adult", ("scores",)), "never gives the label 'scores'; did you mean 'score'?"),
        (Rule("r", "adult", "adult", ("zzz",)), "never gives the label 'zzz'. Known: score, unexamined."),
        (Rule("r", "listed", "urls", ("csem",)), "never gives the label 'csem'; did you mean 'csam'?"),
        (Rule("r", "listed", "*", ("csem",)), "never gives the label 'csem'; did you mean 'csam'?"),
        (Rule("r", "minors", "minors"), "mark 'minors' is too near a mark of fixed meaning"),
        (Rule("r", "", "minors"), "the mark is empty"),
        (Rule("r", "adult", "adult", beside=("minnor",)), "beside 'minnor', but no rule gives that mark; did you"),
        (Rule("r", "adult", "adult", at_least=0.9, at_most=0.1), "at_least is above at_most"),
        (Rule("r", "adult", "adult", at_least=float("nan")), "not a number that a value can reach"),
        (Rule("r", "adult", "adult", at_most=float("inf")), "not a number that a value can reach"),
        (Rule("r", "adult", "adult", at_least=80), "scores of 'adult' lie in 0..1"),
        (Rule("r", "adult", "*", at_least=0.5), "would compare years, bits and scores"),
        (Rule("r", "unexamined", "adult", at_least=0.5, unexamined=True), "has no value, so a threshold never holds"),
        (Rule("r", "unexamined", "structure"), "so this never fires; add unexamined = true"),
    ],
)
def test_a_rule_that_asks_for_what_cannot_be_is_refused(rule: Rule, why: str) -> None:
    problem = only(ruled(rule))
    assert why in problem
    assert problem.startswith("[[rules]] 'r': ")


@pytest.mark.parametrize(
    "rule",
    [
        Rule("r", "unexamined", "structure", ("any words at all",), unexamined=True),
        Rule("r", "withdrawn", "*", ("opt-out",)),
        Rule("r", "listed", "urls", ("csam",)),  # without any list of that category
        Rule("r", "blank", "perceptual", ("not-effective",)),
        Rule("r", "unexamined", "adult", ("unexamined",), unexamined=True),
        Rule("r", "near", "perceptual", ("csam",), at_most=10),  # a distance is a fact, not a score
    ],
)
def test_a_rule_that_can_be_earned_is_accepted(rule: Rule) -> None:
    assert problems(ruled(rule)) == []


def test_a_threshold_on_a_model_needs_the_word_uncalibrated() -> None:
    problem = only(replace(POLICY, uncalibrated=False))
    assert "'adult score'" in problem
    assert "uncalibrated = true" in problem


@pytest.mark.parametrize(
    "weaker",
    [
        {"labels": ("unexamined",)},
        {"beside": ("adult",)},
        {"filter": "adult"},
        {"mark": "unseen"},
        {"unexamined": False},
    ],
)
def test_a_policy_withholds_whatever_any_filter_could_not_examine(weaker: dict[str, Any]) -> None:
    rules = tuple(replace(rule, **weaker) if rule.name == "unexamined" else rule for rule in POLICY.rules)
    assert "no rule withholds what a filter could not examine" in only(replace(POLICY, rules=rules))


def test_a_list_whose_matches_no_rule_asks_for_is_refused() -> None:
    assert "'urls' for category 'csem', so a match would earn no mark; did you mean 'csam'?" in only(listing("csem"))


def test_a_further_category_of_a_list_must_be_asked_for_as_well() -> None:
    assert "category 'terror', so a match would earn no mark" in only(listing("csam", "terror"))


def test_a_category_of_ones_own_is_known_once_a_list_has_it_and_a_rule_asks_for_it() -> None:
    rule = Rule("own", "listed", "urls", ("terror",))
    policy = listing("csam", "terror")
    assert problems(replace(policy, rules=(*policy.rules, rule))) == []
    assert "never gives the label 'terror'" in only(ruled(rule))


def test_a_rule_without_labels_asks_for_every_category() -> None:
    policy = listing("terror")
    assert problems(replace(policy, rules=(*policy.rules, Rule("any", "listed", "urls")))) == []
