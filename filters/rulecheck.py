"""What the rules of a policy must say: each asks for something that can be found, and nothing found is ignored."""

import math
from collections.abc import Iterator

from filters import LIST_KINDS
from filters.finding import PARTIAL, STRUCTURE, Filter
from filters.lists import ListSource
from filters.policy import ADULT, ANY_FILTER, LISTED, MINOR, UNEXAMINED, Policy, Rule
from filters.policyfile import hint, nearest

# Labels that a list-driven filter is known to give whatever lists it has, so that a shipped rule may name a category
# for which the user has no list yet. A category of one's own becomes known by being the `category` of a list.
USUAL_CATEGORIES = {
    "hashes": ("csam", "ncii", "opt-out"),
    "urls": ("csam", "ncii", "ncii-site", "adult-site", "opt-out"),
    "terms": ("minor", "adult", "solicitation", "advertising", "grooming", "sextortion", "ncii", "personal"),
}
MODELS = frozenset({"minors", "adult", "encoder"})  # their values are scores, not facts
SCORES = frozenset({"adult", "encoder"})  # of these, the ones whose unit is 0..1
MARKS = (LISTED, UNEXAMINED, ADULT, MINOR)  # the marks whose meaning the code knows


def rule_problems(policy: Policy) -> Iterator[str]:
    """Yield what stands against the rules of this policy, one sentence each."""
    for rule in policy.rules:
        where = f"[[rules]] {rule.name!r}:"
        for check in (_source, _labels, _mark, _partial, _bounds, _scale, _blind):
            yield from (f"{where} {problem}" for problem in check(policy, rule))
    yield from _uncovered(policy)
    yield from _unasked(policy)


def lists_of(each: Filter) -> tuple[ListSource, ...]:
    """Return the lists that a filter reads; none for a filter that reads none."""
    return tuple(getattr(each, "lists", ()))


def known_labels(each: Filter) -> frozenset[str]:
    """Return every label that a rule may ask of this filter."""
    own = {*each.labels, *(label for source in lists_of(each) for label in source.labels), UNEXAMINED}
    return frozenset(own.union(USUAL_CATEGORIES.get(LIST_KINDS.get(each.name, ""), ())))


def _source(policy: Policy, rule: Rule) -> Iterator[str]:
    known = [each.name for each in policy.filters] + [ANY_FILTER, STRUCTURE]
    if rule.filter not in known:
        near = nearest(rule.filter, known) or "."
        yield f"filter {rule.filter!r} is not enabled{near} Enable it under [[filters]] or drop the rule."


def _labels(policy: Policy, rule: Rule) -> Iterator[str]:
    asked = [each for each in policy.filters if rule.filter in (ANY_FILTER, each.name)]
    if not asked:  # the reader's own findings, whose labels say what is wrong in free words; or not enabled
        return
    known = frozenset[str]().union(*map(known_labels, asked))
    for label in rule.labels:
        if label not in known:
            yield f"filter {rule.filter!r} never gives the label {label!r}{hint(label, sorted(known))}"


def _mark(policy: Policy, rule: Rule) -> Iterator[str]:
    given = {each.mark for each in policy.rules}
    if not rule.mark.strip():
        yield "the mark is empty, so nothing would be held against the sample; name one."
    if rule.mark not in MARKS and (near := nearest(rule.mark, MARKS, 0.8)):
        yield f"mark {rule.mark!r} is too near a mark of fixed meaning to be told apart{near}"
    for mark in rule.beside:
        if mark not in given:
            yield f"beside {mark!r}, but no rule gives that mark{nearest(mark, given) or '; give it or drop it.'}"


def _partial(policy: Policy, rule: Rule) -> Iterator[str]:
    """A picture that seems to be part of a listed one is for a person to review, and no known material."""
    giving = [each for each in policy.filters if PARTIAL in each.labels and rule.filter in (ANY_FILTER, each.name)]
    if giving and rule.mark == LISTED and not rule.unexamined and (not rule.labels or PARTIAL in rule.labels):
        said = "names the label" if rule.labels else "names no labels, so it asks for"
        yield f"{said} {PARTIAL!r}, which is no match of known material; give that another mark in a rule of its own."


def _bounds(_: Policy, rule: Rule) -> Iterator[str]:
    bounds = [bound for bound in (rule.at_least, rule.at_most) if bound is not None]
    if not all(math.isfinite(bound) for bound in bounds):
        yield "at_least or at_most is not a number that a value can reach; write a finite one."
    if rule.at_least is not None and rule.at_most is not None and rule.at_least > rule.at_most:
        yield "at_least is above at_most, so nothing could earn it; correct one of them."


def _scale(_: Policy, rule: Rule) -> Iterator[str]:
    if rule.filter in SCORES and rule.at_least is not None and rule.at_least > 1:
        yield f"at_least is above 1, but scores of {rule.filter!r} lie in 0..1; write 0.8 for 80 %."
    if rule.filter == ANY_FILTER and bounded(rule):
        yield 'a threshold for filter "*" would compare years, bits and scores; name one filter.'


def _blind(_: Policy, rule: Rule) -> Iterator[str]:
    if rule.unexamined and bounded(rule):
        yield "what was not examined has no value, so a threshold never holds; drop the threshold or unexamined."
    if rule.filter == STRUCTURE and not rule.unexamined:
        yield "a fault of structure always means unexamined, so this never fires; add unexamined = true."


def _uncovered(policy: Policy) -> Iterator[str]:
    if not any(_covers_all(rule) for rule in policy.rules):
        yield (
            'no rule withholds what a filter could not examine; add [[rules]] name = "unexamined", filter = "*", '
            'unexamined = true, mark = "unexamined", without labels, thresholds or beside.'
        )


def _covers_all(rule: Rule) -> bool:
    bare = not rule.labels and not rule.beside and not bounded(rule)
    return bare and rule.filter == ANY_FILTER and rule.unexamined and rule.mark == UNEXAMINED


def bounded(rule: Rule) -> bool:
    """Tell whether a rule has a threshold."""
    return rule.at_least is not None or rule.at_most is not None


def _unasked(policy: Policy) -> Iterator[str]:
    """Yield every list whose matches no rule asks for: they would be found and held against nobody."""
    for each in policy.filters:
        asking = [rule for rule in policy.rules if rule.filter in (each.name, ANY_FILTER) and not rule.unexamined]
        wanted = {label for rule in asking for label in rule.labels}
        for source in lists_of(each):
            for label in source.labels if all(rule.labels for rule in asking) else ():
                if label not in wanted:
                    near = nearest(label, wanted) or "; add a rule or drop the list."
                    told = (
                        f"no rule asks filter {each.name!r} for category {label!r}, so a match would earn no mark{near}"
                    )
                    yield f"[[lists]] {source.name!r}: {told}"
