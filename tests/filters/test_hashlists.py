"""A hash list is the same list whether it is read as text or mapped from a compiled folder."""

import hashlib
import random
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from filters.bands import SMALL
from filters.errors import ListError
from filters.hashlists import HashList, build, read_hashes
from filters.lists import check
from filters.listsource import ListSource

COLUMNS = (("value", "hash"), ("algorithm", "algorithm"), ("category", "kind"), ("classification", "class"))
CLASSES = ("", "coded class two", "coded class ünu")


def lines(count: int) -> Iterator[str]:
    """Yield rows with hashes of coded words, in no order."""
    for number in range(count):
        word = f"codeword {number}".encode()
        kind = ("csam", "opt-out")[number % 2]
        yield f"{hashlib.md5(word).hexdigest()},MD5,{kind},{CLASSES[number % 3]}"
        yield f"{hashlib.sha256(word).hexdigest()},PDQ,{kind},{CLASSES[number % 4 % 3]}"
        yield f"{hashlib.sha1(word).hexdigest()},SHA-1,,"


@pytest.fixture
def source(tmp_path: Path) -> ListSource:
    return written(tmp_path, list(lines(40)))


def written(folder: Path, rows: list[str]) -> ListSource:
    path = folder / "list.csv"
    path.write_text("\n".join(["hash,algorithm,kind,class", *rows]))
    return ListSource(
        "codewords", str(path), "hashes", "csam", "nobody", "v1", "2026-11-20", None, COLUMNS, ("opt-out",)
    )


def content(found: HashList) -> set[tuple[str, str, str, str]]:
    return {
        (algorithm, value.tobytes().hex(), found.categories[number], found.classifications[said])
        for algorithm, table in found.tables.items()
        for value, number, said in zip(table.values, table.categories, table.classifications, strict=True)
    }


def same(one: HashList, other: HashList) -> bool:
    named = (one.categories, one.classifications) == (other.categories, other.classifications)
    return (
        named
        and one.tables.keys() == other.tables.keys()
        and all(
            np.array_equal(table.values, other.tables[kind].values)
            and np.array_equal(table.categories, other.tables[kind].categories)
            and np.array_equal(table.classifications, other.tables[kind].classifications)
            for kind, table in one.tables.items()
        )
    )


def test_every_entry_of_the_text_is_in_the_tables_with_its_category_and_classification(source: ListSource) -> None:
    wanted = {
        (algorithm.lower().replace("-", ""), value, kind or "csam", said)
        for value, algorithm, kind, said in (line.split(",") for line in lines(40))
    }
    assert content(read_hashes(source)) == wanted


def test_tables_are_sorted_and_do_not_depend_on_the_order_of_lines(source: ListSource, tmp_path: Path) -> None:
    rows = list(lines(40)) * 2
    random.Random(1).shuffle(rows)
    (tmp_path / "other").mkdir()
    found = read_hashes(source)
    assert same(found, read_hashes(written(tmp_path / "other", rows)))
    for table in found.tables.values():
        values = [value.tobytes() for value in table.values]
        assert values == sorted(set(values))


def test_one_hash_in_two_categories_keeps_both(tmp_path: Path) -> None:
    digest = hashlib.md5(b"codeword").hexdigest()
    found = read_hashes(written(tmp_path, [f"{digest},md5,opt-out,", f"{digest},md5,csam,"]))
    assert content(found) == {("md5", digest, "csam", ""), ("md5", digest, "opt-out", "")}


def test_one_hash_in_two_classifications_keeps_both_next_to_each_other(tmp_path: Path) -> None:
    digest, other = (hashlib.md5(word).hexdigest() for word in (b"codeword", b"other"))
    rows = [f"{digest},md5,csam,{said}" for said in ("two", "one", "two")]
    found = read_hashes(written(tmp_path, [f"{digest},md5,opt-out,one", f"{other},md5,csam,one", *rows]))
    table = found.tables["md5"]
    first = next(row for row, value in enumerate(table.values) if value.tobytes().hex() == digest)
    assert [found.classifications[table.classifications[row]] for row in table.alike(first)] == ["one", "two"]
    assert len(table) == 4


def test_a_compiled_folder_reads_as_the_text_does(source: ListSource, tmp_path: Path) -> None:
    built = build(source, str(tmp_path / "built"))
    folder = replace(source, path=str(tmp_path / "built"), columns=())
    assert same(built, read_hashes(source))
    assert same(read_hashes(folder), read_hashes(source))
    assert check(folder).entries == check(source).entries
    for part in ("values", "categories", "classifications"):
        assert isinstance(getattr(read_hashes(folder).tables["pdq"], part), np.memmap)


def test_a_folder_is_the_same_wherever_it_is_built(source: ListSource, tmp_path: Path) -> None:
    assert build(source, str(tmp_path / "one")).sha256 == build(source, str(tmp_path / "two")).sha256


def test_a_folder_is_for_its_owner_only_and_has_no_leftovers(source: ListSource, tmp_path: Path) -> None:
    build(source, str(tmp_path / "in" / "built"))
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["built"]
    assert stat.S_IMODE((tmp_path / "in" / "built").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "in" / "built").iterdir()} == {0o600}


def test_a_long_perceptual_list_keeps_its_search_tables(tmp_path: Path) -> None:
    source = written(tmp_path, [line for line in lines(SMALL + 1) if "SHA" not in line])
    found = build(source, str(tmp_path / "built"))
    assert found.tables["pdq"].tables is not None
    assert found.tables["md5"].tables is None


def test_a_folder_keeps_version_and_date_and_the_policy_may_not_say_otherwise(
    source: ListSource, tmp_path: Path
) -> None:
    build(source, str(tmp_path / "built"))
    folder = replace(source, path=str(tmp_path / "built"), version="", date="", max_age_days=7)
    assert read_hashes(folder, date(2026, 11, 21)).version == "v1"
    with pytest.raises(ListError, match="12 days old"):
        read_hashes(folder, date(2026, 12, 2))
    for said in ({"version": "v2"}, {"date": "2026-11-21"}):
        with pytest.raises(ListError, match=next(iter(said))):
            read_hashes(replace(folder, **said), date(2026, 11, 21))  # type: ignore[arg-type]


def test_health_of_a_stale_folder_is_told_and_not_raised(source: ListSource, tmp_path: Path) -> None:
    build(source, str(tmp_path / "built"))
    folder = replace(source, path=str(tmp_path / "built"), max_age_days=7)
    health = check(folder, date(2026, 12, 2))
    assert health.age_days == 12
    assert "12 days old" in health.problem


def test_a_category_of_the_folder_must_be_declared(source: ListSource, tmp_path: Path) -> None:
    build(source, str(tmp_path / "built"))
    with pytest.raises(ListError, match="does not declare"):
        read_hashes(replace(source, path=str(tmp_path / "built"), categories=()))


def test_a_folder_is_never_overwritten(source: ListSource, tmp_path: Path) -> None:
    with pytest.raises(ListError, match="exists already"):
        build(source, str(tmp_path))


def test_a_list_that_is_faulty_or_not_of_hashes_is_not_built(source: ListSource, tmp_path: Path) -> None:
    with pytest.raises(ListError, match="only the text of a hash list"):
        build(replace(source, kind="terms"), str(tmp_path / "built"))
    with pytest.raises(ListError, match="no entry"):
        build(written(tmp_path, []), str(tmp_path / "built"))
    assert not (tmp_path / "built").exists()


def test_a_build_that_fails_leaves_nothing(source: ListSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(ListError, match="cannot be written"):
        build(source, str(tmp_path / "built"))
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


@pytest.mark.parametrize("kind", ["urls", "terms"])
def test_a_list_of_another_kind_holds_no_hashes(source: ListSource, kind: str) -> None:
    with pytest.raises(ListError, match=f"list of {kind}"):
        read_hashes(replace(source, kind=kind))  # type: ignore[arg-type]


def test_a_repr_tells_no_entry(source: ListSource) -> None:
    found = read_hashes(source)
    assert repr(found) == "HashList(name='codewords', version='v1', date='2026-11-20', categories=('csam', 'opt-out'))"
    assert repr(found.tables["md5"]) == "HashTable()"
