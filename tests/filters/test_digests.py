"""A file that is on a hash list byte for byte is found, and only such a file."""

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.digests import DigestMatch
from filters.errors import ListError
from filters.finding import Finding
from filters.fingerprints import Fingerprint
from filters.hashlists import build
from filters.lists import ListSource
from filters.sample import Batch, Sample

MakeList = Callable[..., ListSource]
PICTURE = b"not an image, and no matter"


@pytest.fixture
def make_list(tmp_path: Path) -> MakeList:
    def write(name: str, *rows: str, categories: tuple[str, ...] = ()) -> ListSource:
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(("hash,algorithm,kind", *rows)))
        columns = (("value", "hash"), ("algorithm", "algorithm"), ("category", "kind"))
        return ListSource(name, str(path), "hashes", "csam", version="v1", columns=columns, categories=categories)

    return write


def batch(*images: bytes, meta: dict[str, str] | None = None) -> Batch:
    return Batch([Sample("00000.tar", "k", images=images, meta=meta or {})])


def found(filter_: DigestMatch, samples: Batch) -> list[tuple[Finding, ...]]:
    return list(filter_.load()(samples))


def listed(kind: str, data: bytes, category: str = "") -> str:
    return f"{hashlib.new(kind, data).hexdigest()},{kind},{category}"


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_a_listed_file_is_found_by_each_digest(make_list: MakeList, kind: str) -> None:
    one = DigestMatch(lists=(make_list("codewords", listed(kind, b"other"), listed(kind, PICTURE)),))
    ((finding,),) = found(one, batch(b"first", PICTURE))
    entry = f"{kind}:{hashlib.new(kind, PICTURE).hexdigest()}"
    assert finding == Finding("digests", "csam", None, "codewords", entry, "file 1")


def test_all_that_the_authority_says_of_an_entry_is_told_word_for_word(tmp_path: Path) -> None:
    digest = hashlib.md5(PICTURE).hexdigest()
    path = tmp_path / "list.csv"
    path.write_text(f"hash,class\n{digest},coded two\n{digest},coded one\n{hashlib.md5(b'x').hexdigest()},other\n")
    columns = (("value", "hash"), ("classification", "class"))
    one = DigestMatch(lists=(ListSource("codewords", str(path), "hashes", "csam", columns=columns),))
    (findings,) = found(one, batch(PICTURE))
    assert [(each.label, each.classification) for each in findings] == [("csam", "coded one"), ("csam", "coded two")]


def test_an_unlisted_file_is_examined_and_gives_nothing(make_list: MakeList) -> None:
    one = DigestMatch(lists=(make_list("codewords", listed("md5", b"other")),))
    assert found(one, batch(PICTURE)) == [()]


def test_the_recorded_original_is_found_although_the_file_was_encoded_again(make_list: MakeList) -> None:
    one = DigestMatch(lists=(make_list("codewords", listed("sha256", b"raw download")),))
    meta = {"sha256": hashlib.sha256(b"raw download").hexdigest()}
    ((finding,),) = found(one, batch(PICTURE, meta=meta))
    assert finding.form == "recorded original"


def test_a_file_on_two_lists_and_in_two_categories_has_every_match(make_list: MakeList) -> None:
    both = make_list("a", listed("md5", PICTURE, "ncii"), listed("md5", PICTURE), categories=("ncii",))
    one = DigestMatch(lists=(both, make_list("b", listed("sha1", PICTURE))))
    (findings,) = found(one, batch(PICTURE))
    assert [(each.source, each.label) for each in findings] == [("a", "csam"), ("a", "ncii"), ("b", "csam")]


def test_a_sample_without_a_file_was_not_examined(make_list: MakeList) -> None:
    one = DigestMatch(lists=(make_list("codewords", listed("md5", b"other")),))
    assert found(one, batch()) == [(Finding("digests", "unexamined", unexamined="no image"),)]


def test_a_recorded_digest_that_no_list_can_match_is_no_examination(make_list: MakeList) -> None:
    lists = (make_list("a", listed("md5", b"x")), make_list("b", listed("sha256", b"x")))
    meta = {"sha256": hashlib.sha256(b"raw download").hexdigest()}
    ((finding,),) = found(DigestMatch(lists=lists), batch(meta=meta))
    assert finding.unexamined == "no digest that the lists can match"
    assert found(DigestMatch(lists=lists[1:]), batch(meta=meta)) == [()]


def test_each_sample_has_its_own_answer(make_list: MakeList) -> None:
    one = DigestMatch(lists=(make_list("codewords", listed("md5", PICTURE)),))
    samples = [Sample("s", str(n), images=(data,)) for n, data in enumerate((b"a", PICTURE, b"b", PICTURE))]
    answers = found(one, Batch(samples))
    assert [len(answer) for answer in answers] == [0, 1, 0, 1]
    assert [found(one, Batch([sample]))[0] for sample in samples] == answers
    assert found(one, Batch()) == []


def test_a_filter_without_a_list_or_without_digests_in_them_is_refused(make_list: MakeList) -> None:
    with pytest.raises(ListError, match="has no list"):
        DigestMatch().load()
    pdq_only = make_list("codewords", f"{hashlib.sha256(b'x').hexdigest()},pdq,")
    with pytest.raises(ListError, match="none of its lists has a hash of md5, sha1, sha256"):
        DigestMatch(lists=(pdq_only,)).load()
    with pytest.raises(ListError):
        DigestMatch(lists=(pdq_only,)).materials()


def test_materials_name_the_list_and_count_what_can_match(make_list: MakeList) -> None:
    source = make_list("codewords", listed("md5", b"x"), f"{hashlib.sha256(b'x').hexdigest()},pdq,")
    (material,) = DigestMatch(lists=(source,)).materials()
    assert (material.name, material.version, material.entries) == ("codewords", "v1", 1)
    assert material.sha256 == hashlib.sha256(Path(source.path).read_bytes()).hexdigest()


def test_labels_are_known_without_the_file() -> None:
    lists = (
        ListSource("a", "/nowhere", "hashes", "csam", categories=("ncii",)),
        ListSource("b", "/nowhere", "hashes", "opt-out", categories=("csam",)),
    )
    one = DigestMatch(lists=lists)
    assert one.labels == one.conclusive == ("csam", "ncii", "opt-out")
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_compiled_list_matches_as_its_text_does(make_list: MakeList, tmp_path: Path) -> None:
    source = make_list("codewords", listed("md5", PICTURE), listed("sha1", b"other"))
    build(source, str(tmp_path / "built"))
    folder = ListSource("codewords", str(tmp_path / "built"), "hashes", "csam")
    assert found(DigestMatch(lists=(folder,)), batch(PICTURE)) == found(DigestMatch(lists=(source,)), batch(PICTURE))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(known=st.sets(st.binary(max_size=3), min_size=1), asked=st.lists(st.binary(max_size=3), min_size=1))
def test_a_file_is_found_if_and_only_if_it_is_listed(
    make_list: MakeList, known: set[bytes], asked: list[bytes]
) -> None:
    known = {b"-" + each for each in known}
    asked = [b"-" + each for each in asked]
    one = DigestMatch(lists=(make_list("codewords", *(listed("sha1", each) for each in known)),))
    answers = found(one, Batch([Sample("s", str(n), images=(each,)) for n, each in enumerate(asked)]))
    assert [bool(answer) for answer in answers] == [each in known for each in asked]


@pytest.mark.parametrize("ending", ["00", "0000", "0a00"])
def test_a_digest_that_ends_in_zero_bytes_is_told_from_its_neighbours(make_list: MakeList, ending: str) -> None:
    digest = hashlib.sha1(b"x").hexdigest()
    listed_one = digest[: -len(ending)] + ending
    other = digest[: -len(ending)] + ending[:-2] + "01"
    one = DigestMatch(lists=(make_list("codewords", f"{listed_one},sha1,"),))
    assert [len(found(one, batch(meta={"sha1": each}))[0]) for each in (listed_one, other)] == [1, 0]


KINDS = {"md5": b"0", "sha1": b"1", "sha256": b"1"}  # of which words


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(rows=st.lists(st.lists(st.tuples(st.sampled_from([*KINDS]), st.booleans()), max_size=3), max_size=5))
def test_many_rows_are_answered_as_each_by_itself(make_list: MakeList, rows: list[list[tuple[str, bool]]]) -> None:
    lists = (make_list("one", listed("md5", b"0"), listed("sha256", b"1")), make_list("two", listed("sha256", b"1")))
    prints = [
        tuple(Fingerprint(kind, "f", hashlib.new(kind, KINDS[kind] if known else b"2").digest()) for kind, known in row)
        for row in rows
    ]
    samples = [Sample("s", str(row)) for row in range(len(rows))]
    examine = DigestMatch(lists=lists).load()
    alone = [examine(Batch.recorded([sample], [each]))[0] for sample, each in zip(samples, prints, strict=True)]
    assert list(examine(Batch.recorded(samples, prints))) == alone
