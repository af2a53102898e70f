from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.finding import Finding
from filters.fingerprints import BYTES
from manifests.evidence import Evidence, EvidenceWriter, read_evidence
from manifests.ties import read_columns
from pipelines.answers import answered, unanswered
from pipelines.examine import DIED
from pipelines.shards import Row

ROW = Row(3, "key", 512, 2048, (), ())
REFUSED = (KeyError, TypeError, ValueError, OverflowError)  # what makes the process count as dead

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(), inner), max_leaves=12
)
text = st.text(st.characters(), max_size=8)
finding = st.tuples(
    text, text, st.none() | st.floats(allow_nan=False, allow_infinity=False), text, text, text, text, text
)
fingerprint = st.sampled_from(sorted(BYTES)).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        text,
        st.binary(min_size=BYTES[kind], max_size=BYTES[kind]).map(bytes.hex),
        st.none() | st.integers(0, 100),
    )
)
honest = st.fixed_dictionaries(
    {
        "findings": st.lists(finding, max_size=2),
        "fingerprints": st.lists(fingerprint, max_size=3),
        "examined": st.lists(text, max_size=2),
        "groups": st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex), max_size=2),
    }
)


def told(answer: Any) -> Evidence | None:
    """Return the evidence of an answer as JSON brings it, or None where it is refused."""
    try:
        return answered("00000", ROW, answer)
    except REFUSED:
        return None


def stored(folder: Path, evidence: Evidence) -> list[Evidence]:
    """Write evidence to a store, as a run does, and return all that is read back."""
    with EvidenceWriter(folder / "evidence", {}) as writer:
        writer.write(evidence)
    read_columns(folder / "evidence")
    return list(read_evidence(folder / "evidence"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(honest)
def test_an_honest_answer_is_evidence_that_can_be_stored(tmp_path: Path, answer: dict[str, Any]) -> None:
    evidence = answered("00000", ROW, answer)
    assert (evidence.shard, evidence.index, evidence.key, evidence.offset, evidence.length) == (
        "00000",
        3,
        "key",
        512,
        1536,
    )
    assert evidence.findings == tuple(Finding(*each) for each in answer["findings"])
    assert [each.value.hex() for each in evidence.fingerprints] == [each[2] for each in answer["fingerprints"]]
    assert stored(tmp_path, evidence) == [evidence]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(honest, st.data())
def test_an_answer_with_anything_in_it_is_refused_or_can_be_stored(
    tmp_path: Path, answer: dict[str, Any], data: st.DataObject
) -> None:
    """It must not be the store that stumbles: that would stop the run, and again each time it is started."""
    place = data.draw(st.sampled_from(sorted(answer)))
    if answer[place] and data.draw(st.booleans()):
        if isinstance(answer[place][0], tuple):
            fields = list(answer[place][0])
            fields[data.draw(st.integers(0, len(fields) - 1))] = data.draw(anything)
            answer[place][0] = fields
        else:
            answer[place][0] = data.draw(anything)
    else:
        answer[place] = data.draw(anything)
    evidence = told(answer)
    if evidence is not None:
        assert len(stored(tmp_path, evidence)) == 1


@pytest.mark.parametrize("missing", ["findings", "fingerprints", "examined", "groups"])
def test_an_answer_that_leaves_something_out_is_refused(missing: str) -> None:
    whole: dict[str, Any] = {"findings": [], "fingerprints": [], "examined": [], "groups": []}
    assert told(whole) is not None
    assert told({name: value for name, value in whole.items() if name != missing}) is None


@pytest.mark.parametrize(
    "fields",
    [
        ["trap", 5],
        ["trap"],
        ["trap", "x", float("nan")],
        ["trap", "x", float("inf")],
        ["trap", "x", 10**400],
        ["trap", "x", "0.5"],
        ["trap", "x", None, "", "", "", "", "", "one more"],
        [None, "x"],
        "ab",
        "a",
        5,
    ],
)
def test_a_finding_that_is_none_is_refused(fields: Any) -> None:
    rest: dict[str, Any] = {"fingerprints": [], "examined": [], "groups": []}
    found = told({"findings": [fields], **rest})
    assert found is None or fields == "ab"  # two characters are a filter and a label


@pytest.mark.parametrize(
    "fields",
    [
        ["sha256", "file 0", "00" * 31, None],
        ["sha512", "file 0", "00" * 64, None],
        ["pdq", "as stored", "00" * 32, 101],
        ["pdq", "as stored", "00" * 32, -1],
        ["pdq", "as stored", "00" * 32, "high"],
        ["pdq", "as stored", "0g" * 32, 50],
        ["pdq", None, "00" * 32, 50],
        ["pdq", "as stored", "00" * 32],
    ],
)
def test_a_fingerprint_that_no_other_can_be_compared_with_is_refused(fields: Any) -> None:
    assert told({"findings": [], "fingerprints": [fields], "examined": [], "groups": []}) is None


def test_no_answer_is_evidence_of_that_alone() -> None:
    evidence = unanswered("00000", ROW, DIED)
    assert (evidence.findings, evidence.fingerprints, evidence.examined, evidence.groups) == ((DIED,), (), (), ())
    assert (evidence.index, evidence.offset, evidence.length) == (3, 512, 1536)
