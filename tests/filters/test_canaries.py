"""A list without its canary is not the list it was."""

from dataclasses import replace
from pathlib import Path

import pytest

from filters.errors import ListError
from filters.lists import build, check, read_lists, read_rows
from filters.listsource import ListSource
from tests.authorities import planted


@pytest.fixture
def source(tmp_path: Path) -> ListSource:
    path = tmp_path / "list.txt"
    path.write_text("".join(f"{planted(word)}\n" for word in ("alpha", "beta")))
    return ListSource("codewords", str(path), "hashes", "csam", canary=str(tmp_path / "canary.txt"))


def canary(source: ListSource, text: str) -> ListSource:
    Path(source.canary).write_text(text)
    return source


@pytest.mark.parametrize("form", ["{}", "md5:{}", " {}\n\n"])
def test_a_list_with_its_canary_is_read(source: ListSource, form: str) -> None:
    canary(source, form.format(planted("alpha")).upper())
    assert len(list(read_rows(source))) == 2
    assert check(source).problem == ""


@pytest.mark.parametrize(
    "text", [planted("gamma"), f"sha1:{planted('alpha')}", f"{planted('alpha')}\n{planted('gamma')}"]
)
def test_a_list_without_its_canary_is_refused_and_the_value_not_told(source: ListSource, text: str) -> None:
    canary(source, text)
    with pytest.raises(ListError, match=r"'codewords'.*does not hold what its `canary`") as caught:
        list(read_rows(source))
    with pytest.raises(ListError, match="canary"):
        read_lists("digests", [source], ("md5",))
    assert planted("gamma") not in str(caught.value)
    assert planted("alpha") not in str(caught.value)


def test_a_compiled_list_is_asked_for_its_canary_as_well(source: ListSource, tmp_path: Path) -> None:
    build(canary(source, planted("alpha")), str(tmp_path / "built"))
    compiled = replace(source, path=str(tmp_path / "built"))
    assert len(read_lists("digests", [compiled], ("md5",))) == 1
    canary(compiled, planted("gamma"))
    assert "canary" in check(compiled).problem
    with pytest.raises(ListError, match="canary"):
        read_lists("digests", [compiled], ("md5",))


@pytest.mark.parametrize("text", ["", "\n \n", "zz", "md5:"])
def test_a_canary_file_that_names_nothing_findable_refuses_the_list(source: ListSource, text: str) -> None:
    with pytest.raises(ListError, match="canary"):
        list(read_rows(canary(source, text)))


def test_a_canary_file_that_cannot_be_read_refuses_the_list(source: ListSource) -> None:
    with pytest.raises(ListError, match=r"`canary` file cannot be read \(FileNotFoundError\)"):
        list(read_rows(source))


def test_a_list_of_addresses_has_canaries_too(tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("canary.test\nother.test\n")
    (tmp_path / "canary.txt").write_text("canary.test\n")
    source = ListSource("sites", str(tmp_path / "urls.txt"), "urls", "csam", canary=str(tmp_path / "canary.txt"))
    assert len(list(read_rows(source))) == 2
    (tmp_path / "canary.txt").write_text("gone.test\n")
    with pytest.raises(ListError, match="canary"):
        list(read_rows(source))
