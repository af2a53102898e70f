"""All terms of all lists in one index, and with them the cues that a text may hold a pattern.

The search is that of filters/_termindex.c where it was built, elsewhere one automaton; both find the same.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any

from filters.textforms import bared, lookalike, parted, plain, unseparated
from filters.words import is_word, kind_of

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


# (form, pattern, whether it stands there as a word) by form, beginning and end, for words and for cues
_Found = Sequence[tuple[int, int, bool]]
Search = Callable[[Sequence[str]], _Found]


@dataclass(frozen=True, slots=True, repr=False)
class TermIndex:
    """A search for patterns: `owners` has the terms of each, and `cues` those that count wherever they stand."""

    search: Search
    patterns: Sequence[str]
    cues: frozenset[str]
    owners: Sequence[tuple[Term, ...]]

    def find(self, forms: Sequence[str]) -> dict[int, Hits]:
        """Return what stands in the forms that hold anything, by their places."""
        found: dict[int, Hits] = {}
        for form, pattern, stands in self.search(forms):
            hits = found.get(form)
            if hits is None:
                hits = found[form] = Hits()
            if stands:
                hits.terms.update(dict.fromkeys(self.owners[pattern]))
            if self.patterns[pattern] in self.cues:
                hits.cues.add(self.patterns[pattern])
        return found


def written_index(terms: Iterable[tuple[Term, str]], cues: Sequence[str]) -> TermIndex:
    """Return the index over terms as they are written, and in one word, given each with the spelling of its list."""
    return _index(((form, term) for term, _ in terms for form in (term.text, *_together(term.text))), cues)


def skeleton_index(terms: Iterable[tuple[Term, str]], cues: Sequence[str]) -> TermIndex:
    """Return the index over the look-alike forms of terms, with and without blanks, for `respelled` texts."""
    return _index(((form, term) for term, spelling in terms for form in _skeletons(spelling)), cues)


def _skeletons(spelling: str) -> Iterable[str]:
    """Yield the look-alike forms of a term, with decoration and without; upper case has look-alikes of its own."""
    for case in (spelling,) if spelling.isascii() else (spelling, spelling.upper()):
        alike = lookalike(case)
        for form in dict.fromkeys((alike, bared(alike))):
            yield from (form, *_together(form))


def _together(form: str) -> Iterable[str]:
    """Yield a term of several words written as one."""
    if len(solid := unseparated(form)) >= _LEAST_SPELLED:
        yield solid


def _index(patterns: Iterable[tuple[str, Term]], cues: Sequence[str]) -> TermIndex:
    owners: dict[str, dict[Term, None]] = {cue: {} for cue in cues}
    for pattern, term in patterns:
        for form in (pattern.strip(), parted(pattern.strip())):
            owners.setdefault(form, {})[term] = None
    ordered = tuple(sorted(owners))
    marked = frozenset(cues)
    search = (compiled if EXTENSION else automaton)(ordered, marked)
    return TermIndex(search, ordered, marked, tuple(tuple(owners[each]) for each in ordered))


def compiled(patterns: tuple[str, ...], cues: frozenset[str]) -> Search:
    """Return the search of filters/_termindex.c for sorted patterns, of which some are cues."""
    assert _COMPILED is not None
    index = _COMPILED.index(patterns, bytes(each in cues for each in patterns), kind_of)
    return lambda forms: _COMPILED.find(index, tuple(forms))


def automaton(patterns: Sequence[str], cues: frozenset[str]) -> Search:
    """Return the search that needs no compiler, and finds the same."""
    from ahocorasick_rs import AhoCorasick

    return partial(_by_automaton, AhoCorasick(list(patterns)), [each in cues for each in patterns])


def _by_automaton(found: Any, is_cue: Sequence[bool], forms: Sequence[str]) -> _Found:
    # One search of all forms, which no pattern can span, as none holds the end of a line; and the blanks are there for
    # cues that ask for the beginning or the end of a word. Overlapping, as a longer term that is no word there must not
    # hide a shorter one.
    if not forms:
        return []
    text = f" {_BETWEEN.join(forms)} "
    matches = found.find_matches_as_indexes(text, overlapping=True)
    matches.sort(key=lambda match: match[1:])
    starts = list(accumulate((len(form) + len(_BETWEEN) for form in forms), initial=0)) if matches else []
    placed = ((bisect_right(starts, start) - 1, pattern, is_word(text, start, end)) for pattern, start, end in matches)
    return [each for each in placed if each[2] or is_cue[each[1]]]


def term(source: str, category: str, spelling: str) -> tuple[Term, str]:
    """Return a term of a list, with the spelling of the list beside it."""
    return Term(source, category, plain(spelling)), spelling


def _built() -> Any:
    try:
        from filters import _termindex
    except ImportError:  # setup.py goes on without a compiler
        return None
    return _termindex


_COMPILED = _built()
EXTENSION = _COMPILED is not None
