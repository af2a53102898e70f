import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from filters.errors import ModelError
from filters.heads import Head, LinearHead

ON = "tiny/4@0123456789ab"
WEIGHT, BIAS = np.array([[1.0, -2.0, 0.5, 0.0]], dtype=np.float32), np.array([0.25], dtype=np.float32)


def stored(path: Path, metadata: dict[str, str] | None, **tensors: Any) -> LinearHead:
    save_file(tensors, path, metadata)
    return LinearHead("codeword-alpha", str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_score_is_the_logistic_function_of_the_weighted_embedding(tmp_path: Path) -> None:
    head = stored(tmp_path / "a.safetensors", {"embedding": ON}, weight=WEIGHT, bias=BIAS).load(ON, 4)
    embedding = np.array([0.5, 0.5, 0.5, 0.5], dtype=np.float32)
    assert head.score(embedding) == pytest.approx(1 / (1 + math.exp(-(0.5 - 1 + 0.25 + 0.25))))
    assert head.label == "codeword-alpha"
    assert len(head.source) == 12


def test_a_flat_and_a_one_row_weight_are_the_same_head(tmp_path: Path) -> None:
    embedding = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)
    flat = stored(tmp_path / "flat.safetensors", {"embedding": ON}, weight=WEIGHT[0].copy(), bias=BIAS).load(ON, 4)
    row = stored(tmp_path / "row.safetensors", {"embedding": ON}, weight=WEIGHT, bias=BIAS).load(ON, 4)
    assert flat.score(embedding) == row.score(embedding)


@given(st.floats(-1e6, 1e6))
def test_every_logit_has_a_score_between_nought_and_one(bias: float) -> None:
    score = Head("codeword-alpha", "", np.zeros(2), bias).score(np.ones(2, dtype=np.float32))
    assert 0 <= score <= 1
    assert (score > 0.5) == (bias > 0) or abs(bias) < 1e-12


def test_an_embedding_that_is_not_of_numbers_has_no_score() -> None:
    assert math.isnan(Head("codeword-alpha", "", np.ones(2), 0.0).score(np.array([1, np.nan], dtype=np.float32)))


@pytest.mark.parametrize(
    ("tensors", "metadata", "why"),
    [
        ({"weight": WEIGHT, "bias": BIAS}, {"embedding": "tiny/4@ffffffffffff"}, "fitted on tiny/4@ffffffffffff, not"),
        ({"weight": WEIGHT, "bias": BIAS}, None, "fitted on an unnamed embedding"),
        ({"weight": WEIGHT[:, :3].copy(), "bias": BIAS}, {"embedding": ON}, "has 4 numbers"),
        ({"weight": np.vstack([WEIGHT, WEIGHT]), "bias": BIAS}, {"embedding": ON}, "does not fit"),
        ({"weight": WEIGHT, "bias": np.zeros(2)}, {"embedding": ON}, "does not fit"),
        ({"weight": WEIGHT, "bias": np.array([np.nan])}, {"embedding": ON}, "not numbers"),
        ({"weight": np.full((1, 4), np.inf), "bias": BIAS}, {"embedding": ON}, "not numbers"),
        ({"weight": WEIGHT}, {"embedding": ON}, "cannot be read"),
    ],
    ids=["other-checkpoint", "unnamed", "short", "two-rows", "two-biases", "nan", "infinite", "no-bias"],
)
def test_a_head_that_does_not_fit_is_refused(
    tmp_path: Path, tensors: dict[str, Any], metadata: dict[str, str] | None, why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        stored(tmp_path / "bad.safetensors", metadata, **tensors).load(ON, 4)


def test_a_head_with_another_digest_or_a_pickle_is_refused(tmp_path: Path) -> None:
    head = stored(tmp_path / "good.safetensors", {"embedding": ON}, weight=WEIGHT, bias=BIAS)
    with pytest.raises(ModelError, match="not the pinned ones"):
        LinearHead(head.label, head.path, "0" * 64).load(ON, 4)
    pickled = tmp_path / "head.pkl"
    pickled.write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelError, match="a pickle"):
        LinearHead(head.label, str(pickled), hashlib.sha256(pickled.read_bytes()).hexdigest()).load(ON, 4)


def test_a_pickle_that_is_called_safetensors_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "head.safetensors"
    file.write_bytes(b"\x80\x04N." * 9)
    with pytest.raises(ModelError, match="cannot be read"):
        LinearHead("codeword-alpha", str(file), hashlib.sha256(file.read_bytes()).hexdigest()).load(ON, 4)
