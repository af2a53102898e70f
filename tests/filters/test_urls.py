import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.errors import ListError
from filters.finding import Examine, Finding, examine
from filters.lists import ListSource
from filters.sample import Batch, Sample
from filters.urls import UrlBlocklist

ANY = st.characters()  # lone surrogates as well, as JSON may hold them


def a_list(folder: Path, entries: str, category: str = "csam", name: str = "list-a") -> ListSource:
    path = folder / f"{name}.txt"
    path.write_text(entries, encoding="utf-8")
    return ListSource(name, str(path), "urls", category)


def batch_of(*urls: str) -> Batch:
    return Batch([Sample("s", str(n), urls=(url,)) for n, url in enumerate(urls)])


def matched(examine_batch: Examine, *urls: str) -> list[bool]:
    return [any(not each.unexamined for each in answer) for answer in examine_batch(batch_of(*urls))]


@pytest.fixture(name="listed")
def fixture_listed(tmp_path: Path) -> Examine:
    entries = (
        "# comment\nhttp://pages.test/a/b.html?id=1\nhttp://folders.test/a/\nsite.test\n198.51.100.7\n*.wild.test\n"
        "b.c.d.e.f.deep.test\n"
    )
    return UrlBlocklist(lists=(a_list(tmp_path, entries),)).load()


@pytest.mark.parametrize(
    "url",
    [
        "https://PAGES.test/a/b.html?id=1#top",
        "http://cdn.pages.test/a/b.html?id=1",
        "http://folders.test/a/",
        "http://folders.test/a/deep/er/than/that/1.jpg?x=1",
        "http://site.test/",
        "http://a.b.c.d.e.f.g.h.site.test/x.jpg",
        "site.test",
        "http://a.b.c.d.e.f.deep.test/x.jpg",
        "http://user@site.test.:8443//x",
        "http://ｓｉｔｅ。test/x",
        "http://si%74e.test/x",
        "http://3325256711/x",
        "http://[::ffff:c633:6407]/",
        "http://www.wild.test/",
        "https://proxy.test/?u=http%3A%2F%2Fsite.test%2Fx",
    ],
)
def test_an_address_that_an_entry_stands_for_is_found(listed: Examine, url: str) -> None:
    assert matched(listed, url) == [True]


@pytest.mark.parametrize(
    "url",
    [
        "http://pages.test/a/b.html",
        "http://pages.test/a/b.html?id=2",
        "http://pages.test/",
        "http://folders.test/",
        "http://folders.test/ab",
        "http://folders.test/A/",
        "http://notsite.test/",
        "http://site.test.example/",
        "http://example.test/site.test/",
        "http://test/",
        "http://198.51.100.70/",
        "http://7.100.51.198/",
    ],
)
def test_a_near_miss_is_examined_and_not_found(listed: Examine, url: str) -> None:
    assert listed(batch_of(url)) == [()]


def test_a_finding_says_which_list_and_address_but_not_in_its_repr(tmp_path: Path) -> None:
    source = a_list(tmp_path, "http://site.test/codeword\n", "opt-out")
    url = "HTTP://site.test/x/../codeword"
    sample = Sample("s", "k", urls=("http://else.test/", url), meta={"url": url})
    (answer,) = UrlBlocklist(lists=(source,)).load()(Batch([sample]))
    assert answer == (Finding("urls", "opt-out", source="list-a", entry="site.test/codeword", form="image URL"),)
    assert "codeword" not in repr(answer)


def test_the_place_of_an_address_is_told_by_its_number(tmp_path: Path) -> None:
    sample = Sample("s", "k", urls=("http://else.test/", "http://site.test/"))
    (answer,) = UrlBlocklist(lists=(a_list(tmp_path, "site.test\n"),)).load()(Batch([sample]))
    assert [each.form for each in answer] == ["address 1"]


def test_every_list_that_has_an_address_says_so_once(tmp_path: Path) -> None:
    lists = (
        a_list(tmp_path, "site.test\nhttp://site.test/a\n", "csam", "list-a"),
        a_list(tmp_path, "site.test\n", "adult-site", "list-b"),
    )
    sample = Sample("s", "k", urls=("http://site.test/a", "http://site.test/b"))
    (answer,) = UrlBlocklist(lists=lists).load()(Batch([sample]))
    assert sorted((each.source, each.label) for each in answer) == [("list-a", "csam"), ("list-b", "adult-site")]


@pytest.mark.parametrize(
    "url", ["http://a b/", "data:image/png;base64,AA", "http://" + "x" * 300, "http://[", "\ud800"]
)
def test_an_address_that_cannot_be_parsed_is_unexamined_and_not_a_miss(listed: Examine, url: str) -> None:
    (answer,) = listed(batch_of(url))
    assert [each.label for each in answer] == ["unexamined"]
    assert answer[0].unexamined.startswith("address ")


def test_a_match_is_told_beside_an_address_that_cannot_be_parsed(listed: Examine) -> None:
    (answer,) = listed(Batch([Sample("s", "k", urls=("http://[", "http://site.test/"))]))
    assert {each.label for each in answer} == {"unexamined", "csam"}


def test_a_match_outside_is_told_even_when_there_are_too_many_addresses_within(listed: Examine) -> None:
    (answer,) = listed(batch_of("http://site.test/" + "http://x.test/" * 20))
    assert {each.label for each in answer} == {"unexamined", "csam"}


def test_a_sample_without_address_is_examined(listed: Examine) -> None:
    assert listed(Batch([Sample("s", "k")])) == [()]


def test_an_empty_batch_has_no_answers(listed: Examine) -> None:
    assert listed(Batch()) == []


def test_the_filter_travels_and_gives_the_same_answers(tmp_path: Path) -> None:
    filter_ = UrlBlocklist(lists=(a_list(tmp_path, "site.test\n"),))
    travelled = pickle.loads(pickle.dumps(filter_))
    assert travelled == filter_
    assert b"site.test" not in pickle.dumps(filter_)
    assert matched(travelled.load(), "http://site.test/x", "http://b.test/") == [True, False]


def test_adult_sites_are_evidence_and_every_other_category_is_conclusive(tmp_path: Path) -> None:
    lists = (
        a_list(tmp_path, "a.test\n", "adult-site", "a"),
        a_list(tmp_path, "b.test\n", "ncii-site", "b"),
        a_list(tmp_path, "c.test\n", "csam", "c"),
    )
    filter_ = UrlBlocklist(lists=lists)
    assert filter_.labels == ("adult-site", "ncii-site", "csam", "unexamined")
    assert filter_.conclusive == ("ncii-site", "csam")


def test_an_unexamined_address_does_not_end_the_chain(tmp_path: Path) -> None:
    filter_ = UrlBlocklist(lists=(a_list(tmp_path, "a.test\n"),))
    chain = [(filter_, filter_.load()), (filter_, filter_.load())]
    (seen,) = examine(batch_of("http://["), chain, b"key")
    assert seen.examined == ("urls", "urls")
    (seen,) = examine(batch_of("http://a.test/"), chain, b"key")
    assert seen.examined == ("urls",)
    assert "a.test" not in str([each.entry for each in seen.findings])


def test_the_list_is_recorded(tmp_path: Path) -> None:
    (material,) = UrlBlocklist(lists=(a_list(tmp_path, "a.test\nb.test\n"),)).materials()
    assert (material.kind, material.name, material.entries) == ("list", "list-a", 2)


@pytest.mark.parametrize("method", ["load", "materials"])
def test_without_a_list_the_run_does_not_start(method: str) -> None:
    with pytest.raises(ListError, match="no list"):
        getattr(UrlBlocklist(), method)()


@pytest.mark.parametrize(
    "entry", ["0.0.0.0 codeword.test", "http://", "||codeword.test^", "codeword", "*", "/a/b", "http://[codeword"]
)
def test_an_entry_that_could_match_nothing_stops_the_run_by_its_line_alone(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ListError, match=r"1 that are no URL, domain or IP address \(line 2\)") as refusal:
        UrlBlocklist(lists=(a_list(tmp_path, f"good.test\n{entry}\n"),)).load()
    assert "codeword" not in str(refusal.value)
    assert refusal.value.__context__ is None


@pytest.fixture(name="site", scope="module")
def fixture_site(tmp_path_factory: pytest.TempPathFactory) -> Examine:
    return UrlBlocklist(lists=(a_list(tmp_path_factory.mktemp("lists"), "site.test\n"),)).load()


@given(st.lists(st.text(ANY, max_size=40) | st.sampled_from(["http://site.test/", "http://x.site.test/y"]), max_size=6))
def test_neighbours_do_not_matter_and_no_text_raises(site: Examine, urls: list[str]) -> None:
    assert site(batch_of(*urls)) == [site(batch_of(url))[0] for url in urls]


@given(st.text(ANY, max_size=20))
def test_whatever_follows_a_listed_host_it_is_never_examined_and_clean(site: Examine, rest: str) -> None:
    (answer,) = site(batch_of(f"http://site.test/{rest}"))
    assert answer
