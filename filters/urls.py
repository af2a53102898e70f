"""URL blocklist: is an address of the sample, or its domain, on a list?"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filters.addresses import Address, AddressError, canonical, expressions, nested, sites
from filters.finding import Examine, Finding, Material
from filters.lists import Fault, ListSource, material, no_list, read_rows
from filters.listsource import refusal
from filters.policy import UNEXAMINED
from filters.sample import Batch, Sample

_WILDCARD = re.compile(r"\A([a-z][a-z0-9+.\-]*://)?(?:\*?\.)?(.*?)(?:/\*)?\Z", re.IGNORECASE | re.DOTALL)
_LINES_TOLD = 5


@dataclass(frozen=True, slots=True)
class UrlBlocklist:
    """Match every address of a sample with lists of URLs, domains and IP addresses.

    An entry is read like an address of a sample, so all spellings meet in the canonical form of Safe Browsing, and it
    blocks what that stands for: "example.test" the domain with everything below it, "example.test/a/" the folder on
    all hosts of the domain, "example.test/a?b" this page alone. Labels other than those of `evidence_only` are
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
        return tuple(material(source) for source in self.lists)

    def load(self) -> Examine:
        """Return the function that examines; ListError when a list has an entry that is no address."""
        if not self.lists:
            raise no_list(self.name)
        index = _index(self.lists)

        def examine(batch: Batch) -> Sequence[tuple[Finding, ...]]:
            return _examine(self.name, index, batch)

        return examine


@dataclass(frozen=True, slots=True, repr=False)
class _Index:
    """Sorted 64-bit digests of expressions, and of each the place of its (list, category) in `owners`.

    Two unlike expressions share a digest once in 2e12 for a list of 10 million.
    """

    digests: NDArray[np.uint64]
    owned_by: NDArray[np.uint32]
    owners: tuple[tuple[str, str], ...]

    def find(self, names: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
        """Yield, for each expression, the (list, category) pairs that have it."""
        wanted = np.fromiter(map(_digest, names), np.uint64, len(names))
        first = np.searchsorted(self.digests, wanted, "left")
        last = np.searchsorted(self.digests, wanted, "right")
        for low, high in zip(first.tolist(), last.tolist(), strict=True):
            yield [self.owners[place] for place in self.owned_by[low:high].tolist()]


def entry_expression(value: str) -> str:
    """Return the expression that an entry of a list stands for, or raise AddressError; "*." and "/*" may enclose it."""
    match = _WILDCARD.match(value.strip())
    address = canonical(f"{match[1] or ''}{match[2]}" if match else value)
    name = address.host + address.path + (f"?{address.query}" if address.query else "")
    if "*" in address.host or ("." not in address.host and not address.host.startswith("[") and name.endswith("/")):
        raise AddressError("not a domain below a top-level domain")  # it would match nothing, and nobody would know
    return name


def _index(lists: Sequence[ListSource]) -> _Index:
    digests, owned_by = array("Q"), array("I")
    owners: dict[tuple[str, str], int] = {}
    for source in lists:
        refused: list[int] = []
        for row in read_rows(source):
            try:
                digests.append(_digest(entry_expression(row.value)))
                owned_by.append(owners.setdefault((source.name, row.category), len(owners)))
            except AddressError:
                refused.append(row.line)
        if refused:
            raise refusal(source, _fault(refused))
    order = np.argsort(np.frombuffer(digests, np.uint64), kind="stable")
    return _Index(np.frombuffer(digests, np.uint64)[order], np.frombuffer(owned_by, np.uint32)[order], tuple(owners))


def _fault(lines: list[int]) -> str:
    told = Fault("that are no URL, domain or IP address", len(lines), tuple(lines[:_LINES_TOLD]))
    return f"it has {told}. Correct or remove them, and tell the list's authority"


def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


def _examine(name: str, index: _Index, batch: Batch) -> list[tuple[Finding, ...]]:
    found: list[dict[tuple[str, ...], Finding]] = [{} for _ in range(len(batch))]
    asked: list[tuple[int, str, str]] = []
    for row, sample in enumerate(batch.samples):
        for form, text in _forms(sample):
            try:
                asked.extend((row, form, each) for each in _names(text))
            except AddressError as why:
                found[row].setdefault((str(why),), Finding(name, UNEXAMINED, form=form, unexamined=str(why)))
    answers = index.find([each for _, _, each in asked])
    for (row, form, each), owners in zip(asked, answers, strict=True):
        for source, category in owners:
            finding = Finding(name, category, source=source, entry=each, form=form)
            found[row].setdefault((source, category), finding)
    return [tuple(each.values()) for each in found]


def _forms(sample: Sample) -> Iterator[tuple[str, str]]:
    images = (sample.meta.get("url"), sample.meta.get("URL"))
    for number, text in enumerate(sample.urls):
        yield ("image URL" if text in images else f"address {number}"), text


def _names(text: str) -> Iterator[str]:
    """Yield every expression under which a list may name this address or one that it carries."""
    address = canonical(text)
    yield from _of(address)
    for carried in nested(address):
        yield from _of(carried)


def _of(address: Address) -> Iterator[str]:
    yield from dict.fromkeys((*expressions(address), *sites(address)))
