"""Why a sample is withheld, in a fixed vocabulary: for the closing table, the reporting queue and published counts.

A reason follows from the marks that keep the sample out, the rules that gave them, and the filters whose findings
earned them. It never quotes what a filter saw.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from filters.finding import NOT_EFFECTIVE, PARTIAL, STRUCTURE, Finding
from filters.policy import APART, LISTED, NEVER_ALLOWED, NOT_SHOWN, UNEXAMINED, WITHHELD, Earned, Policy, place

DIGEST = "known material (digest)"
PERCEPTUAL = "known material (perceptual)"
URL = "listed URL"
TOGETHER = "adult and minor together"
CLASSIFIER = "classifier"
TEXT = "text"
PARTLY = "part of listed material, perhaps"  # what a perceptual match of a part says: for a person to review
OTHER_LIST = "other listed material"  # on a hash list that gives another mark than "listed": an opt-out, say
UNEXAMINED_WHY = "unexamined: "  # followed by the class of why
FAULT = "structural fault"
NEVER_SHOWN = UNEXAMINED_WHY + NOT_SHOWN
TIED = "tied to another sample"
NO_PARTITION = "no partition in the policy"

_BEFORE = (DIGEST, PERCEPTUAL, URL, TOGETHER, PARTLY, CLASSIFIER, TEXT, OTHER_LIST)
_AFTER = (FAULT, NEVER_SHOWN, TIED, NO_PARTITION)  # never shown comes late: it follows from an earlier reason
_BY_FILTER = {"digests": DIGEST, "perceptual": PERCEPTUAL, "plugged": PERCEPTUAL, "urls": URL, "captions": TEXT}
_BY_LABEL = {PARTIAL: PARTLY, NOT_EFFECTIVE: UNEXAMINED_WHY + "perceptual match not effective"}  # of a perceptual hash
_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9 ,'-]{0,59}")


def severity(reason: str) -> tuple[int, str]:
    """Return the sort key of a reason: known material first, consequences of something else last."""
    if reason in _BEFORE:
        return _BEFORE.index(reason), ""
    if reason in _AFTER:
        return len(_BEFORE) + 1 + _AFTER.index(reason), ""
    return len(_BEFORE), reason


def reasons(policy: Policy, findings: Sequence[Finding], inherited: Iterable[str], earned: Earned) -> tuple[str, ...]:
    """Return every reason why no partition takes a sample, most severe first; none when one does.

    `earned` includes the marks that were `inherited`. More findings or marks never take a reason away.
    """
    if place(policy, earned.marks) != WITHHELD:
        return ()
    blamed = _blamed(policy, earned.marks)
    found = {_phrase(finding, mark) for mark in blamed for finding in _behind(policy, findings, earned, mark)}
    if earned.marks >= APART:
        found.add(TOGETHER)
    if not blamed.isdisjoint(inherited):
        found.add(TIED)
    return tuple(sorted(found or {NO_PARTITION}, key=severity))


def why_class(unexamined: str) -> str:
    """Return the class of a reason for not looking: what stands before its first colon, if that is plain words."""
    words = unexamined.partition(":")[0].strip()
    return words if _CLASS.fullmatch(words) else "other"


def _blamed(policy: Policy, marks: frozenset[str]) -> frozenset[str]:
    """Return the marks that keep a sample out: those allowed nowhere, and those allowed but nowhere together."""
    allowed = {mark for partition in policy.partitions for mark in partition.allows} - NEVER_ALLOWED
    rest = marks & allowed
    fits = any(rest <= set(partition.allows) for partition in policy.partitions)
    together = APART if marks >= APART else frozenset()
    return (marks - allowed) | together | (frozenset() if fits else rest)


def _behind(policy: Policy, findings: Sequence[Finding], earned: Earned, mark: str) -> Iterator[Finding]:
    rules = [rule for rule in policy.rules if rule.mark == mark and rule.name in earned.rules]
    for finding in findings:
        if (mark == UNEXAMINED and finding.unexamined) or any(rule.earned_by(finding) for rule in rules):
            yield finding


def _phrase(finding: Finding, mark: str) -> str:
    if finding.filter == STRUCTURE:
        return FAULT
    if finding.unexamined:
        return UNEXAMINED_WHY + why_class(finding.unexamined)
    phrase = _BY_FILTER.get(finding.filter, CLASSIFIER)
    if phrase == PERCEPTUAL and finding.label in _BY_LABEL:
        return _BY_LABEL[finding.label]
    return OTHER_LIST if mark != LISTED and phrase in (DIGEST, PERCEPTUAL) else phrase
