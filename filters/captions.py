"""Text signals: terms of lists, found in every text of a sample however they are spelled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from filters.finding import Examine, Finding, Material
from filters.lists import Fault, ListSource, material, no_list, read_rows
from filters.listsource import refusal
from filters.sample import Batch
from filters.textforms import lookalike, parted, plain, respelled, unseparated
from filters.words import is_word

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_LEAST_SPELLED = 6  # letters; a shorter term without its blanks would be found in other words' initials
_LINES_TOLD = 5


@dataclass(frozen=True, slots=True)
class CaptionTerms:
    """Find terms of lists in the texts of a sample, as whole words of scripts that part words.

    Each text is searched as written (NFKC, case folded, without invisible characters) and, beside that, with
    look-alike letters, leet, spelling out and reversal undone. No label is conclusive. At most one finding per list
    and category; a sample without text is examined.
    """

    name: Literal["captions"] = "captions"
    lists: tuple[ListSource, ...] = ()

    @property
    def conclusive(self) -> tuple[str, ...]:
        """None: a word is no known material."""
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories of its lists."""
        return tuple(dict.fromkeys(label for source in self.lists for label in source.labels))

    def materials(self) -> tuple[Material, ...]:
        """Return its lists; ListError when there are none, or one cannot be relied on."""
        if not self.lists:
            raise no_list(self.name)
        return tuple(material(source) for source in self.lists)

    def load(self) -> Examine:
        """Return the function that examines; ListError when a list has a term without any letter or digit."""
        if not self.lists:
            raise no_list(self.name)
        terms = [term for source in self.lists for term in _terms(source)]
        written = _index((plain(term.text), term) for term in terms)
        skeletons = _index((skeleton, term) for term in terms for skeleton in _skeletons(term.text))

        def examine(batch: Batch) -> Sequence[tuple[Finding, ...]]:
            return [_examine(self.name, written, skeletons, sample.texts) for sample in batch.samples]

        return examine


@dataclass(frozen=True, slots=True)
class _Term:
    """A term as its list spells it; `text` is content."""

    source: str
    category: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class _Index:
    automaton: "AhoCorasick"
    owners: tuple[tuple[_Term, ...], ...]

    def find(self, text: str) -> Iterator[_Term]:
        """Yield the terms of every pattern that stands in the text as a word, from left to right."""
        # Overlapping, as a longer pattern that is no word there must not hide a shorter one that is.
        for pattern, start, end in self.automaton.find_matches_as_indexes(text, overlapping=True):
            if is_word(text, start, end):
                yield from self.owners[pattern]


def _terms(source: ListSource) -> list[_Term]:
    rows = list(read_rows(source))
    if refused := [row.line for row in rows if not any(map(str.isalnum, plain(row.value)))]:
        told = Fault("without any letter or digit", len(refused), tuple(refused[:_LINES_TOLD]))
        raise refusal(source, f"it has {told}. Correct or remove them, and tell the list's authority")
    return [_Term(source.name, row.category, row.value) for row in rows]


def _skeletons(text: str) -> Iterator[str]:
    """Yield the look-alike forms of a term, with and without blanks; upper case has look-alikes of its own."""
    for case in (text, text.upper()):
        alike = lookalike(case)
        yield alike
        if len(unseparated(alike)) >= _LEAST_SPELLED:
            yield unseparated(alike)


def _index(patterns: Iterator[tuple[str, _Term]]) -> _Index:
    from ahocorasick_rs import AhoCorasick

    owners: dict[str, dict[_Term, None]] = {}
    for pattern, term in patterns:
        for form in (pattern.strip(), parted(pattern.strip())):
            owners.setdefault(form, {})[term] = None
    return _Index(AhoCorasick(list(owners)), tuple(map(tuple, owners.values())))


def _examine(name: str, written: _Index, skeletons: _Index, texts: Sequence[str]) -> tuple[Finding, ...]:
    found: dict[tuple[str, str], Finding] = {}
    for number, text in enumerate(texts):
        searches = [(written, plain(text), f"text {number}")]
        searches += [(skeletons, form, f"text {number}, respelled") for form in respelled(text)]
        for index, form, where in searches:
            for term in index.find(form):
                finding = Finding(name, term.category, source=term.source, entry=plain(term.text), form=where)
                found.setdefault((term.source, term.category), finding)
    return tuple(found.values())
