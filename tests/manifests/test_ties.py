"""The columns by which samples are tied say what the evidence says."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.errors import SealError
from filters.fingerprints import DIHEDRAL, RECORDED, Fingerprint
from manifests.evidence import Evidence
from manifests.ties import read_columns
from tests.manifests.strategies import UNTIMED, tuples
from tests.manifests.test_evidence import write

HEX = st.binary(min_size=16, max_size=16).map(bytes.hex)
WIDE = st.binary(min_size=32, max_size=32)
WHOLE = ("as stored", "as stored, border removed", "frame 3")
FORMS = st.sampled_from((*WHOLE, *(f"{form}, at {size}" for form in WHOLE for size in ("384 x 384", "512 x 512"))))
TURNED = st.builds(lambda form, turn: f"{form}, {turn}", FORMS, st.sampled_from(DIHEDRAL[1:]))
FINGERPRINTS = (
    st.builds(Fingerprint, st.just("sha256"), st.sampled_from(("file 0", "file 1", RECORDED)), WIDE)
    | st.builds(Fingerprint, st.just("pdq"), FORMS | TURNED, WIDE, st.integers(0, 100))
    | st.builds(Fingerprint, st.just("pdq-part"), FORMS | st.just("as stored, left half"), WIDE, st.integers(0, 100))
    | st.builds(Fingerprint, st.just("md5"), st.just("file 0"), st.binary(min_size=16, max_size=16))
    | st.builds(Fingerprint, st.just("phash"), FORMS, st.binary(min_size=8, max_size=8))
)
SAMPLES = st.lists(st.tuples(tuples(HEX, 3), tuples(FINGERPRINTS, 6)), max_size=5)


def is_turned(each: Fingerprint) -> bool:
    return each.form.endswith(("512 x 512", *DIHEDRAL[1:]))


@settings(UNTIMED, max_examples=60)
@given(SAMPLES, st.integers(0, 3))
def test_the_columns_hold_what_the_evidence_holds(
    samples: list[tuple[tuple[str, ...], tuple[Fingerprint, ...]]], first: int
) -> None:
    rows = tuple(
        Evidence("00000.tar", first + 2 * place, "", 0, 1, groups, prints)
        for place, (groups, prints) in enumerate(samples)
    )
    with TemporaryDirectory() as folder:
        found = read_columns(write(Path(folder) / "a", rows))
    every = [(row.index, each) for row in rows for each in row.fingerprints]
    files = [(index, each.value) for index, each in every if each.kind == "sha256" and each.form != RECORDED]
    plain = [(index, each) for index, each in every if each.kind == "pdq" and not is_turned(each)]
    assert found.samples.tolist() == [row.index for row in rows]
    assert [*zip(found.digests.index, map(bytes, found.digests.values), strict=True)] == files
    assert [*zip(found.pdq.index, map(bytes, found.pdq.values), strict=True)] == [(i, e.value) for i, e in plain]
    assert found.quality.tolist() == [each.quality for _, each in plain]
    groups = [(row.index, group.encode()) for row in rows for group in row.groups]
    assert [*zip(found.groups.index, map(bytes, found.groups.values), strict=True)] == groups


def test_the_rows_of_every_row_group_are_there(tmp_path: Path) -> None:
    prints = [Fingerprint("sha256", "file 0", number.to_bytes(32)) for number in range(1100)]
    rows = tuple(Evidence("00000.tar", n, "", 0, 1, ("a" * 32,), (each,)) for n, each in enumerate(prints))
    found = read_columns(write(tmp_path / "a", rows))
    assert np.array_equal(found.digests.index, np.arange(1100))
    assert [int.from_bytes(bytes(value)) for value in found.digests.values] == list(range(1100))
    assert found.pdq.values.shape == (0, 32)


def test_no_samples_give_empty_columns_of_the_same_shape(tmp_path: Path) -> None:
    found = read_columns(write(tmp_path / "a", ()))
    shapes = [each.values.shape for each in (found.digests, found.pdq, found.groups)]
    assert shapes == [(0, 32), (0, 32), (0, 32)]
    assert found.samples.dtype == np.int64
    assert found.quality.dtype == np.int32


@pytest.mark.parametrize(
    "row",
    [
        Evidence("00000.tar", 0, "", 0, 1, (), (Fingerprint("pdq", "as stored", b"codeword", 9),)),
        Evidence("00000.tar", 0, "", 0, 1, ("codeword",)),
    ],
)
def test_a_tie_of_the_wrong_length_is_refused_unquoted(tmp_path: Path, row: Evidence) -> None:
    with pytest.raises(SealError, match="wrong length") as caught:
        read_columns(write(tmp_path / "a", (row,)))
    assert "codeword" not in str(caught.value)
