from pathlib import Path

import pytest

from filters.config import load_policy
from filters.errors import PolicyError, ShardError
from filters.finding import Finding
from filters.policy import WITHHELD
from manifests.manifest import Decision
from manifests.queue import KINDS
from pipelines.clean import clean
from pipelines.explain import cases_of, ends, explain, find_case, reasons_given
from tests.corpora import ADULT_WORD, MINOR_WORD, Given, drawing, plain_samples, write_policy, write_shard, write_tar

KNOWN = drawing(900)
PAGE = {"page_url": "http://page.test/1"}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over one shard with a key that is there twice, and one that was cut off."""
    folder = tmp_path_factory.mktemp("explain")
    (folder / "in").mkdir()
    both = Given("both", drawing(801), f"{MINOR_WORD} {ADULT_WORD}")
    twice = Given("twice", drawing(802))
    samples = [*plain_samples(2), Given("known", KNOWN, meta=PAGE), Given("tied", drawing(803), meta=PAGE), both]
    members = [member for sample in (twice, *samples, twice) for member in sample.members]
    write_tar(folder / "in" / "00000.tar", members)
    write_shard(folder / "in" / "00001.tar", plain_samples(3, 20))
    whole = (folder / "in" / "00001.tar").read_bytes()
    (folder / "in" / "00001.tar").write_bytes(whole[: len(whole) // 2])
    policy = load_policy(write_policy(folder / "policy", [KNOWN]))
    clean(str(folder / "in"), folder / "out", policy, ["--direct_num_workers=1"])
    return folder / "out"


def test_a_kept_sample_has_no_reason_and_was_shown_to_every_filter(output: Path) -> None:
    (told,) = explain(output, "00000", "000000000")
    assert (told.decision.partition, told.decision.reasons) == ("general", ())
    assert told.examined == ("urls", "digests", "captions")


def test_known_material_was_shown_to_nothing_behind_the_match(output: Path) -> None:
    (told,) = explain(output, "00000", "known")
    assert (told.decision.partition, told.examined) == (WITHHELD, ("urls", "digests"))


def test_the_bytes_lie_where_the_answer_points(output: Path) -> None:
    (told,) = explain(output, "00000", "known")
    blocks = Path(told.source).read_bytes()[told.decision.offset : told.decision.offset + told.decision.length]
    assert KNOWN in blocks


def test_a_tied_sample_says_what_it_inherited(output: Path) -> None:
    (told,) = explain(output, "00000", "tied")
    assert (told.decision.inherited, "ties" in reasons_given(told.decision)) == (("listed",), True)


def test_a_sample_is_found_by_its_number_as_well(output: Path) -> None:
    assert explain(output, "00000", "#3") == explain(output, "00000", "known")
    with pytest.raises(ShardError, match="no complete sample"):
        explain(output, "00000", "#99")


def test_a_key_that_is_there_twice_has_two_answers(output: Path) -> None:
    told = explain(output, "00000", "twice")
    assert [each.decision.index for each in told] == [0, 6]
    assert {each.decision.partition for each in told} == {WITHHELD}


@pytest.mark.parametrize(
    ("shard", "words"), [("00009", "holds no shard"), ("00000.tar", "Leave out .tar"), ("", "no shard")]
)
def test_a_shard_that_is_not_there_is_told_as_such(output: Path, shard: str, words: str) -> None:
    with pytest.raises(ShardError, match=words):
        explain(output, shard, "known")


def test_a_key_that_is_not_there_is_not_repeated(output: Path) -> None:
    with pytest.raises(ShardError) as raised:
        explain(output, "00000", "codeword-key")
    assert "codeword-key" not in str(raised.value)


def test_a_folder_without_a_run_explains_nothing(tmp_path: Path) -> None:
    for ask in (
        lambda: explain(tmp_path, "00000", "a"),
        lambda: list(cases_of(tmp_path, None)),
        lambda: list(ends(tmp_path)),
    ):
        with pytest.raises(ShardError, match="holds no run"):
            ask()


def test_cases_come_most_pressing_first_or_of_one_kind(output: Path) -> None:
    kinds = [case.kind for case in cases_of(output, None)]
    assert kinds == sorted(kinds, key=KINDS.index)
    assert {"known_material", "adult_and_minor", "structure"} <= set(kinds)
    for kind in KINDS:
        assert [case.kind for case in cases_of(output, kind)] == [kind] * kinds.count(kind)


def test_a_kind_that_is_none_is_refused_with_the_nearest(output: Path) -> None:
    with pytest.raises(PolicyError, match="Did you mean known_material"):
        list(cases_of(output, "known-material"))


def test_a_case_is_found_by_the_beginning_of_its_id(output: Path) -> None:
    for case in cases_of(output, None):
        assert find_case(output, case.id) == case
        assert find_case(output, case.id[:16]) == case


@pytest.mark.parametrize("start", ["", "z", "g" * 32])
def test_a_beginning_that_fits_none_or_several_is_refused(output: Path, start: str) -> None:
    with pytest.raises(ShardError, match="cases have an id that begins so"):
        find_case(output, start)


def test_every_decision_of_every_shard_comes_once(output: Path) -> None:
    found = [(each.shard, each.index) for each in ends(output)]
    assert found == sorted(set(found))
    assert {shard for shard, _ in found} == {"00000", "00001"}


def test_reasons_name_what_found_and_what_could_not_look() -> None:
    finding = Finding("adult", "unexamined", unexamined="undecodable")
    decision = Decision("s", 0, "k", 0, 512, WITHHELD, ("unexamined",), ("rule",), (), ("why",), (finding,))
    assert reasons_given(decision) == {"unexamined", "rule", "adult"}
