import math

import numpy as np
import pytest

from filters.errors import ModelError, PolicyError
from filters.heads import Head, HeadSource, problems

UNIT = np.array([0.6, 0.8], dtype=np.float32)
PROBE = HeadSource("codeword-alpha", "a.safetensors", "0" * 64)


def test_an_embedding_that_is_not_normalised_is_refused() -> None:
    head = Head("codeword-alpha", "", lambda embedding: 0.5)
    assert head.score(UNIT) == 0.5
    for factor in (0.9, 1.01, 20, 0):
        with pytest.raises(ModelError, match="not normalised"):
            head.score(UNIT * np.float32(factor))


def test_an_embedding_that_is_not_of_numbers_has_no_score() -> None:
    assert math.isnan(Head("codeword-alpha", "", lambda embedding: 0.5).score(UNIT * np.float32(math.nan)))


@pytest.mark.parametrize("answer", [math.nan, math.inf, -0.01, 1.01])
def test_what_is_no_score_is_no_number(answer: float) -> None:
    assert math.isnan(Head("codeword-alpha", "", lambda embedding: answer).score(UNIT))


@pytest.mark.parametrize(
    ("heads", "why"),
    [
        ((), "has no head"),
        ((PROBE, PROBE), "share a label"),
        ((HeadSource("", "a.safetensors"),), "has none"),
        ((HeadSource("unexamined", "a.safetensors"),), "share a label"),
        ((HeadSource("a"),), "no source"),
        ((HeadSource("a", "a.safetensors", scorer="b"),), "path and scorer"),
        ((HeadSource("a", prompts="minors"),), "without `classes`"),
        ((HeadSource("a", "a.safetensors", classes=("b",)),), "without `classes`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_heads_that_do_not_say_what_they_are_are_refused(heads: tuple[HeadSource, ...], why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        problems(heads, ("unexamined",))


def test_a_head_of_each_kind_is_accepted() -> None:
    problems((PROBE, HeadSource("b", prompts="minors", classes=("child",)), HeadSource("c", scorer="d")), ())
