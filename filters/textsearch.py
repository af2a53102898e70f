"""Search many texts at once: terms in every form of each, stated ages, personal details, languages without a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from filters.ages import stated_ages
from filters.characters import unremarkable
from filters.details import has_personal_details
from filters.finding import Finding
from filters.languages import ANY, languages
from filters.termindex import Hits, TermIndex
from filters.textforms import forms, is_mixed

AGE_PATTERNS = "age patterns"  # where a list would be named
DETAIL_PATTERNS = "detail patterns"
MINOR, PERSONAL_DETAILS, NOT_COVERED = "minor", "personal-details", "language-not-covered"


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

    def findings(self, texts: Sequence[tuple[int, str]]) -> list[list[Finding]]:
        """Return the findings in each text, given with its number in its sample."""
        digits = unremarkable([text for _, text in texts])
        looked_at = {place: forms(texts[place][1]) for place, told in enumerate(digits) if told is None}
        written = [text.lower() for _, text in texts]
        for place, (form, _) in looked_at.items():
            written[place] = form
        found = self._forms(written, {place: others for place, (_, others) in looked_at.items()})
        answers: list[list[Finding]] = [[] for _ in texts]
        for place in {*found, *(place for place, told in enumerate(digits) if told != b"")}:
            number, text = texts[place]
            answers[place] = self._of_text(text, f"text {number}", found.get(place, ()))
        if self.covered:
            for place, (number, _) in enumerate(texts):
                answers[place] += self._not_covered(written[place], f"text {number}")
        return answers

    def _forms(self, written: Sequence[str], respelled: Mapping[int, Sequence[str]]) -> dict[int, list[_Form]]:
        """Return the forms in which something stands, by the place of the text."""
        found = {place: [_Form(written[place], hits, "")] for place, hits in self.written.find(written).items()}
        others = [(place, form) for place, forms_of_text in respelled.items() for form in forms_of_text]
        others += [(place, written[place]) for place in respelled if is_mixed(written[place])]
        for other, hits in self.skeletons.find([form for _, form in others]).items():
            place, form = others[other]
            found.setdefault(place, []).append(_Form(form, hits, ", respelled"))
        return found

    def _of_text(self, text: str, where: str, found: Sequence[_Form]) -> list[Finding]:
        findings = [
            Finding(self.name, term.category, source=term.source, entry=term.text, form=where + each.how)
            for each in found
            for term in each.hits.terms
        ]
        ages = [
            (age, where + each.how)
            for each in found
            if each.hits.cues
            for age in stated_ages(each.text, each.hits.cues)
        ]
        findings += [
            Finding(self.name, MINOR, round(age, 1), AGE_PATTERNS, form=form)
            for age, form in ages
            if age < self.adult_age
        ]
        cues = {cue for each in found for cue in each.hits.cues}
        if has_personal_details(text, cues, bool(ages)):
            findings.append(Finding(self.name, PERSONAL_DETAILS, source=DETAIL_PATTERNS, form=where))
        return findings

    def _not_covered(self, written: str, where: str) -> list[Finding]:
        return [
            Finding(self.name, NOT_COVERED, source=name, form=f"{where}, language {language}")
            for language in languages(written)
            for name, covered in self.covered.items()
            if covered.isdisjoint((language, ANY))
        ]
