"""What each format of a URL list blocks, and that nothing of it is taken as wider or dropped in silence."""

from pathlib import Path

import pytest

from filters import urlformats
from filters.urlformats import (
    COSMETIC,
    EXCEPTION,
    EXPRESSION,
    NARROWED,
    NO_HOSTS_LINE,
    OWN_NAME,
    PATTERN,
    Said,
    adblock,
    digests,
    domains,
    hosts,
    looks_like,
    ut1,
    ut1_files,
)


def domain(name: str) -> Said:
    return Said(name, "domain")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0.0.0.0 site.test", [domain("site.test")]),
        ("127.0.0.1\tsite.test  www.site.test # why", [domain("site.test"), domain("www.site.test")]),
        (":: site.test", [domain("site.test")]),
        ("::1 ip6-localhost ip6-loopback", [Said(left_out=OWN_NAME)] * 2),
        ("127.0.0.1 localhost", [Said(left_out=OWN_NAME)]),
        ("255.255.255.255 broadcasthost", [Said(left_out=OWN_NAME)]),
        ("0.0.0.0 0.0.0.0", [Said(left_out=OWN_NAME)]),
        ("198.51.100.7 site.test", [Said(wrong=NO_HOSTS_LINE)]),
        ("site.test", [Said(wrong=NO_HOSTS_LINE)]),
        ("0.0.0.0", [Said(wrong=NO_HOSTS_LINE)]),
        ("site.test 0.0.0.0", [Said(left_out=OWN_NAME)]),
        ("# comment", []),
        ("", []),
    ],
)
def test_a_line_of_a_hosts_file_blocks_what_it_points_nowhere(line: str, said: list[Said]) -> None:
    assert list(hosts(line)) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [("site.test", [domain("site.test")]), ("site.test # why", [domain("site.test")]), ("# why", []), (" ", [])],
)
def test_a_line_of_domains_is_one_domain(line: str, said: list[Said]) -> None:
    assert list(domains(line)) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("||site.test^", domain("site.test")),
        ("||*.site.test^", domain("site.test")),
        ("||site.test^|", domain("site.test")),
        ("||site.test^$all", domain("site.test")),
        ("||site.test^$important,all", domain("site.test")),
        ("||site.test/folder/", Said("site.test/folder/", "prefix")),
        ("||site.test/page^", Said("site.test/page", "prefix")),
        ("|https://site.test/page?a=1|", Said("https://site.test/page?a=1", "url")),
        ("@@||site.test^", Said(left_out=EXCEPTION)),
        ("@@||site.test^$document", Said(left_out=EXCEPTION)),
        ("||site.test^$third-party", Said(left_out=NARROWED)),
        ("||site.test^$domain=a.test|b.test", Said(left_out=NARROWED)),
        ("||site.test^$all,~image", Said(left_out=NARROWED)),
        ("||site.test^$image,badfilter", Said(left_out=NARROWED)),
        ("||site.test^$removeparam=/x/", Said(left_out=NARROWED)),
        ("site.test##.banner", Said(left_out=COSMETIC)),
        ("site.test#@#.banner", Said(left_out=COSMETIC)),
        ("site.test#?#.banner", Said(left_out=COSMETIC)),
        ("site.test#%#//scriptlet", Said(left_out=COSMETIC)),
        ("/banner[0-9]+/", Said(left_out=EXPRESSION)),
        ("/banner[0-9]+/$image", Said(left_out=EXPRESSION)),
        ("||site.test", Said(left_out=PATTERN)),
        ("||site.test/open", Said(left_out=PATTERN)),
        ("||site.*^", Said(left_out=PATTERN)),
        ("||site.test:8080^", Said(left_out=PATTERN)),
        ("||site.test/a*b^", Said(left_out=PATTERN)),
        ("|https://site.test/open", Said(left_out=PATTERN)),
        ("site.test", Said(left_out=PATTERN)),
        ("/banner/*/img^", Said(left_out=PATTERN)),
        ("||site.test^$", Said(left_out=PATTERN)),
        ("||site.test^$ALL", domain("site.test")),
        ("||site.test^ $all", Said(left_out=PATTERN)),
    ],
)
def test_an_adblock_rule_is_honoured_as_it_is_or_counted_by_its_reason(line: str, said: Said) -> None:
    assert list(adblock(line)) == [said]


@pytest.mark.parametrize("line", ["! comment", "[Adblock Plus 2.0]", "", "  ", "# comment"])
def test_comments_of_adblock_lists_are_none_of_its_rules(line: str) -> None:
    assert list(adblock(line)) == []


def test_a_digest_may_be_followed_by_a_comment() -> None:
    assert [*digests("00ff # why"), *digests("# why")] == [Said("00ff", "sha256")]


def test_the_files_of_ut1_are_found_with_the_category_of_their_folder(tmp_path: Path) -> None:
    for name in ("adult/domains", "adult/urls", "adult/usage", "adult/expressions", "games/domains", "README"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = [(category, path.name) for category, path in ut1_files(tmp_path)]
    assert found == [("adult", "domains"), ("adult", "expressions"), ("adult", "urls"), ("games", "domains")]
    assert [(category, path.name) for category, path in ut1_files(tmp_path / "games")] == [("", "domains")]
    assert list(ut1("domains", "site.test")) == [domain("site.test")]
    assert list(ut1("urls", "site.test/~a")) == [Said("site.test/~a", "prefix")]
    assert list(ut1("expressions", "(a|b)")) == [Said(left_out=EXPRESSION)]
    assert list(ut1("domains", "")) == []


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        (["# x", "0.0.0.0 a.test", "127.0.0.1 b.test"], "hosts"),
        (["! x", "||a.test^", "||b.test^$all", "@@||c.test^"], "adblock"),
        (["0" * 64, "f" * 16], "sha256"),
        (["a.test", "b.c.test"], "domains"),
        (["http://a.test/x", "https://b.test/y"], ""),
        (["0.0.0.0 a.test", "||b.test^"], ""),
        ([], ""),
    ],
)
def test_a_format_is_recognised_only_where_there_is_no_doubt(lines: list[str], form: str) -> None:
    assert looks_like(lines) == form


def test_what_a_line_says_hides_its_entry() -> None:
    assert "codeword" not in repr([*adblock("||codeword.test^"), *hosts("0.0.0.0 codeword.test")])
    assert set(urlformats.URL_FORMATS) == {"hosts", "domains", "adblock", "sha256", "ut1"}
