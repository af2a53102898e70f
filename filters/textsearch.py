"""Search many texts at once: terms in every form of each, stated ages, personal details, languages without a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from filters import ages, details
from filters.ages import stated_ages
from filters.details import has_personal_details, may_have_details, may_name
from filters.fastforms import Reads, read
from filters.finding import Finding
from filters.languages import ANY, languages
from filters.termindex import Hits, TermIndex

AGE_PATTERNS = "age patterns"  # where a list would be named
DETAIL_PATTERNS = "detail patterns"
MINOR, PERSONAL_DETAILS, NOT_COVERED = "minor", "personal-details", "language-not-covered"


# A cue of both kinds may be that of a pattern which spells its number.
_CUES_OF_DIGITS = (ages.CUES_OF_DIGITS | details.CUES_OF_DIGITS) - (
    (frozenset(ages.CUES) - ages.CUES_OF_DIGITS) | (frozenset(details.CUES) - details.CUES_OF_DIGITS)
)


@dataclass(frozen=True, slots=True)
class _Form:
    """A form of a text in which something stands."""

    text: str = field(repr=False)
    hits: Hits
    how: str


@dataclass(frozen=True, slots=True, repr=False)
class TextSearch:
    """What is searched for; `covered` has the languages of each list, and is empty where nobody asks for them."""

    name: str
    adult_age: int
    written: TermIndex
    skeletons: TermIndex
    covered: Mapping[str, frozenset[str]]

    def findings(self, texts: Sequence[str], numbers: Sequence[int]) -> dict[int, list[Finding]]:
        """Return the findings in each text that has any, by its place; a finding names the number of its text."""
        reads = read(texts)
        found = self._forms(reads)
        answers: dict[int, list[Finding]] = {}
        # Where no term and no cue stands, there may be a telephone number or an e-mail address beside a name.
        others = [place for place, signs in enumerate(reads.signs) if signs and may_name(texts[place])]
        for place in sorted({*found, *others}):
            forms = found.get(place, [])
            if not (reads.digits[place] or reads.signs[place]) and all(map(_needs_a_digit, forms)):
                continue
            is_worth = may_have_details(_cues(forms), reads.signs[place], reads.digits[place] > 0)
            if findings := self._of_text(texts[place], f"text {numbers[place]}", forms, is_worth):
                answers[place] = findings
        if self.covered:
            for place, written in enumerate(reads.written):
                if findings := self._not_covered(written, f"text {numbers[place]}"):
                    answers.setdefault(place, []).extend(findings)
        return answers

    def _forms(self, reads: Reads) -> dict[int, list[_Form]]:
        """Return the forms in which something stands, by the place of the text."""
        written = reads.written
        found = {place: [_Form(written[place], hits, "")] for place, hits in self.written.find(written).items()}
        for other, hits in self.skeletons.find(reads.others).items():
            found.setdefault(reads.places[other], []).append(_Form(reads.others[other], hits, ", respelled"))
        return found

    def _of_text(self, text: str, where: str, found: Sequence[_Form], is_worth: bool) -> list[Finding]:
        stated = [(age, each.how) for each in found if each.hits.cues for age in stated_ages(each.text, each.hits.cues)]
        findings = [
            Finding(self.name, term.category, source=term.source, entry=term.text, form=where + each.how)
            for each in found
            for term in each.hits.terms
        ]
        findings += [
            Finding(self.name, MINOR, round(age, 1), AGE_PATTERNS, form=where + form)
            for age, form in stated
            if age < self.adult_age
        ]
        if (stated or is_worth) and has_personal_details(text, _cues(found), bool(stated)):
            findings.append(Finding(self.name, PERSONAL_DETAILS, source=DETAIL_PATTERNS, form=where))
        return findings

    def _not_covered(self, written: str, where: str) -> list[Finding]:
        return [
            Finding(self.name, NOT_COVERED, source=name, form=f"{where}, language {language}")
            for language in languages(written)
            for name, covered in self.covered.items()
            if covered.isdisjoint((language, ANY))
        ]


def _needs_a_digit(form: _Form) -> bool:
    """Tell whether what stands in a form says nothing of a text without any digit."""
    return not form.hits.terms and form.hits.cues <= _CUES_OF_DIGITS


def _cues(found: Sequence[_Form]) -> set[str]:
    return {cue for each in found for cue in each.hits.cues}
