"""All terms of all lists in one automaton, and with them the cues that a text may hold a pattern."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from filters.textforms import lookalike, parted, plain, unseparated
from filters.words import is_word

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_BETWEEN = " \n "
_LEAST_SPELLED = 6  # letters; a shorter term without its blanks would be found in other words' initials


@dataclass(frozen=True, slots=True)
class Term:
    """A term in `plain` form, which is content, and the list and category it belongs to."""

    source: str
    category: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hits:
    """The terms that stand in a text as words, from left to right, and the cues that stand in it anywhere."""

    terms: dict[Term, None] = field(default_factory=dict)
    cues: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, repr=False)
class TermIndex:
    """An automaton over patterns; the first ones are the cues, and `owners` has the terms of every pattern."""

    automaton: "AhoCorasick"
    cues: Sequence[str]
    owners: Sequence[tuple[Term, ...]]

    def find(self, forms: Sequence[str]) -> dict[int, Hits]:
        """Return what stands in the forms that hold anything, by their places.

        Overlapping, as a longer term that is no word there must not hide a shorter one.
        """
        # One search of all forms, which no pattern can span, as none holds the end of a line; and the blanks are there
        # for cues that ask for the beginning or the end of a word.
        text = f" {_BETWEEN.join(forms)} "
        matches = self.automaton.find_matches_as_indexes(text, overlapping=True)
        starts = list(accumulate((len(form) + len(_BETWEEN) for form in forms), initial=0)) if matches else []
        found: dict[int, Hits] = {}
        for pattern, start, end in matches:
            owners = self.owners[pattern]
            is_cue = pattern < len(self.cues)
            if is_cue or is_word(text, start, end):
                hits = found.setdefault(bisect_right(starts, start) - 1, Hits())
                hits.terms.update(dict.fromkeys(owners) if not is_cue or is_word(text, start, end) else {})
                hits.cues.update((self.cues[pattern],) if is_cue else ())
        return found


def written_index(terms: Iterable[tuple[Term, str]], cues: Sequence[str]) -> TermIndex:
    """Return the index over terms as they are written, given each with the spelling of its list."""
    return _index(((term.text, term) for term, _ in terms), cues)


def skeleton_index(terms: Iterable[tuple[Term, str]], cues: Sequence[str]) -> TermIndex:
    """Return the index over the look-alike forms of terms, with and without blanks, for `respelled` texts."""
    return _index(((form, term) for term, spelling in terms for form in _skeletons(spelling)), cues)


def _skeletons(spelling: str) -> Iterable[str]:
    """Yield the look-alike forms of a term; upper case has look-alikes of its own."""
    for case in (spelling,) if spelling.isascii() else (spelling, spelling.upper()):
        alike = lookalike(case)
        yield alike
        if len(solid := unseparated(alike)) >= _LEAST_SPELLED:
            yield solid


def _index(patterns: Iterable[tuple[str, Term]], cues: Sequence[str]) -> TermIndex:
    from ahocorasick_rs import AhoCorasick

    owners: dict[str, dict[Term, None]] = {cue: {} for cue in cues}
    for pattern, term in patterns:
        for form in (pattern.strip(), parted(pattern.strip())):
            owners.setdefault(form, {})[term] = None
    return TermIndex(AhoCorasick(list(owners)), tuple(cues), tuple(map(tuple, owners.values())))


def term(source: str, category: str, spelling: str) -> tuple[Term, str]:
    """Return a term of a list, with the spelling of the list beside it."""
    return Term(source, category, plain(spelling)), spelling
