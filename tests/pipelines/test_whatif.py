"""What evidence says of another policy is what a run with that policy does, and where it cannot tell it says so."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from filters.config import load_policy
from filters.errors import PolicyError, SealError
from filters.policy import Policy, Ties
from manifests.manifest import Decision
from manifests.reasons import NEVER_SHOWN
from manifests.whatif import Pair
from pipelines.whatif import WhatIf, changed, curve, pairs, run_policy, what_if
from tests.corpora import write_policy
from tests.pipelines.measured_run import KNOWN, PARTITIONS, RULES, decisions, policy_text, run, write_corpus
from tests.tree import digests

OTHER_SCORE = RULES.replace("at_least = 0.005", "at_least = 0.012")
TIES = '[ties]\nsame_bytes = false\nnear_duplicate_bits = "off"\n'
STRICT = {"general": '["grey"]', "grown": '["adult", "grey"]'}


@dataclass(frozen=True, slots=True)
class Runs:
    """One corpus cleaned under two policies; `texts` are the policies."""

    folder: Path
    one: Path
    other: Path
    texts: tuple[str, str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("whatif")
    source = write_corpus(folder / "in")
    texts = policy_text(), policy_text(STRICT, OTHER_SCORE) + TIES
    one, other = (run(source, folder / name, text) for name, text in zip(("one", "other"), texts, strict=True))
    return Runs(folder, one, other, texts)


def policy_of(folder: Path, text: str) -> Policy:
    path = write_policy(folder, [KNOWN])
    path.write_text(text)
    return load_policy(path)


def plain(decision: Decision) -> Decision:
    """Return a decision without the ids of list entries, which each run has of its own."""
    return replace(decision, findings=tuple(replace(each, entry="") for each in decision.findings))


def answered(output: Path, policy: Policy | None, *changes: str) -> list[Pair]:
    return list(pairs(what_if(output, policy, changes)))


def test_both_policies_place_samples_everywhere_and_not_alike(runs: Runs) -> None:
    one, other = decisions(runs.one), decisions(runs.other)
    assert {each.partition for each in one} == {"general", "minors", "adult", "withheld"}
    assert len([1 for a, b in zip(one, other, strict=True) if a.partition != b.partition]) > 5
    assert [each for each in one if set(each.inherited) & {"adult", "minor", "listed"}]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_answer_is_what_a_run_with_that_policy_decides(runs: Runs, backwards: bool) -> None:
    """Thresholds, partitions and ties differ; marks, rules, reasons and what is inherited are compared as well."""
    asked, run_with = (runs.other, runs.one) if backwards else (runs.one, runs.other)
    policy = policy_of(run_with.parent / "policy", runs.texts[0 if backwards else 1])
    found = answered(asked, policy)
    assert [plain(each.before) for each in found] == [plain(each) for each in decisions(asked)]
    assert [plain(each.after) for each in found] == [plain(each) for each in decisions(run_with)]
    assert not any(each.again for each in found)


def test_the_answer_for_the_policy_of_the_run_is_the_run(runs: Runs) -> None:
    assert all(each.before == each.after for each in answered(runs.one, None))


def test_a_changed_threshold_and_changed_ties_are_those_of_a_run(runs: Runs) -> None:
    asked = what_if(runs.one, None, ["adult score at_least=0.012"])
    ties = Ties(same_bytes=False, near_duplicate_bits=None)
    other = policy_of(runs.other.parent / "policy", runs.texts[1])
    same = replace(asked, policy=replace(asked.policy, ties=ties, partitions=other.partitions))
    assert [plain(each.after) for each in pairs(same)] == [plain(each) for each in decisions(runs.other)]


def test_no_image_is_read_and_nothing_is_written(runs: Runs, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(runs.one, output)
    source = runs.folder / "in"
    hidden = source.rename(runs.folder / "hidden")
    before = digests(output)
    try:
        assert len(answered(output, None, "adult score at_least=0.02")) == len(decisions(output))
        assert list(curve(what_if(output, None), "adult score"))
    finally:
        hidden.rename(source)
    assert digests(output) == before


def without(text: str, name: str) -> str:
    """Return the policy without a filter and its rules."""
    tables = text.split("[[")
    filters = ("filters]]\nname", "rules]]\n")
    return "[[".join(
        each
        for each in tables
        if not each.startswith(f'{filters[0]} = "{name}"')
        and not (each.startswith(filters[1]) and f'filter = "{name}"' in each)
        and not (each.startswith("lists]]") and {"digests": "hashes"}.get(name, "-") in each)
    )


def test_a_filter_that_the_policy_lacks_leaves_no_trace_and_what_it_hid_is_counted(runs: Runs, tmp_path: Path) -> None:
    """Digests were conclusive: what they matched was shown to no later filter, and a run would have to look."""
    text = without(runs.texts[0], "digests")
    real = {(d.shard, d.index): plain(d) for d in decisions(run(runs.folder / "in", tmp_path, text))}
    found = answered(runs.one, policy_of(tmp_path / "policy", text))
    assert {each.before.key for each in found if each.again} == {"known", "known-copy"}
    seen = [each for each in found if not each.again]
    assert [plain(each.after) for each in seen] == [real[each.before.shard, each.before.index] for each in seen]
    hidden = [each.after for each in found if each.again]
    assert {(each.partition, each.reasons[0]) for each in hidden} == {("withheld", NEVER_SHOWN)}


def test_what_a_filter_that_the_run_did_not_have_would_find_is_not_guessed(runs: Runs, tmp_path: Path) -> None:
    text = runs.texts[0].replace(
        '[[filters]]\nname = "adult"', '[[filters]]\nname = "minors"\n\n[[filters]]\nname = "adult"'
    )
    asked = what_if(runs.one, policy_of(tmp_path, text))
    assert (asked.unseen, asked.dropped) == (("minors",), ())
    assert {each.after.partition for each in pairs(asked)} == {"withheld"}


def test_a_filter_with_other_parameters_or_another_list_has_not_looked(runs: Runs, tmp_path: Path) -> None:
    text = runs.texts[0].replace('name = "captions"', 'name = "captions"\nadult_age = 21', 1)
    assert what_if(runs.one, policy_of(tmp_path / "a", text)).unseen == ("captions",)
    policy = policy_of(tmp_path / "b", runs.texts[0])
    (tmp_path / "b" / "urls.csv").write_text("http://another.test/\n")
    asked = what_if(runs.one, policy)
    assert (asked.unseen, asked.dropped) == (("urls",), ("urls",))
    assert {each.after.partition for each in pairs(asked)} == {"withheld"}


@pytest.mark.parametrize("table", ["[limits]\nmax_frames = 3\n", '[ties]\npage_fields = ["page"]\n'])
def test_what_evidence_cannot_answer_is_refused(runs: Runs, tmp_path: Path, table: str) -> None:
    with pytest.raises(PolicyError, match="evidence cannot tell"):
        what_if(runs.one, policy_of(tmp_path, runs.texts[0] + table))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("adult scores at_least=0.5", "did you mean 'adult score'"),
        ("adult score", "has no rule 'adult'"),
        ("adult score at_leest=0.5", "a change is a rule and a threshold"),
        ("adult score at_least=much", "a change is a rule and a threshold"),
        ("adult score at_least=nan", "a change is a rule and a threshold"),
        ("adult score at_least=80", "scores of 'adult' lie in 0..1"),
        ("unexamined at_least=0.5", "a threshold never holds"),
    ],
)
def test_a_change_that_cannot_be_is_refused(runs: Runs, words: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        changed(run_policy(runs.one), [words])


def test_each_point_of_a_curve_is_the_answer_for_its_threshold(runs: Runs) -> None:
    points = list(curve(what_if(runs.one, None), "adult score"))
    assert len(points) > 5
    assert 0.005 in [each.threshold for each in points]
    for each in (points[0], points[4]):
        placed = [pair.after.partition for pair in answered(runs.one, None, f"adult score at_least={each.threshold}")]
        assert {name: placed.count(name) for name in each.places} == each.places
    assert list(points[0].places) == [*PARTITIONS, "withheld"]
    adult = [each.places["general"] for each in points]
    assert adult == sorted(adult)


@pytest.mark.parametrize("rule", ["listed", "unexamined"])
def test_a_rule_without_a_threshold_has_no_curve(runs: Runs, rule: str) -> None:
    with pytest.raises(PolicyError, match="needs one threshold"):
        list(curve(what_if(runs.one, None), rule))


def test_a_run_without_its_policy_cannot_be_asked(tmp_path: Path, runs: Runs) -> None:
    shutil.copytree(runs.one / "restricted", tmp_path / "restricted")
    with pytest.raises(SealError, match="does not hold the policy"):
        what_if(tmp_path, None)
    (tmp_path / "audit").mkdir()
    shutil.copy(runs.other / "audit" / "policy.json", tmp_path / "audit")
    with pytest.raises(SealError, match="another policy than that of its run"):
        what_if(tmp_path, None)


def leftovers(output: Path) -> Iterator[Path]:
    yield from (output / "restricted").glob("what-if-*")


def test_evidence_is_copied_within_the_restricted_store_alone_and_goes_again(runs: Runs, tmp_path: Path) -> None:
    asked: WhatIf = what_if(runs.one, policy_of(tmp_path, without(runs.texts[0], "digests")))
    found = pairs(asked)
    next(found)
    (copies,) = leftovers(runs.one)
    assert copies.stat().st_mode & 0o077 == 0
    found.close()  # type: ignore[attr-defined]
    assert not list(leftovers(runs.one))
