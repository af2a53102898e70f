"""URL lists: read and compiled, with what is checked before a run relies on one; and what a copy of them tells."""

import hashlib
import json
import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filters.errors import ListError
from filters.lists import ListSource, build, check
from filters.urlkeys import made_key
from filters.urllists import build_urls, look_over, read_urls
from filters.urls import UrlBlocklist
from filters.urlsearch import UrlSearch
from tests.filters.urllists import compiled, url_list

TEXT = "codeword-alpha.test\nhttp://codeword-beta.test/folder/page\n198.51.100.0/24\n"
TODAY = date(2026, 11, 22)


def found(source: ListSource, *texts: str) -> list[bool]:
    return [bool(answer.matches) for answer in UrlSearch([read_urls(source)]).find(texts)]


def test_a_compiled_list_finds_what_its_text_does(tmp_path: Path) -> None:
    text = url_list(tmp_path, TEXT, version="7", date="2026-11-20")
    built = compiled(tmp_path, text)
    asked = ("http://a.codeword-alpha.test/x", "http://codeword-beta.test/folder/page?x", "http://198.51.100.77")
    assert found(text, *asked) == found(built, *asked) == [True] * 3
    assert found(text, "http://codeword-beta.test/") == found(built, "http://codeword-beta.test/") == [False]
    assert read_urls(built).entries == read_urls(text).entries == (("csam", 3),)
    assert (read_urls(built).version, read_urls(built).date) == ("7", "2026-11-20")


def test_a_compiled_folder_holds_nothing_of_the_list_in_clear_or_hashed_without_the_key(tmp_path: Path) -> None:
    built = compiled(tmp_path, url_list(tmp_path, TEXT))
    folder = Path(built.path)
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    names = ["codeword-alpha.test/", "codeword-beta.test/folder/page", "codeword-beta.test/", "||198.51.100.0/24"]
    for name in names:
        data = name.encode()
        for hashed in (hashlib.sha256(data), hashlib.md5(data), hashlib.blake2b(data, digest_size=8)):
            assert hashed.digest()[:8] not in content
            assert hashed.hexdigest()[:16].encode() not in content
    assert b"codeword" not in content
    assert b"198.51" not in content
    secret = Path(built.key.removeprefix("file:")).read_text().strip()
    for key in (secret.encode(), bytes.fromhex(secret), hashlib.sha256(secret.encode()).digest()):
        assert key not in content
    assert "codeword" not in repr((read_urls(built), built, look_over(built)))
    assert secret not in repr((read_urls(built), built))
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_same_text_compiles_to_the_same_arrays_whatever_the_order_of_its_lines(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one = compiled(tmp_path, url_list(tmp_path, TEXT))
    other = replace(url_list(tmp_path / "b", "\n".join(reversed(TEXT.splitlines()))), key=one.key)
    build_urls(other, str(tmp_path / "b" / "built"))
    for part in ("hashes", "owners", "starts", "hosts"):
        name = f"{part}.npy"
        assert (Path(one.path) / name).read_bytes() == (tmp_path / "b" / "built" / name).read_bytes()


def test_a_key_is_made_once_for_its_owner_alone_and_used_again(tmp_path: Path) -> None:
    source = replace(url_list(tmp_path, TEXT), key=f"file:{tmp_path / 'secrets' / 'urls.key'}")
    key = made_key(source)
    path = tmp_path / "secrets" / "urls.key"
    assert (path.stat().st_mode & 0o777, len(path.read_text().strip())) == (0o600, 64)
    assert made_key(source) == key
    build_urls(source, str(tmp_path / "one"))
    build_urls(source, str(tmp_path / "two"))
    assert (tmp_path / "one/hashes.npy").read_bytes() == (tmp_path / "two/hashes.npy").read_bytes()


def test_a_key_may_come_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEWORD_KEY", "codeword-secret-" * 3)
    source = replace(url_list(tmp_path, TEXT), key="env:CODEWORD_KEY")
    build_urls(source, str(tmp_path / "built"))
    built = replace(source, path=str(tmp_path / "built"))
    assert found(built, "http://codeword-alpha.test/") == [True]
    assert b"codeword-secret" not in pickle.dumps(built)
    monkeypatch.delenv("CODEWORD_KEY")
    with pytest.raises(ListError, match="not one line of at least 32"):
        read_urls(built)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "needs a `key`"),
        ("codeword-secret", "needs a `key`"),
        ("file:", "needs a `key`"),
        ("file:{folder}/none.key", r"cannot be read \(FileNotFoundError\)"),
        ("file:{folder}/short.key", "at least 32 ASCII characters"),
        ("file:{folder}/other.key", "not the one that it was built with"),
        ("file:{folder}/open.key", "others than its owner"),
        ("file:{folder}/list-a.built/in.key", "for whoever copies it"),
    ],
)
def test_without_its_key_a_compiled_list_is_refused_and_never_clean(tmp_path: Path, key: str, why: str) -> None:
    built = compiled(tmp_path, url_list(tmp_path, TEXT))
    for name, text, mode in (("short", "x" * 31, 0o600), ("other", "y" * 64, 0o600), ("open", "z" * 64, 0o644)):
        (tmp_path / f"{name}.key").write_text(text)
        (tmp_path / f"{name}.key").chmod(mode)
    broken = replace(built, key=key.format(folder=tmp_path))
    for method in (read_urls, check, lambda source: UrlBlocklist(lists=(source,)).load()):
        with pytest.raises(ListError, match=why) as refusal:
            method(broken)
        assert "codeword" not in str(refusal.value)


def test_a_key_is_never_made_within_the_folder_that_is_built(tmp_path: Path) -> None:
    source = replace(url_list(tmp_path, TEXT), key=f"file:{tmp_path / 'built' / 'in.key'}")
    with pytest.raises(ListError, match="for whoever copies it"):
        build_urls(source, str(tmp_path / "built"))
    assert not (tmp_path / "built").exists()


def broken_record(folder: Path, **changes: Any) -> None:
    path = folder / "list.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def broken_array(folder: Path, part: str, content: Any) -> None:
    np.save(folder / f"{part}.npy", content)
    record = json.loads((folder / "list.json").read_text())
    record["files"][f"{part}.npy"] = hashlib.sha256((folder / f"{part}.npy").read_bytes()).hexdigest()
    (folder / "list.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "hashes.npy").unlink(),
        lambda folder: (folder / "list.json").write_text("{"),
        lambda folder: (folder / "list.json").write_text("[1]"),
        lambda folder: (folder / "owners.npy").write_bytes(b"codeword"),
        lambda folder: broken_record(folder, format=2),
        lambda folder: broken_record(folder, files={}),
        lambda folder: broken_record(folder, networks=[[5, 24]]),
        lambda folder: broken_record(folder, said=[]),
        lambda folder: broken_record(folder, entries={}),
        lambda folder: broken_array(folder, "hashes", np.zeros(4, np.uint32)),
        lambda folder: broken_array(folder, "hashes", np.arange(4, dtype=np.uint64)[::-1].copy()),
        lambda folder: broken_array(folder, "owners", np.full(4, 9, np.uint32)),
        lambda folder: broken_array(folder, "starts", np.array([0, 9], np.uint32)),
        lambda folder: broken_array(folder, "hosts", np.zeros(24, np.uint64)),
        lambda folder: broken_array(folder, "hosts", np.zeros((8, 1), np.uint64)),
    ],
)
def test_a_folder_that_changed_is_refused(tmp_path: Path, harm: Any) -> None:
    built = compiled(tmp_path, url_list(tmp_path, TEXT))
    harm(Path(built.path))
    with pytest.raises(ListError, match="Build it again") as refusal:
        read_urls(built)
    assert "codeword" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": "8"}, "another version"),
        ({"date": "2026-11-19"}, "another date"),
        ({"category": "opt-out"}, "a category that `categories` does not declare"),
        ({"max_age_days": 1}, "it is 2 days old"),
        ({"date": "2027-01-01", "version": ""}, "another date"),
    ],
)
def test_a_folder_that_is_not_the_list_of_the_policy_is_refused(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    built = compiled(tmp_path, url_list(tmp_path, TEXT, version="7", date="2026-11-20"))
    with pytest.raises(ListError, match=why):
        read_urls(replace(built, **change), TODAY)


def test_only_text_is_built_and_only_into_a_new_folder(tmp_path: Path) -> None:
    built = compiled(tmp_path, url_list(tmp_path, TEXT))
    with pytest.raises(ListError, match="compiled already"):
        build(built, str(tmp_path / "again"))
    with pytest.raises(ListError, match="exists already"):
        build(replace(built, path=str(tmp_path / "list-a.txt")), built.path)
    with pytest.raises(ListError, match="no list was built in it"):
        read_urls(replace(built, path=str(tmp_path)))


FAULTY = [
    ("csv", "good.test\ncodeword\n", r"1 that are no URL, domain or IP address \(line 2\)"),
    ("csv", "good.test\n0.0.0.0/0\n198.51.100.7/24\n", r"1 with an IP range wider .* \(line 2\); 1 .* \(line 3\)"),
    ("hosts", "0.0.0.0 good.test\n198.51.100.7 codeword.test\n", r"1 that are no line of a hosts file .* \(line 2\)"),
    ("domains", "good.test\ncodeword.test/a\n", r"1 that are no domain \(line 2\)"),
    ("adblock", "||good.test^\n||codeword^\n", r"1 that are no domain \(line 2\)"),
    ("sha256", f"{'0' * 64}\n{'a' * 8}\n", r"1 with fewer than 8 bytes of a digest.* \(line 2\)"),
    ("domains", "", "it has no entry"),
    ("adblock", "@@||codeword.test^\n", "it has no entry"),
    ("domains", "0.0.0.0 codeword.test\n0.0.0.0 b.test\n", 'reads like a list of format "hosts"'),
    ("hosts", "||codeword.test^\n||b.test^\n", 'reads like a list of format "adblock"'),
    ("csv", f"{'c' * 64}\n{'d' * 64}\n", 'reads like a list of format "sha256"'),
    ("adblock", "0.0.0.0 codeword.test\n", 'reads like a list of format "hosts"'),
]


@pytest.mark.parametrize(("form", "text", "why"), FAULTY)
def test_what_a_run_would_refuse_list_check_tells_and_list_build_refuses(
    tmp_path: Path, form: str, text: str, why: str
) -> None:
    source = url_list(tmp_path, text, format=form, key=f"file:{tmp_path / 'k'}")
    with pytest.raises(ListError, match=why) as refusal:
        UrlBlocklist(lists=(source,)).load()
    problem = check(source).problem
    assert f"list 'list-a' cannot be used: {problem}." == str(refusal.value)
    with pytest.raises(ListError, match=why):
        build(source, str(tmp_path / "built"))
    with pytest.raises(ListError, match=why):
        UrlBlocklist(lists=(source,)).materials()
    assert "codeword" not in problem
    assert refusal.value.__context__ is None


def test_as_many_faults_as_the_policy_accepts_are_left_out_and_told(tmp_path: Path) -> None:
    source = url_list(tmp_path, "good.test\ncodeword\n\xa0\n", max_faults=1)
    health = check(source)
    assert (health.entries, health.problem, [str(each) for each in health.faults]) == (
        (("csam", 1),),
        "",
        ["1 that are no URL, domain or IP address (line 2)"],
    )
    assert found(source, "http://good.test/") == [True]


def test_what_cannot_be_honoured_is_told_by_line_and_is_no_fault(tmp_path: Path) -> None:
    rules = "! title\n||good.test^\n@@||codeword.test^\ngood.test##.x\n||codeword.test^$third-party\n||a.test/x\n/x/\n"
    health = check(url_list(tmp_path, rules, format="adblock"))
    assert (health.entries, health.problem, health.faults) == ((("csam", 1),), "", ())
    assert [str(each) for each in health.left_out] == [
        "1 exceptions, which would let something pass (line 3)",
        "1 rules about parts of a page (line 4)",
        "1 rules with conditions (line 5)",
        "1 patterns that are no whole domain, folder or address (line 6)",
        "1 regular expressions (line 7)",
    ]


def test_a_text_that_is_not_utf_8_is_told_by_its_line(tmp_path: Path) -> None:
    source = url_list(tmp_path, "")
    for form in ("csv", "domains"):
        Path(source.path).write_bytes(b"\xef\xbb\xbfgood.test\r\n\xff\n")
        assert "1 not in UTF-8 (line 2)" in check(replace(source, format=form)).problem


def test_the_folders_of_ut1_become_categories(tmp_path: Path) -> None:
    for name, text in (
        ("adult/domains", "adult.test\n198.51.100.7\n"),
        ("adult/urls", "host.test/~adult\n"),
        ("adult/expressions", "(x|y)\n"),
        ("games/domains", "games.test\n"),
        ("press/domains", "press.test\n"),
    ):
        (tmp_path / "ut1" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ut1" / name).write_text(text)
    source = ListSource("ut1", str(tmp_path / "ut1"), "urls", "adult", categories=("games",), format="ut1")
    health = check(source)
    assert (health.entries, health.problem) == ((("adult", 3), ("games", 1)), "")
    assert [str(each) for each in health.left_out] == [
        "1 regular expressions (line adult/expressions:1)",
        "1 in folders whose name `categories` does not declare (line press/domains)",
    ]
    built = compiled(tmp_path, source)
    answers = UrlSearch([read_urls(built)]).find(["http://www.games.test/", "http://host.test/~adult/x"])
    assert [each.category for answer in answers for each in answer.matches] == ["games", "adult"]
    one = replace(source, path=str(tmp_path / "ut1" / "press"), category="news", categories=())
    assert check(one).entries == (("news", 1),)
    (tmp_path / "ut1/adult/domains").write_text("codeword\n")
    assert "(line adult/domains:1)" in check(source).problem


def test_a_table_says_of_each_row_how_it_is_meant(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"hashed.test/").hexdigest()
    rows = f"a.test/x,URL\nb.test/y,Prefix\nc.test,domain\n198.51.100.0/24,IP\n{digest},sha256\nd.test,\n"
    source = url_list(tmp_path, "entry,type\n" + rows, columns=(("value", "entry"), ("match", "type")))
    hits = ("a.test/x", "b.test/y/z", "x.c.test", "198.51.100.3", "hashed.test/q", "d.test/a")
    misses = ("a.test/x?y", "b.test/yz", "c.test.b.test", "198.51.101.3", "notd.test")
    assert found(source, *hits, *misses) == [True] * len(hits) + [False] * len(misses)
    wrong = url_list(tmp_path, "entry,type\na.test,codeword\n", columns=source.columns)
    assert "1 with an unknown `match` (line 2)" in check(wrong).problem


@pytest.mark.parametrize("form", ["text", "compiled"])
def test_a_list_without_its_canary_is_refused_however_the_canary_is_spelled(tmp_path: Path, form: str) -> None:
    (tmp_path / "canary").write_text("HTTP://codeword-alpha.TEST:80/\n198.51.100.0/24\n")
    source = url_list(tmp_path, TEXT, canary=str(tmp_path / "canary"))
    source = compiled(tmp_path, source) if form == "compiled" else source
    assert check(source).problem == ""
    (tmp_path / "canary").write_text("codeword-alpha.test\ncodeword-gone.test\n")
    assert "its `canary` file names (lines 2)" in check(source).problem
    with pytest.raises(ListError, match="canary") as refusal:
        UrlBlocklist(lists=(source,)).load()
    assert "codeword" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "terms"}, "URLs are wanted"),
        ({"format": "hosts", "columns": (("value", "x"),)}, "has no `columns`"),
        ({"format": "ncmec-v2"}, "holds hashes"),
        ({"path": "/nowhere/codeword"}, "cannot be read"),
        ({"path": "/nowhere/codeword", "format": "hosts"}, "cannot be read"),
        ({"max_age_days": 3}, "has no `date`"),
        ({"date": "2027-01-01"}, "lies in the future"),
    ],
)
def test_a_list_that_is_said_wrongly_is_refused_in_a_sentence(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    with pytest.raises(ListError, match=why) as refusal:
        read_urls(replace(url_list(tmp_path, TEXT), **change), TODAY)
    assert "codeword" not in str(refusal.value)


@pytest.mark.parametrize("kind", ["hashes", "terms"])
def test_a_format_of_urls_is_refused_for_other_lists(tmp_path: Path, kind: Any) -> None:
    with pytest.raises(ListError, match="holds URLs"):
        check(replace(url_list(tmp_path, "0.0.0.0 site.test\n"), kind=kind, format="hosts"))
