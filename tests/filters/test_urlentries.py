"""What an entry of a URL list stands for, by the way it is meant."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.addresses import AddressError, canonical
from filters.urlentries import (
    FRAGMENT,
    MATCHES,
    NO_ADDRESS,
    NO_DIGEST,
    NO_DOMAIN,
    NO_NETWORK,
    SHORT_DIGEST,
    TOO_WIDE,
    UNKNOWN,
    WILDCARD,
    WITH_USER,
    EntryError,
    entry_names,
)
from filters.urlnames import plain, prefix

DIGEST = hashlib.sha256(b"codeword-alpha.test/").digest()


@pytest.mark.parametrize(
    ("entry", "match", "names"),
    [
        ("site.test", "", ("site.test/",)),
        ("Site.TEST.", "", ("site.test/",)),
        (".site.test", "", ("site.test/",)),
        ("*.site.test", "", ("site.test/",)),
        ("http://*.site.test/*", "", ("site.test/",)),
        ("site.test/a/*", "", ("site.test/a/",)),
        ("https://site.test/a?b=1", "", ("site.test/a?b=1",)),
        ("bücher.test", "", ("xn--bcher-kva.test/",)),
        ("xn--BCHER-kva.test", "", ("xn--bcher-kva.test/",)),
        ("my-site.test", "", ("my-site.test/",)),
        ("2001:db8::1", "", ("[2001:db8::1]/",)),
        ("[2001:db8::1]", "", ("[2001:db8::1]/",)),
        ("0xC6.0x33.100.7", "", ("198.51.100.7/",)),
        ("198.51.100.0/24", "", ("||198.51.100.0/24",)),
        ("http://198.51.100.0/24", "", ("198.51.100.0/24",)),
        ("198.51.100.7/32", "", ("198.51.100.7/",)),
        ("198.51.100.7-198.51.100.9", "", ("198.51.100.7/", "||198.51.100.8/31")),
        ("2001:db8::/32", "", ("||2001:db8::/32",)),
        ("::ffff:198.51.100.0/120", "", ("||198.51.100.0/24",)),
        ("http://site.test/", "url", ("|site.test/",)),
        ("site.test/a?b#c", "url", ("|site.test/a?b",)),
        ("http://user:pass@site.test/a", "", ("site.test/a",)),
        ("site.test/a@b", "", ("site.test/a@b",)),
        ("http://site.test/?a#", "", ("site.test/?a",)),
        ("site.test/a", "prefix", ("site.test/a", "site.test/a/")),
        ("site.test/a/", "prefix", ("site.test/a/",)),
        ("site.test", "prefix", ("site.test/",)),
        ("site.test/a?b", "prefix", ("site.test/a?b",)),
        ("http://site.test/", "domain", ("site.test/",)),
        ("198.51.100.7", "domain", ("198.51.100.7/",)),
        ("198.51.100.0/24", "ip", ("||198.51.100.0/24",)),
        ("198.51.100.7", "ip", ("198.51.100.7/",)),
        (DIGEST.hex().upper(), "sha256", (prefix(DIGEST),)),
        (DIGEST[:8].hex(), "sha256", (prefix(DIGEST[:8]),)),
    ],
)
def test_an_entry_stands_for_the_names_of_its_kind(entry: str, match: str, names: tuple[str | bytes, ...]) -> None:
    assert entry_names(entry, match) == names


@pytest.mark.parametrize(
    ("entry", "match", "why"),
    [
        ("codeword", "", NO_ADDRESS),
        ("http://", "", NO_ADDRESS),
        ("/a/b", "", NO_ADDRESS),
        ("*", "", NO_ADDRESS),
        ("site.test\x00", "", NO_ADDRESS),
        ("a.*.test", "", WILDCARD),
        ("site.test/a*b", "", WILDCARD),
        ("site.test/a*", "prefix", WILDCARD),
        ("198.51.100.7/24", "", NO_NETWORK),
        ("198.51.100.0/33", "", NO_NETWORK),
        ("198.51.100.9-198.51.100.7", "", NO_NETWORK),
        ("198.51.100.9-2001:db8::", "", NO_NETWORK),
        ("0.0.0.0/0", "", TOO_WIDE),
        ("0.0.0.0-255.255.255.255", "", TOO_WIDE),
        ("::/0", "", TOO_WIDE),
        ("2000::/15", "", TOO_WIDE),
        ("site.test", "ip", NO_NETWORK),
        ("site.test/a", "domain", NO_DOMAIN),
        ("site.test?a", "domain", NO_DOMAIN),
        ("198.51.100.0/24", "domain", NO_DOMAIN),
        ("com", "domain", NO_DOMAIN),
        ("codeword", "url", NO_ADDRESS),
        ("codeword@site.test", "", WITH_USER),
        ("codeword@site.test", "domain", NO_DOMAIN),
        ("https://user:pass@site.test/", "url", WITH_USER),
        ("https://site.test/#/page", "", FRAGMENT),
        ("https://site.test#page", "url", FRAGMENT),
        ("https://site.test/?#page", "prefix", FRAGMENT),
        ("site.test", "sha256", NO_DIGEST),
        (DIGEST.hex() + "00", "sha256", NO_DIGEST),
        (DIGEST.hex()[:-1], "sha256", NO_DIGEST),
        (DIGEST[:7].hex(), "sha256", SHORT_DIGEST),
        (DIGEST[:4].hex(), "sha256", SHORT_DIGEST),
        ("site.test", "regex", UNKNOWN),
    ],
)
def test_what_cannot_be_an_entry_is_refused_with_a_reason_that_quotes_nothing(entry: str, match: str, why: str) -> None:
    with pytest.raises(EntryError) as refusal:
        entry_names(entry, match)
    assert str(refusal.value) == why
    assert refusal.value.__cause__ is None


@given(st.from_regex(r"\A(?:[a-z0-9_-]{1,8}\.){1,4}[a-z][a-z0-9_-]{0,8}\Z"))
def test_the_short_way_for_ordinary_domains_gives_what_the_long_one_does(domain: str) -> None:
    try:
        wanted = plain(canonical(domain))
    except AddressError:
        with pytest.raises(EntryError):
            entry_names(domain)
        return
    assert entry_names(domain) == entry_names(domain, "domain") == (wanted,)


@given(st.text(max_size=40), st.sampled_from(["", *MATCHES]))
def test_any_text_is_an_entry_or_refused(text: str, match: str) -> None:
    try:
        names = entry_names(text, match)
    except EntryError:
        return
    assert names
    assert all(names)
