"""Search addresses in URL lists: every name under which a list may have one, and any address that one carries.

The compiled loop of filters/_urls.c, where it was built, tells of plain addresses that no list has them; what it does
not say that of is searched here, so an answer is the same with it and without.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from filters.addresses import Address, AddressError, canonical, nested
from filters.urlfolder import UrlList
from filters.urlnames import exact, hashed, names, networks, plain, shown
from filters.urltables import hashes_of


def _built() -> Callable[..., bytes] | None:
    try:
        from filters._urls import unlisted
    except ImportError:  # setup.py goes on without a compiler
        return None
    return unlisted


_COMPILED = _built()
EXTENSION = _COMPILED is not None


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that stands for an address: its list, what the list says of it, and the name that they share."""

    source: str
    category: str
    classification: str
    entry: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one address; `unexamined` says why not all of it could be compared, and is empty otherwise."""

    matches: tuple[Match, ...] = ()
    unexamined: str = ""


_CLEAN = Answer()


@dataclass(frozen=True, slots=True)
class _Group:
    """Lists that share a key, and so the hashes of an address."""

    key: bytes = field(repr=False)
    lists: tuple[UrlList, ...]
    networks: tuple[tuple[int, int], ...]
    digests: bool


class UrlSearch:
    """Lists that can be searched many times; safe to print."""

    def __init__(self, lists: Sequence[UrlList]) -> None:
        """Search these lists, in this order."""
        by_key = sorted(lists, key=lambda each: each.key)
        self._order = {each.name: place for place, each in enumerate(lists)}
        self._groups = [_group(key, tuple(each)) for key, each in groupby(by_key, key=lambda each: each.key)]
        self._tables = tuple(
            (
                group.key,
                group.digests,
                tuple((each.table.hashes, each.table.starts, each.table.hosts) for each in group.lists),
            )
            for group in self._groups
        )

    def find(self, texts: Sequence[str]) -> list[Answer]:
        """Return what is known of each address; a text that is no address is unexamined, never unlisted."""
        answers = [_CLEAN] * len(texts)
        left = self._left(texts)
        read = [_addresses(texts[place]) for place in left]
        # In canonical form most of them are plain, whatever their spelling was.
        spelled = [f"http://{plain(each)}" for addresses, _ in read for each in addresses]
        listed = set(self._left(spelled))
        number = 0
        for place, (addresses, why) in zip(left, read, strict=True):
            numbers = range(number, number + len(addresses))
            number = numbers.stop
            answers[place] = self._answer(
                [each for at, each in zip(numbers, addresses, strict=True) if at in listed], why
            )
        return answers

    def _left(self, texts: Sequence[str]) -> list[int]:
        """Return the places of those texts that the compiled loop does not know to be unlisted."""
        if _COMPILED is None:
            return list(range(len(texts)))
        return [place for place, known in enumerate(_COMPILED(tuple(texts), self._tables)) if not known]

    def _answer(self, addresses: Sequence[Address], why: str) -> Answer:
        found: dict[Match, None] = {}
        for address in addresses:
            try:
                found.update(dict.fromkeys(self._matches(address)))
            except AddressError as reason:  # its host can be looked up all the same
                why = str(reason)
                found.update(dict.fromkeys(self._matches(replace(address, path="/", query=None))))
        return Answer(tuple(found), why) if found or why else _CLEAN

    def _matches(self, address: Address) -> list[Match]:
        """Return the matches of one address; of each list and category the first, in the order of the lists."""
        every = names(address)
        found: dict[tuple[str, str, str], Match] = {}
        for group in self._groups:
            asked, shared = _asked(address, every, group)
            hashes = hashes_of(group.key, asked)
            for known in group.lists:
                for place, owners in known.table.find(hashes):
                    for owner in owners:
                        said = (known.name, *known.said[owner])
                        found.setdefault(said, Match(*said, shown(shared[place])))
        return sorted(found.values(), key=lambda each: self._order[each.source])


def _group(key: bytes, lists: tuple[UrlList, ...]) -> _Group:
    lengths = {each for known in lists for each in known.networks}
    return _Group(key, lists, tuple(sorted(lengths)), any(known.digests for known in lists))


def _addresses(text: str) -> tuple[list[Address], str]:
    """Return the address and those that it carries, and why there may be more."""
    found: list[Address] = []
    try:
        found.append(canonical(text))
        found.extend(nested(found[0]))
    except AddressError as why:
        return found, str(why)
    return found, ""


def _asked(address: Address, every: Sequence[str], group: _Group) -> tuple[list[str | bytes], list[str]]:
    """Return what to look up, and beside each the name that evidence has for it."""
    told = [exact(address), *every, *networks(address.host, group.networks)]
    asked: list[str | bytes] = [*told]
    if group.digests:
        asked.extend(map(hashed, every))
        told.extend(every)
    return asked, told
