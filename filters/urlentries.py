"""From an entry of a URL list, as its maker wrote it, to the names that it stands for (filters.urlnames)."""

import ipaddress
import re
from collections.abc import Callable

from filters.addresses import Address, AddressError, canonical
from filters.urlnames import LEAST_DIGEST_BYTES, exact, network, plain, prefix

WIDEST = {4: 8, 6: 16}  # prefix length of the widest network, by IP version: no authority was ever given a wider one
NO_ADDRESS = "that are no URL, domain or IP address"
NO_DOMAIN = "that are no domain"
NO_NETWORK = "that are no IP address or range"
TOO_WIDE = "with an IP range wider than /8 (IPv4) or /16 (IPv6)"
WILDCARD = 'with a "*" that stands for more than a whole part'
WITH_USER = 'with an "@" before the host, which would widen a mail address to its whole domain'
FRAGMENT = "with nothing but a fragment behind the host, which would widen them to the whole domain"
NO_DIGEST = "that are no SHA-256 in hex"
SHORT_DIGEST = f"with fewer than {LEAST_DIGEST_BYTES} bytes of a digest, which match by chance"
UNKNOWN = "with an unknown `match`"

Names = tuple[str | bytes, ...]

_WILDCARD = re.compile(r"\A([a-z][a-z0-9+.\-]*://)?(?:\*?\.)?(.*?)(?:(?<=/)\*)?\Z", re.IGNORECASE | re.DOTALL)
_ORDINARY = re.compile(r"(?:(?!xn--)[a-z0-9_-]+\.)+(?!xn--)[a-z][a-z0-9_-]*\Z")
_CIDR = re.compile(r"[0-9a-fA-F.:]+/[0-9]+\Z")
_DIGEST = re.compile(r"(?:[0-9a-fA-F]{2}){1,32}\Z")
_USER = re.compile(r"(?:[a-z][a-z0-9+.\-]*:)?[/\\]*[^/\\?#]*@", re.IGNORECASE)
_FRAGMENT = re.compile(r"#[^#]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MAX_ORDINARY = 253
_MAPPED = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))  # the machines of IPv4

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class EntryError(ValueError):
    """An entry cannot be used; the argument says of how many lines that is so, and quotes nothing."""


def entry_names(value: str, match: str = "") -> Names:
    """Return the names of an entry, or raise EntryError.

    `match` says how it is meant: "url" this address alone; "prefix" it and what lies below it; "domain" the host and
    all hosts below; "ip" an address or range; "sha256" a digest of an expression, whole or its first 8 bytes or more.
    Without it an IP range is one, and all else is an expression of Safe Browsing: "site.test" the domain,
    "site.test/a/" the folder, "site.test/a" the page with any query, "site.test/a?b" with this one.
    """
    if _CONTROL.search(value):
        raise EntryError(NO_ADDRESS)
    if match in ("", "domain") and len(value) <= _MAX_ORDINARY and _ORDINARY.match(value):
        return (f"{value}/",)  # what the way below would give, many times sooner
    if match not in _READ:
        raise EntryError(UNKNOWN)
    return _READ[match](value.strip())


def _by_its_form(value: str) -> Names:
    found = _networks(value)
    return found if found else (_expression(value),)


def _alone(value: str) -> Names:
    return (exact(_address(value)),)


def _below(value: str) -> Names:
    name = _expression(value)
    return (name,) if name.endswith("/") or "?" in name else (name, f"{name}/")


def _domain(value: str) -> Names:
    if _CIDR.match(value):
        raise EntryError(NO_DOMAIN)
    try:
        name = _expression(value)
    except EntryError:
        raise EntryError(NO_DOMAIN) from None
    if name.count("/") != 1 or not name.endswith("/"):
        raise EntryError(NO_DOMAIN)
    return (name,)


def _ip(value: str) -> Names:
    if found := _networks(value):
        return found
    raise EntryError(NO_NETWORK)


def _sha256(value: str) -> Names:
    if not _DIGEST.match(value):
        raise EntryError(NO_DIGEST)
    digest = bytes.fromhex(value)
    if len(digest) < LEAST_DIGEST_BYTES:
        raise EntryError(SHORT_DIGEST)
    return (prefix(digest),)


_READ: dict[str, Callable[[str], Names]] = {
    "": _by_its_form,
    "url": _alone,
    "prefix": _below,
    "domain": _domain,
    "ip": _ip,
    "sha256": _sha256,
}
MATCHES = tuple(filter(None, _READ))


def _expression(value: str) -> str:
    """Return the expression of Safe Browsing; "*." and "/*" may enclose it."""
    found = _WILDCARD.match(value)
    address = _address(f"{found[1] or ''}{found[2]}" if found else value)
    if "*" in address.host + address.path:
        raise EntryError(WILDCARD)
    return plain(address)


def _address(value: str) -> Address:
    try:
        address = canonical(value)
    except AddressError:
        raise EntryError(NO_ADDRESS) from None
    if address.path == "/" and not address.query:
        if _USER.match(value):
            raise EntryError(WITH_USER)
        if _FRAGMENT.search(value):
            raise EntryError(FRAGMENT)
    if "." not in address.host and not address.host.startswith("[") and plain(address).endswith("/"):
        raise EntryError(NO_ADDRESS)  # no domain below a top-level one: it matches nothing, and nobody would know
    return address


def _networks(value: str) -> Names:
    """Return the names of an IP address, a network or a range "a-b"; none for what is none of them."""
    return tuple(map(_name, _around(value)))


def _around(value: str) -> list[_Network]:
    low, dash, high = value.partition("-")
    try:
        if not dash:
            return [ipaddress.ip_network(value.strip("[]"))]
        ends = ipaddress.ip_address(low.strip()), ipaddress.ip_address(high.strip())
    except ValueError:
        if _CIDR.match(value):  # it is meant as one, and never as a host with a path
            raise EntryError(NO_NETWORK) from None
        return []
    if ends[0].version != ends[1].version or int(ends[0]) > int(ends[1]):
        raise EntryError(NO_NETWORK)
    return list(ipaddress.summarize_address_range(*ends))


def _name(of: _Network) -> str:
    if isinstance(of, ipaddress.IPv6Network) and any(of.subnet_of(each) for each in _MAPPED):
        of = ipaddress.IPv4Network((int(of.network_address) & 0xFFFFFFFF, of.prefixlen - 96))
    if of.prefixlen < WIDEST[of.version]:
        raise EntryError(TOO_WIDE)
    if of.prefixlen < of.max_prefixlen:
        return network(of)
    return plain(canonical(f"[{of.network_address}]" if of.version == 6 else str(of.network_address)))
