"""URL blocklist: is an address of the sample, or its domain, on a list?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from filters.finding import Examine, Finding, Material
from filters.lists import ListSource, no_list, url_material
from filters.policy import UNEXAMINED
from filters.sample import Batch, Sample
from filters.urllists import read_urls
from filters.urlsearch import UrlSearch


@dataclass(frozen=True, slots=True)
class UrlBlocklist:
    """Match every address of a sample with lists of URLs, domains and IP addresses.

    An entry is read like an address of a sample, so all spellings meet in the canonical form of Safe Browsing, and it
    blocks what that stands for (filters.urlentries): "example.test" the domain with everything below it,
    "example.test/a/" the folder, "example.test/a?b" this page alone. Labels other than those of `evidence_only` are
    conclusive. An address that cannot be parsed leaves the sample unexamined; a sample without any is examined.
    """

    name: Literal["urls"] = "urls"
    lists: tuple[ListSource, ...] = ()
    evidence_only: tuple[str, ...] = ("adult-site",)

    @property
    def conclusive(self) -> tuple[str, ...]:
        """The categories of known material."""
        return tuple(each for each in self.labels if each not in (*self.evidence_only, UNEXAMINED))

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories of its lists, and "unexamined"."""
        return tuple(dict.fromkeys((*(label for source in self.lists for label in source.labels), UNEXAMINED)))

    def materials(self) -> tuple[Material, ...]:
        """Return its lists; ListError when there are none, or one cannot be relied on."""
        if not self.lists:
            raise no_list(self.name)
        return tuple(url_material(read_urls(source)) for source in self.lists)

    def load(self) -> Examine:
        """Return the function that examines; ListError as for `materials`."""
        if not self.lists:
            raise no_list(self.name)
        search = UrlSearch([read_urls(source, stamped=True) for source in self.lists])

        def examine(batch: Batch) -> Sequence[tuple[Finding, ...]]:
            return _examine(self.name, search, batch)

        return examine


def _examine(name: str, search: UrlSearch, batch: Batch) -> list[tuple[Finding, ...]]:
    texts = [(row, form, text) for row, sample in enumerate(batch.samples) for form, text in _forms(sample)]
    found: list[dict[tuple[str, ...], Finding]] = [{} for _ in range(len(batch))]
    for (row, form, _), answer in zip(texts, search.find([text for _, _, text in texts]), strict=True):
        for each in answer.matches:
            finding = Finding(
                name,
                each.category,
                source=each.source,
                entry=each.entry,
                form=form,
                classification=each.classification,
            )
            found[row].setdefault((each.source, each.category, each.classification), finding)
        if why := answer.unexamined:
            found[row].setdefault((why,), Finding(name, UNEXAMINED, form=form, unexamined=why))
    return [tuple(each.values()) for each in found]


def _forms(sample: Sample) -> Iterator[tuple[str, str]]:
    images = (sample.meta.get("url"), sample.meta.get("URL"))
    for number, text in enumerate(sample.urls):
        yield ("image URL" if text in images else f"address {number}"), text
