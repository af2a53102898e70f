"""Text signals: terms of lists, stated ages and personal details, in every text of a sample, however it is spelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from filters import ages, details
from filters.finding import Examine, Finding, Material
from filters.languages import code
from filters.lists import ListSource, material, no_list, read_rows
from filters.sample import Batch
from filters.termindex import skeleton_index, term, written_index
from filters.textsearch import MINOR, NOT_COVERED, PERSONAL_DETAILS, TextSearch


@dataclass(frozen=True, slots=True)
class CaptionTerms:
    """Find terms of lists in the texts of a sample, as whole words of scripts that part words.

    Each text is searched as written (NFKC, case folded, without invisible characters) and, beside that, with
    look-alike letters, leet, spelling out and reversal undone. A text that states an age or a school grade below
    `adult_age` years is evidence of a minor, with the age as value. `require_coverage` has the language of each text
    identified, and every list named that has no term in it. No label is conclusive. At most one finding per list and
    category; a sample without text is examined.
    """

    name: Literal["captions"] = "captions"
    lists: tuple[ListSource, ...] = ()
    adult_age: int = 18
    require_coverage: bool = False

    @property
    def conclusive(self) -> tuple[str, ...]:
        """None: a word is no known material."""
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories of its lists, and what it finds without a list."""
        listed = [label for source in self.lists for label in source.labels]
        own = (MINOR, PERSONAL_DETAILS, *((NOT_COVERED,) if self.require_coverage else ()))
        return tuple(dict.fromkeys((*listed, *own)))

    def materials(self) -> tuple[Material, ...]:
        """Return its lists; ListError when there are none, or one cannot be relied on."""
        if not self.lists:
            raise no_list(self.name)
        return tuple(material(source) for source in self.lists)

    def load(self) -> Examine:
        """Return the function that examines; ListError as for `materials`."""
        if not self.lists:
            raise no_list(self.name)
        rows = {source.name: list(read_rows(source)) for source in self.lists}
        terms = [term(name, row.category, row.value) for name in rows for row in rows[name]]
        covered = {name: frozenset(code(row.language) for row in rows[name]) for name in rows}
        search = TextSearch(
            self.name,
            self.adult_age,
            written_index(terms, (*ages.CUES, *details.CUES)),
            skeleton_index(terms, ages.CUES),
            covered if self.require_coverage else {},
        )

        def examine(batch: Batch) -> Sequence[tuple[Finding, ...]]:
            samples = batch.samples
            texts = [text for each in samples for text in each.texts]
            rows = [row for row, each in enumerate(samples) for _ in each.texts]
            numbers = [number for each in samples for number in range(len(each.texts))]
            found: dict[int, list[Finding]] = {}
            for place, findings in search.findings(texts, numbers).items():
                found.setdefault(rows[place], []).extend(findings)
            return [_first(found[row]) if row in found else () for row in range(len(samples))]

        return examine


def _first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the first finding of each list and category; of stated ages the youngest."""
    kept: dict[tuple[str, ...], Finding] = {}
    for each in findings:
        place = (each.source, each.label, each.form if each.label == NOT_COVERED else "")
        if place not in kept or (each.value or 0.0) < (kept[place].value or 0.0):
            kept[place] = each
    return tuple(kept.values())
