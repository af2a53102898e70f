"""Addresses as list makers write them: one canonical form for all spellings, and the expressions a list may name.

Parsing is the WHATWG URL Standard by ada-url, as browsers and downloaders do it; on top comes the canonical form of
Google Safe Browsing v4, https://developers.google.com/safe-browsing/v4/urls-hashing (read 2026-11-21). An address that
no browser could follow is an error, never an address that matches nothing.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import ada_url

from filters.carriers import without_scheme

MAX_CHARACTERS = 16_384  # longer than any address a server answers; keeps hostile input cheap
MAX_HOST = 253  # octets of a DNS name, RFC 1035
MAX_NESTED = 8
CANNOT_PARSE = "address cannot be parsed"
NO_HOST = "address has no host"
TOO_LONG = "address is too long"
TOO_MANY_NESTED = "address holds too many others"

_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):(.*)", re.IGNORECASE | re.DOTALL)
_SPECIAL = frozenset({"http", "https", "ftp", "ws", "wss"})  # schemes with a host, WHATWG URL section 4.2
_PORT = re.compile(r"[0-9]+(?:[/?#\\]|\Z)")
_NESTED = re.compile(r"(?<=[a-z0-9]{2}):[/\\]+|(?<==)[/\\]{2,}", re.IGNORECASE)
_FORMAT = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_EDGES = (
    "".join(map(chr, range(0x21))) + "\x7f\x85\u00a0\u00ad\u1680\u180e\u3000\ufeff"
    "" + "".join(map(chr, (*range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x205F, 0x2070))))
)
_IGNORED = re.compile("[\t\r\n]")  # dropped wherever they stand, WHATWG URL section 4.4
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEX = frozenset(b"0123456789abcdefABCDEF")
_ESCAPED = re.compile(rb"[\x00-\x20\x7f-\xff#%]")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressError(ValueError):
    """The address cannot be compared with a list; the argument is a fixed phrase that quotes nothing."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in canonical form: without userinfo, port and fragment; `query` is None where there is no "?"."""

    scheme: str
    host: str = field(repr=False)
    path: str = field(repr=False)
    query: str | None = field(repr=False)

    def __str__(self) -> str:
        """Return the canonical address, scheme included."""
        return f"{self.scheme}://{self.host}{self.path}" + ("" if self.query is None else f"?{self.query}")


def canonical(text: str) -> Address:
    """Return the canonical form of an address, or raise AddressError; one without scheme is taken as http.

    A scheme that browsers do not know ("hxxp", "s3") is read as http, so that its host is normalised like any other.
    """
    if len(text) > MAX_CHARACTERS:
        raise AddressError(TOO_LONG)
    text = _plain_head(_SURROGATE.sub("\ufffd", _IGNORED.sub("", text)).strip(_EDGES))
    try:
        return _parsed(_with_scheme(text))
    except AddressError:
        decoded = unescaped(text.encode()).decode("utf-8", "replace")
        if "://" in text or "://" not in decoded:
            raise
    return _parsed(_with_scheme(_plain_head(decoded)))  # a whole address was percent-encoded


def unescaped(data: bytes) -> bytes:
    """Decode percent-escapes until none is left, in one pass over the bytes."""
    if b"%" not in data:
        return data
    out = bytearray()
    for byte in data:
        out.append(byte)
        # What a decoded byte completes is decoded in turn, so the result is that of decoding until nothing changes.
        while len(out) > 2 and out[-3] == 0x25 and out[-2] in _HEX and out[-1] in _HEX:
            out[-3:] = bytes([int(out[-2:], 16)])
    return bytes(out)


def expressions(address: Address) -> tuple[str, ...]:
    """Return the up to 5 host suffixes x 6 path prefixes under which a list may name this address."""
    paths = [address.path, *_prefixes(address.path)]
    if address.query:
        paths.insert(0, f"{address.path}?{address.query}")
    hosts = [address.host, *suffixes(address.host)[:4][::-1]]
    return tuple(dict.fromkeys(host + path for host in hosts for path in paths))


def nested(address: Address) -> tuple[Address, ...]:
    """Return the addresses that path and query carry, as those of archives, proxies and redirectors do.

    What only looks like an address there is left out; more than MAX_NESTED of them is an AddressError.
    """
    carried = address.path + ("" if address.query is None else f"?{address.query}")
    starts = [match.end() for match in _NESTED.finditer(carried)]
    if len(starts) > MAX_NESTED:
        raise AddressError(TOO_MANY_NESTED)
    spellings = [each for start in starts for each in (carried[start:], carried[start:].partition("&")[0])]
    spellings.extend(without_scheme(address.host, address.path, address.query or ""))
    return tuple(dict.fromkeys(_readable(spellings)))


def _readable(spellings: Sequence[str]) -> Iterator[Address]:
    for each in spellings:
        try:
            yield _parsed(f"http://{each}")
        except AddressError:
            continue


def _plain_head(text: str) -> str:
    # Up to the first slash: full-width letters or invisible characters in a scheme, or in a host without scheme.
    head, slash, rest = text.partition("/")
    return text if head.isascii() else unicodedata.normalize("NFKC", _FORMAT.sub("", head)) + slash + rest


def _with_scheme(text: str) -> str:
    if text.startswith(("//", "\\\\")):
        return f"http:{text}"
    if not text or text[0] in "/?#\\":
        raise AddressError(NO_HOST)
    match = _SCHEME.match(text)
    if not match or _PORT.match(match[2]):
        return f"http://{text}"
    if match[1].lower() in _SPECIAL:
        return text
    if match[2].startswith("//") and match[1].lower() != "file":
        return f"http:{match[2]}"
    raise AddressError(NO_HOST)


def _parsed(text: str) -> Address:
    try:
        parts = ada_url.parse_url(text, attributes=("href", "protocol", "hostname", "pathname", "search", "host_type"))
    except ValueError:  # its message holds nothing, but its context could
        raise AddressError(CANNOT_PARSE) from None
    query = parts["search"][1:] if parts["search"] else ("" if "?" in parts["href"].partition("#")[0] else None)
    return Address(
        scheme=parts["protocol"].rstrip(":"),
        host=_host(parts["hostname"], parts["host_type"]),
        path=_path(unescaped(parts["pathname"].encode())),
        query=None if query is None else _escaped(unescaped(query.encode())),
    )


def _host(host: str, host_type: int) -> str:
    if host_type == ada_url.HostType.IPV6:
        number = ipaddress.IPv6Address(host.strip("[]"))
        if number in _NAT64:
            return str(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF))
        return str(number.ipv4_mapped or host)
    cleaned = re.sub(r"\.{2,}", ".", host.strip("."))
    if not cleaned:
        raise AddressError(NO_HOST)
    if len(cleaned) > MAX_HOST:
        raise AddressError(TOO_LONG)
    # Without its stray dots a host may turn out to be a number.
    return cleaned if cleaned == host else _parsed(f"http://{cleaned}/").host


def _path(path: bytes) -> str:
    kept: list[bytes] = []
    segments = path.replace(b"\\", b"/").split(b"/")[1:]  # an escaped backslash is a slash to many a server
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    end = "/" if kept and segments[-1] in (b"", b".", b"..") else ""
    return "/" + "/".join(map(_escaped, kept)) + end


def _escaped(data: bytes) -> str:
    return _ESCAPED.sub(lambda found: b"%%%02X" % ord(found[0]), data).decode("ascii")


def _prefixes(path: str) -> list[str]:
    """Return the root and up to three directories below it."""
    directories = path.split("/")[1:-1]
    return ["/", *("/" + "/".join(directories[: depth + 1]) + "/" for depth in range(min(3, len(directories))))]


def suffixes(host: str) -> list[str]:
    """Return the domains above a host, shortest first; no top-level domain, and none for an IP address."""
    labels = host.split(".")
    if host.startswith("[") or labels[-1].isdigit():
        return []
    return [".".join(labels[-count:]) for count in range(2, len(labels))]
