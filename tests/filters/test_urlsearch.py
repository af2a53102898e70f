"""Spelling never hides a listed address, nothing unlisted is found, and the compiled loop says what Python says."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters import urlsearch
from filters.addresses import AddressError, canonical, nested
from filters.lists import ListSource
from filters.urllists import read_urls
from filters.urlnames import exact, hashed, names
from filters.urlsearch import Answer, UrlSearch
from filters.urltables import hashes_of
from tests.filters.urllists import CARRIERS, IP6_SPELLINGS, IP_SPELLINGS, SPELLINGS, compiled, url_list

KEY = b"0123456789abcdef0123456789abcdef"
DIGEST = hashlib.sha256(b"blocked.example.test/a/b.jpg").hexdigest()
DOMAIN_DIGEST = hashlib.sha256(b"example.test/").hexdigest()
ENTRIES = {
    "domain above": ("example.test\n", "domains"),
    "host": ("blocked.example.test\n", "domains"),
    "hosts file": ("0.0.0.0 blocked.example.test\n", "hosts"),
    "adblock domain": ("||example.test^\n", "adblock"),
    "adblock folder": ("||blocked.example.test/a/\n", "adblock"),
    "expression of a page": ("http://blocked.example.test/a/b.jpg\n", "csv"),
    "expression of a page on the domain above": ("example.test/a/b.jpg\n", "csv"),
    "expression of a folder": ("example.test/a/\n", "csv"),
    "exact URL": ("http://blocked.example.test/a/b.jpg\n", "url"),
    "prefix": ("http://blocked.example.test/a\n", "prefix"),
    "digest": (f"{DIGEST}\n", "sha256"),
    "digest of the domain": (f"{DOMAIN_DIGEST}\n", "sha256"),
    "first 8 bytes of a digest": (f"{DIGEST[:16]}\n", "sha256"),
}
ANY = st.characters()  # lone surrogates as well, as JSON may hold them
URL_LIKE = st.tuples(
    st.sampled_from(["http://", "https://", "HTTP://", "hTTps:/", ""]),
    st.sampled_from(["a.test", "WWW.a-b.c_d.test:80", "x.test:65535", "x.test:65536", "x", "1.2.3.4", "0x7f.1", ""]),
    st.lists(
        st.text("abzAZ09.-_~!$&'()*+,;=:@/?#[]{}|^`\"<> \\%", max_size=4)
        | st.sampled_from(["%2e", "%2F", "%5c", "%25", "%3A%2F%2F", "http://b.test", "//", "..", "xn--", "%00", "%FF"])
        | st.sampled_from(["/a.test", "é", "%3f", "%23", "%%34%31", "/./", "?u=//b.test", "&url=b.test/x", "?src=a.b"]),
        max_size=9,
    ).map("".join),
).map("".join)


def said(folder: Path, text: str, form: str) -> ListSource:
    """Return a list in this format; "url" and "prefix" are ways to mean a line of a table."""
    if form in ("url", "prefix"):
        return url_list(folder, text, columns=(("match", f"={form}"),))
    return url_list(folder, text, format=form)


def slowly(search: UrlSearch, texts: list[str]) -> list[Answer]:
    """Return what is found where no extension was built."""
    kept = urlsearch._COMPILED
    urlsearch._COMPILED = None
    try:
        return search.find(texts)
    finally:
        urlsearch._COMPILED = kept


@pytest.fixture(name="searches", scope="module")
def fixture_searches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, UrlSearch]:
    """Each entry alone in a list, in memory and compiled."""
    found = {}
    for kind, (text, form) in ENTRIES.items():
        source = said(tmp_path_factory.mktemp("lists"), text, form)
        found[kind] = UrlSearch([read_urls(source)])
        found[f"{kind}, compiled"] = UrlSearch([read_urls(compiled(Path(source.path).parent, source))])
    return found


@pytest.mark.parametrize("kind", [f"{kind}{form}" for kind in ENTRIES for form in ("", ", compiled")])
def test_every_entry_is_found_in_every_spelling_and_in_every_address_that_carries_it(
    searches: dict[str, UrlSearch], kind: str
) -> None:
    told = {**SPELLINGS, **{f"carried: {how}": text for how, text in CARRIERS.items()}}
    answers = dict(zip(told, searches[kind].find(list(told.values())), strict=True))
    assert [how for how, answer in answers.items() if not answer.matches] == []
    assert slowly(searches[kind], list(told.values())) == list(answers.values())


NEAR = [
    "http://example.test.evil.test/a/b.jpg",
    "http://blocked.example.test.evil.test/a/b.jpg",
    "http://notexample.test/a/b.jpg",
    "http://xblocked-example.test/a/b.jpg",
    "http://example-test/a/b.jpg",
    "http://test/a/b.jpg",
    "http://example.tes/a/b.jpg",
    "http://example.test2/a/b.jpg",
    "http://evil.test/blocked.example.test/a/b.jpg",
    "http://evil.test/?q=blocked.example.test",
    "http://evil.test/?utm_campaign=blocked.example.test&x=1",
    "http://evil.test/?url=xblocked-example.test/a/b.jpg",
    "http://evil.test/?url=a/blocked.example.test/a/b.jpg",
    "http://i0.wp.com/notexample.test/a/b.jpg",
    "http://notwp.com/blocked.example.test/a/b.jpg",
    "http://evil.test/a/b.jpg#http://blocked.example.test/a/b.jpg",
    "http://blocked.example.test@evil.test/a/b.jpg",
    "http://evil.test\\@blocked.example.test/a/b.jpg",
    "http://xn--blocked-.test/",
]


@pytest.mark.parametrize("kind", ENTRIES)
def test_no_entry_is_found_in_a_near_miss(searches: dict[str, UrlSearch], kind: str) -> None:
    answers = searches[kind].find(NEAR)
    assert [text for text, answer in zip(NEAR, answers, strict=True) if answer.matches] == []
    assert slowly(searches[kind], NEAR) == answers


@pytest.mark.parametrize(
    ("kind", "found", "missed"),
    [
        ("host", ["http://www.blocked.example.test/"], ["http://example.test/", "http://www.example.test/"]),
        ("exact URL", [], ["http://blocked.example.test/a/", "http://www.blocked.example.test/a/b.jpg"]),
        ("exact URL", [], ["http://blocked.example.test/a/b.jpg?x", "http://blocked.example.test/a/b.jpg/"]),
        ("exact URL", [], ["http://blocked.example.test/A/b.jpg", "http://blocked.example.test/"]),
        ("prefix", ["http://blocked.example.test/a?x", "http://blocked.example.test/a/c/d"], []),
        ("prefix", [], ["http://blocked.example.test/ab", "http://blocked.example.test/"]),
        ("expression of a folder", ["http://x.y.example.test/a/b/c/d/e/f/g/h?i"], ["http://example.test/a"]),
        ("expression of a page", ["http://www.blocked.example.test/a/b.jpg?x=1"], ["http://example.test/a/b.jpg"]),
        ("domain above", ["http://a.b.c.d.e.f.g.h.example.test/"], []),
        ("first 8 bytes of a digest", ["http://x.blocked.example.test/a/b.jpg?x"], ["http://example.test/a/b.jpg"]),
    ],
)
def test_an_entry_stands_for_what_its_kind_says_and_no_more(
    searches: dict[str, UrlSearch], kind: str, found: list[str], missed: list[str]
) -> None:
    assert all(answer.matches for answer in searches[kind].find(found))
    assert not any(answer.matches or answer.unexamined for answer in searches[kind].find(missed))


@pytest.mark.parametrize(
    ("entry", "spellings"),
    [
        *(
            (entry, IP_SPELLINGS)
            for entry in (
                "198.51.100.7",
                "0xC6336407",
                "198.51.100.0/24",
                "198.51.100.7/32",
                "198.0.0.0/8",
                "198.51.100.6-198.51.100.8",
                "198.51.99.255 - 198.51.101.0",
                "::ffff:198.51.100.0/120",
                "64:ff9b::c633:6400/120",
            )
        ),
        *((e, IP6_SPELLINGS) for e in ("2001:db8::7", "2001:db8::/32", "2001:db8::-2001:db8::ffff", "[2001:db8::7]")),
    ],
)
def test_an_ip_address_or_range_is_found_in_every_spelling(
    tmp_path: Path, entry: str, spellings: dict[str, str]
) -> None:
    source = compiled(tmp_path, url_list(tmp_path, f"{entry}\n"))
    answers = UrlSearch([read_urls(source)]).find(list(spellings.values()))
    assert [how for how, answer in zip(spellings, answers, strict=True) if not answer.matches] == []


def test_what_lies_beside_an_ip_range_is_not_found(tmp_path: Path) -> None:
    entries = "198.51.100.16/28\n203.0.113.5-203.0.113.6\n2001:db8:1::/48\n"
    search = UrlSearch([read_urls(url_list(tmp_path, entries))])
    outside = [
        *("198.51.100.15", "198.51.100.32", "203.0.113.4", "203.0.113.7", "[2001:db8:2::]", "[2001:db8::1]"),
        *("198.51.100.16.test", "16.100.51.198", "[::ffff:198.51.100.15]"),
    ]
    assert not any(answer.matches for answer in search.find([f"http://{host}/" for host in outside]))
    inside = ["198.51.100.16", "198.51.100.31", "203.0.113.5", "203.0.113.6", "[2001:db8:1:ffff::]"]
    assert all(answer.matches for answer in search.find([f"http://{host}/" for host in inside]))


def near_misses(domain: str) -> Iterator[str]:
    name, _, top = domain.partition(".")
    yield from (f"not{domain}", f"{domain}.evil.test", f"{name}-{top}.test", f"{name}.{top}x", f"{name}x.{top}")
    yield from (f"{name[1:]}.{top}", f"www{domain}", f"{name}.www.{top}", f"{top}.{name}.test", f"evil.test/{domain}")


def test_of_a_hundred_thousand_unlisted_hosts_none_is_found(tmp_path: Path) -> None:
    domains = [f"site{number}.example{number % 7}.test" for number in range(0, 24_000, 2)]
    pages = [f"http://host{number}.example.org/folder/{number}" for number in range(2_000)]
    source = compiled(tmp_path, url_list(tmp_path, "\n".join([*domains, *pages])))
    search = UrlSearch([read_urls(source)])
    unlisted = [f"http://{host}/x" for domain in domains for host in near_misses(domain)]
    unlisted += [f"https://site{number}.example{number % 7}.test/a" for number in range(1, 24_000, 2)]
    unlisted += [f"http://{www}host{n}.example.org/{at}" for n in range(2_000) for www, at in (("www.", ""), ("", "x"))]
    assert len(set(unlisted)) > 125_000
    answers = search.find(unlisted)
    assert [text for text, answer in zip(unlisted, answers, strict=True) if answer != Answer()] == []
    assert slowly(search, unlisted[::50]) == answers[::50]
    assert all(answer.matches for answer in search.find([f"http://www.{domain}/x" for domain in domains] + pages))


def test_a_match_names_its_list_its_category_and_what_the_authority_says(tmp_path: Path) -> None:
    table = "address,class,label\nsite.test,A1,csam\nsite.test,B2,csam\nsite.test/x,,opt-out\n"
    columns = (("value", "address"), ("classification", "class"), ("category", "label"))
    one = url_list(tmp_path, table, "one", columns=columns, categories=("opt-out",))
    two = compiled(tmp_path, url_list(tmp_path, "site.test\n", "two", "adult-site"))
    (answer,) = UrlSearch([read_urls(two), read_urls(one)]).find(["http://site.test/x"])
    assert [(each.source, each.category, each.classification, each.entry) for each in answer.matches] == [
        ("two", "adult-site", "", "site.test/"),
        ("one", "csam", "A1", "site.test/"),
        ("one", "csam", "B2", "site.test/"),
        ("one", "opt-out", "", "site.test/x"),
    ]
    assert "site.test" not in repr((answer, UrlSearch([read_urls(one)])))


def test_an_address_of_too_many_parts_is_unexamined(tmp_path: Path) -> None:
    search = UrlSearch([read_urls(url_list(tmp_path, "site.test\n"))])
    answers = search.find(["http://" + "a." * 40 + host + "/a" * 40 for host in ("test", "site.test")])
    assert {answer.unexamined for answer in answers} == {"address has too many parts"}
    assert [bool(answer.matches) for answer in answers] == [False, True]


@pytest.fixture(name="compare", scope="module")
def fixture_compare() -> Callable[[str], bool]:
    if not urlsearch.EXTENSION:
        pytest.skip("no compiled loop to compare with")
    from filters._urls import hashes

    def compare(text: str) -> bool:
        """Tell whether the compiled loop takes the address as plain, after comparing its names with Python's."""
        found = hashes(text, KEY, True)
        if found is None:
            return False
        address = canonical(text)
        assert nested(address) == ()
        every = names(address)
        wanted: list[str | bytes] = [exact(address), *every, *map(hashed, every)]
        assert set(np.frombuffer(found, np.uint64).tolist()) == set(hashes_of(KEY, wanted).tolist())
        return True

    return compare


@settings(max_examples=1_500)
@given(URL_LIKE | st.text(ANY, max_size=60))
@example("http://a.test/%2")
@example("http://a.test/a?b?c#d?e")
@example("http://a.test?")
@example("http://a.test:1/%2%35e")
def test_the_names_of_a_plain_address_are_those_that_python_gives(compare: Callable[[str], bool], text: str) -> None:
    compare(text)


def test_ordinary_addresses_are_plain_and_evasive_ones_are_left_to_python(compare: Callable[[str], bool]) -> None:
    assert all(
        map(
            compare,
            [
                "https://cdn.images.test/photos/2020/05/a_b-c.jpg?w=300&h=200",
                "http://WWW.site.test",
                "http://site.test:8080/a%20b/%C3%A9.png?x=%26#top",
                "https://a.b.c.d.e.f.site.test/" + "a/" * 60 + "x" * 200,
                "http://site.test/it's(1)!~*;,=@$&+{}|^`<>\"[].jpg",
            ],
        )
    )
    odd = [text for how, text in SPELLINGS.items() if "fragment" not in how and "query" not in how]
    left = [text for text in (*CARRIERS.values(), *IP_SPELLINGS.values(), *IP6_SPELLINGS.values()) if compare(text)]
    assert left == []
    assert sum(map(compare, odd)) < 15


@settings(max_examples=300)
@given(st.lists(URL_LIKE | st.sampled_from([*SPELLINGS.values(), *NEAR, *CARRIERS.values()]), max_size=8))
def test_an_answer_is_the_same_with_the_compiled_loop_and_without(
    searches: dict[str, UrlSearch], texts: list[str]
) -> None:
    for kind in ("domain above", "exact URL", "digest, compiled", "expression of a folder, compiled"):
        assert searches[kind].find(texts) == slowly(searches[kind], texts)


PATH = st.lists(
    st.sampled_from(["a/b.jpg", "a/./b.jpg", "a//b.jpg", "x/../a/b.jpg", "a/b.jpg#x", "%61/b.jpg", "%2561/%62.jpg"])
)


@given(st.data())
def test_whatever_evasions_are_put_together_a_listed_address_is_never_clean(
    searches: dict[str, UrlSearch], data: st.DataObject
) -> None:
    """Each letter may be in another case, escaped or split; each part dressed up."""

    def dressed(part: str, depth: int) -> str:
        out = ""
        for each in part:
            form = data.draw(st.integers(0, 5))
            escape = f"%{'25' * data.draw(st.integers(0, depth))}{ord(each):02x}"
            out += {0: escape, 1: f"{each}\t", 2: f"\n{each}"}.get(form, each)
        return out

    scheme = data.draw(st.sampled_from(["http://", "https:\\\\", "HTTP:/", "//", "hxxp://", " \x00http://u:p@"]))
    host = "".join(data.draw(st.sampled_from([each, each.upper()])) for each in "blocked.example.test")
    end = data.draw(st.sampled_from(["/", "//", "/./", "/x/../", ":8080/", "./", "/y/z/%2e%2e/../"]))
    text = (
        scheme + dressed(host, 0) + end + dressed("a/b.jpg", 3) + data.draw(st.sampled_from(["", "#x", "?", "?#/.."]))
    )
    for kind in ("domain above", "expression of a page", "prefix, compiled", "first 8 bytes of a digest", "exact URL"):
        (answer,) = searches[kind].find([text])
        assert answer.matches or answer.unexamined


def test_a_table_that_does_not_fit_is_an_error_and_never_read_beyond(compare: Callable[[str], bool]) -> None:
    from filters._urls import unlisted

    rows, hosts = np.arange(8, dtype=np.uint64), np.full(8, 2**64 - 1, dtype=np.uint64)
    good = np.array([0, 8, 8], dtype=np.uint32)
    assert unlisted(("http://a.test/",), ((KEY, False, ((rows, good, hosts),)),)) == b"\1"
    for starts, blocks in ((good + np.uint32(9), hosts), (good[:2], hosts), (good, hosts[:4]), (good, hosts[:0])):
        with pytest.raises(ValueError, match="do not fit"):
            unlisted(("http://a.test/", "http://b.test/"), ((KEY, False, ((rows, starts, blocks),)),))
    with pytest.raises(TypeError, match="tuple"):
        unlisted((), (None,))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="32 bytes"):
        unlisted((), ((KEY[:-1], False, ()),))


def test_what_python_raises_for_an_address_is_unexamined(searches: dict[str, UrlSearch]) -> None:
    with pytest.raises(AddressError):
        canonical("http://[")
    assert searches["host"].find(["http://[", ""]) == [
        Answer(unexamined="address cannot be parsed"),
        Answer(unexamined="address has no host"),
    ]
