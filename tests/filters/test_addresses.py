import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.addresses import (
    CANNOT_PARSE,
    MAX_CHARACTERS,
    NO_HOST,
    TOO_LONG,
    TOO_MANY_NESTED,
    Address,
    AddressError,
    canonical,
    expressions,
    nested,
    unescaped,
)

ANY = st.characters()  # lone surrogates as well, as JSON may hold them

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "safe_browsing.json").read_text(encoding="utf-8"))

# What the WHATWG URL Standard, which decides where a browser or downloader goes, says otherwise. Each of them that is
# refused leaves its sample unexamined, so it is withheld.
REFUSED = {
    "http://host%23.com/%257Ea%2521b%2540c%2523d%2524e%25f%255E00%252611%252A22%252833%252944_55%252B": "# in a host",
    "http://\x01\x80.com/": "control characters in a host",
    "http:// leadingspace.com/": "a blank in a host",
    "http://%20leadingspace.com/": "a blank in a host",
    "%20leadingspace.com/": "a blank in a host",
    "http://some%1bhost.com/%1b": "a control character in a host",
    "http://W!eird<>Ho$^.com/": "<, > and ^ in a host",
    "http://276.2.3": "276 is more than an octet that is not the last number of an IPv4 address",
}
OTHERWISE = {
    "http://[::192.9.5.5]/ipng": ("http://[::c009:505]/ipng", "IPv6 is written in hexadecimal; RFC 5952"),
    "http:///blah#ref": ("http://blah/", "slashes after http: are skipped, so blah is the host"),
    "http:///blah?query#ref": ("http://blah/?query", "likewise"),
    "http:///blah;param": ("http://blah;param/", "likewise"),
    "http:///blah;param?query#ref": ("http://blah;param/?query", "likewise"),
}
# That program tries up to seven hosts; the page, and we, five.
MORE_HOSTS_THAN_THE_PAGE = {"http://a.b.c.d.e.f.g.h.i/"}

TARGET = "blocked.example.test/a/b.jpg"
SPELLINGS = [
    "http://blocked.example.test/a/b.jpg",
    "https://blocked.example.test/a/b.jpg",
    "HTTP://BLOCKED.example.TEST/a/b.jpg",
    "//blocked.example.test/a/b.jpg",
    "blocked.example.test/a/b.jpg",
    "blocked.example.test:8080/a/b.jpg",
    "http://blocked.example.test:80/a/b.jpg",
    "http://user:secret@blocked.example.test/a/b.jpg",
    "http://benign.test@blocked.example.test/a/b.jpg",
    "http://blocked.example.test./a/b.jpg",
    "http://blocked..example.test/a/b.jpg",
    "http://blocked.example.test//a///b.jpg",
    "http://blocked.example.test/x/../a/./b.jpg",
    "http://blocked.example.test/x/%2e%2e/a/b.jpg",
    "http://blocked.example.test/%61/%62.jpg",
    "http://blocked.example.test/%2561/%252562.jpg",
    "http://blocked.example.test/a%2fb.jpg",
    "http://blocked.example.test/a%5Cb.jpg",
    "http://%62locked.example.test/a/b.jpg",
    "http:\\\\blocked.example.test\\a\\b.jpg",
    "http:/blocked.example.test/a/b.jpg",
    "http:blocked.example.test/a/b.jpg",
    "http:////blocked.example.test/a/b.jpg",
    "ht\ntp://blo\tcked.exam\rple.test/a/b.jpg",
    " \x00http://blocked.example.test/a/b.jpg\x1f ",
    "\ufeff\u200bhttp://blocked.example.test/a/b.jpg\u00a0",
    "http://blo\u00adcked.example.test/a/b.jpg",
    "http://blo\u200bcked.example.test/a/b.jpg",
    "http://blocked。example．test/a/b.jpg",
    "http://ｂｌｏｃｋｅｄ.example.test/a/b.jpg",
    "ｈｔｔｐ：／／ｂｌｏｃｋｅｄ.example.test/a/b.jpg",
    "ｈｔｔｐｓ://blocked.example.test/a/b.jpg",
    "hxxp://blocked.example.test/a/b.jpg",
    "http%3A%2F%2Fblocked.example.test%2Fa%2Fb.jpg",
    "http://blocked.example.test/a/b.jpg#fragment",
    "http://blocked.example.test/a/b.jpg?",
]
IP_SPELLINGS = [
    "http://198.51.100.7/x",
    "http://0xC6.0x33.0x64.0x07/x",
    "http://0306.063.0144.07/x",
    "http://3325256711/x",
    "http://0xC6336407/x",
    "http://198.51.25607/x",
    "http://198.51.100.7./x",
    "http://198.51.100.7../x",
    "http://%31%39%38.51.100.7/x",
    "http://１９８.51.100.7/x",
    "http://[::ffff:198.51.100.7]/x",
    "http://[::FFFF:c633:6407]/x",
    "http://[64:ff9b::198.51.100.7]/x",
]


@pytest.mark.parametrize(("text", "expected"), [*VECTORS["canonical"]["page"], *VECTORS["canonical"]["go"]])
def test_published_vectors_hold_but_for_the_stated_exceptions(text: str, expected: str) -> None:
    if text in REFUSED:
        with pytest.raises(AddressError, match=CANNOT_PARSE):
            canonical(text)
    else:
        assert str(canonical(text)) == OTHERWISE.get(text, (expected,))[0]


@pytest.mark.parametrize("text", VECTORS["no_host"])
def test_published_vectors_without_host_are_refused_but_for_the_stated_exceptions(text: str) -> None:
    if text in OTHERWISE:
        assert str(canonical(text)) == OTHERWISE[text][0]
    else:
        with pytest.raises(AddressError):
            canonical(text)


@pytest.mark.parametrize(
    ("text", "expected"), [*VECTORS["expressions"]["page"].items(), *VECTORS["expressions"]["go"].items()]
)
def test_published_expressions_hold(text: str, expected: list[str]) -> None:
    found = set(expressions(canonical(text)))
    if text in MORE_HOSTS_THAN_THE_PAGE:
        assert found < set(expected)
    else:
        assert found == set(expected)


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_of_an_address_has_one_canonical_form(text: str) -> None:
    assert TARGET in expressions(canonical(text))


@pytest.mark.parametrize("text", IP_SPELLINGS)
def test_every_spelling_of_an_ip_address_has_one_canonical_form(text: str) -> None:
    assert expressions(canonical(text)) == ("198.51.100.7/x", "198.51.100.7/")


def test_names_of_any_script_meet_in_their_ascii_form() -> None:
    forms = {canonical(text).host for text in ("http://Bücher.test", "http://bu\u0308cher.test", "xn--bcher-kva.test")}
    assert forms == {"xn--bcher-kva.test"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", NO_HOST),
        ("http://", CANNOT_PARSE),
        ("http://...", NO_HOST),
        ("data:image/png;base64,AAAA", NO_HOST),
        ("mailto:someone@example.test", NO_HOST),
        ("file:///etc/x", NO_HOST),
        ("/only/a/path", NO_HOST),
        ("http://[::1", CANNOT_PARSE),
        ("http://a b/", CANNOT_PARSE),
        ("http://example.test:99999/", CANNOT_PARSE),
        ("http://1.2.3.4.5/", CANNOT_PARSE),
        ("\ud800.test", CANNOT_PARSE),
        ("http://" + "a." * 200 + "test/", TOO_LONG),
        ("http://example.test/" + "a" * MAX_CHARACTERS, TOO_LONG),
    ],
)
def test_what_no_browser_could_follow_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(AddressError) as refusal:
        canonical(text)
    assert str(refusal.value) == why


def test_a_refusal_quotes_nothing_of_the_address() -> None:
    with pytest.raises(AddressError) as refusal:
        canonical("http://codeword-alpha codeword/")
    assert "codeword" not in repr(refusal.value)
    assert refusal.value.__cause__ is None
    assert "codeword" not in repr(canonical("http://codeword-alpha.test/codeword"))


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://archive.test/web/2020id_/http://blocked.test/a", "blocked.test/a"),
        ("https://proxy.test/?url=http://blocked.test/a&w=300", "blocked.test/a"),
        ("https://proxy.test/?url=http%3A%2F%2Fblocked.test%2Fa&w=300", "blocked.test/a"),
        ("https://proxy.test/fetch/https%253A%252F%252Fblocked.test/a", "blocked.test/a"),
        ("https://a.test/?u=https://b.test/?u=http://blocked.test/a", "blocked.test/a"),
    ],
)
def test_an_address_within_an_address_is_found(text: str, target: str) -> None:
    assert target in {name for each in nested(canonical(text)) for name in expressions(each)}


def test_too_many_addresses_within_one_are_refused() -> None:
    with pytest.raises(AddressError, match=TOO_MANY_NESTED):
        nested(canonical("http://a.test/" + "http://b.test/" * 9))


@given(st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"%2")))
def test_unescaping_equals_unescaping_again_and_again(data: bytes) -> None:
    once, then = data, unquote_to_bytes(data)
    while once != then:
        once, then = then, unquote_to_bytes(then)
    assert unescaped(data) == once


@given(st.text(ANY, max_size=80) | st.text(alphabet="ahtp:/.%25#?\\@[]0x7f\u3002\u00ad\ud800&=", max_size=60))
def test_any_text_is_an_address_or_refused_and_canonical_forms_are_fixed_points(text: str) -> None:
    inner: tuple[Address, ...] = ()
    with suppress(AddressError):
        address = canonical(text)
        inner = (address, *nested(address))
    for each in inner:
        assert 1 <= len(expressions(each)) <= 30
        assert str(canonical(str(each))) == str(each)
        assert str(each).isascii()
