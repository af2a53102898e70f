"""The names under which a list may have an address: what an entry of a list and an address have in common.

A name is text, and only its keyed hash is ever kept (filters.urltables):

    site.test/a/     the address, or what lies below it, on this host and the hosts below: Safe Browsing's expressions
    |site.test/a?b   this address alone
    ||192.0.2.0/24   a network
    |||<bytes>       the first 8 bytes of the SHA-256 of a name of the first kind, for lists that come hashed

No host can have a "|", so no name of one kind is one of another.
"""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator

from filters.addresses import Address, AddressError, suffixes

LEAST_DIGEST_BYTES = 8  # of n shorter ones, n / 2**(8 * bytes) of all names would match by chance
MAX_NAMES = 1024  # of one address; an ordinary one has ten to twenty
TOO_MANY_PARTS = "address has too many parts"
_EXACT, _NETWORK, _HASHED = "|", "||", b"|||"
_6TO4 = ipaddress.ip_network("2002::/16")  # RFC 3056: the IPv4 address is in bits 16 to 47
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, section 2.5.5.1

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def names(address: Address) -> tuple[str, ...]:
    """Return every host suffix with every path prefix, the whole path, and the path with its query.

    Safe Browsing stops at five hosts and four directories, which a list maker need not know; here nothing is out of
    reach of an entry. What has more than MAX_NAMES of them is an AddressError.
    """
    ends = _ends(address.path)
    hosts = (address.host, *suffixes(address.host), *_embedded(address.host))
    if len(hosts) * (len(ends) + bool(address.query)) > MAX_NAMES:
        raise AddressError(TOO_MANY_PARTS)
    paths = [address.path[:end] for end in ends]
    if address.query:
        paths.append(f"{address.path}?{address.query}")
    return tuple(host + path for host in hosts for path in paths)


def exact(address: Address) -> str:
    """Return the name of this address alone, its query included."""
    return _EXACT + plain(address)


def plain(address: Address) -> str:
    """Return the longest of its names: host, path, and query where it has one."""
    return address.host + address.path + (f"?{address.query}" if address.query else "")


def network(of: _Network) -> str:
    """Return the name of a network."""
    return f"{_NETWORK}{of}"


def networks(host: str, lengths: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Yield the names of the networks around a host that is an IP address; `lengths` pairs IP version and prefix."""
    for each in dict.fromkeys((host, *_embedded(host))):
        if (number := _ip(each)) is None:
            continue
        for version, length in lengths:
            if version == number.version:
                yield network(ipaddress.ip_network((number, length), strict=False))


def hashed(name: str) -> bytes:
    """Return the name of a name in lists that come hashed."""
    return prefix(hashlib.sha256(name.encode()).digest())


def prefix(digest: bytes) -> bytes:
    """Return the name of an entry that is itself a SHA-256, or its first 8 bytes or more.

    Eight bytes are as many as is kept of any name (filters.urltables), so the others would tell nothing more.
    """
    return _HASHED + digest[:LEAST_DIGEST_BYTES]


def network_of(name: str) -> tuple[int, int] | None:
    """Return the IP version and the prefix length that the name of a network stands for; None for another name."""
    if not name.startswith(_NETWORK):
        return None
    of = ipaddress.ip_network(name.removeprefix(_NETWORK))
    return of.version, of.prefixlen


def host_of(name: str | bytes) -> str:
    """Return the name of the whole host of a name, "site.test/"; nothing for networks and digests."""
    if isinstance(name, bytes) or name.startswith(_NETWORK):
        return ""
    return name.removeprefix(_EXACT).partition("/")[0] + "/"


def shown(name: str) -> str:
    """Return a name as evidence has it."""
    return name.lstrip("|")


def _ends(path: str) -> list[int]:
    ends = [place + 1 for place, each in enumerate(path) if each == "/"]
    return ends if path.endswith("/") else [*ends, len(path)]


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if host.startswith("["):
        return ipaddress.IPv6Address(host[1:-1])
    is_number = host.rpartition(".")[2].isdigit()  # WHATWG URL, section 3.5: a host that ends in a number is one
    return ipaddress.IPv4Address(host) if is_number else None


def _embedded(host: str) -> tuple[str, ...]:
    """Return the IPv4 address within an IPv6 one; those that are the same machine are one host already."""
    if not host.startswith("["):
        return ()
    number = ipaddress.IPv6Address(host.strip("[]"))
    if number in _6TO4:
        return (str(ipaddress.IPv4Address(int(number) >> 80 & 0xFFFFFFFF)),)
    if number in _COMPATIBLE and int(number) > 0xFFFF:
        return (str(ipaddress.IPv4Address(int(number))),)
    return ()
