"""A chain of filters says of many samples what it says of each by itself, and never takes silence for an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.finding import Examine, Finding, Material, examine
from filters.sample import Batch, Sample


@dataclass(frozen=True, slots=True)
class Drawn:
    """A filter that finds of a sample what its key says, letter by letter."""

    name: Literal["drawn"] = "drawn"
    letter: str = "a"
    conclusive: tuple[str, ...] = ("known",)
    labels: tuple[str, ...] = ("known", "doubt")

    def materials(self) -> tuple[Material, ...]:
        return ()

    def load(self) -> Examine:
        return self._examine

    def _examine(self, batch: Batch) -> Sequence[tuple[Finding, ...]]:
        return [self._of(sample.key) for sample in batch.samples]

    def _of(self, key: str) -> tuple[Finding, ...]:
        if "!" in key:
            raise ValueError
        labels = {self.letter: "doubt", self.letter.upper(): "known"}
        return tuple(Finding(self.name, labels[each], entry=each) for each in key if each in labels)


CHAIN: list[tuple[Any, Examine]] = [(each, each.load()) for each in (Drawn(letter=letter) for letter in "abc")]


@given(st.lists(st.tuples(st.text("aAbBcCx!", max_size=4), st.sampled_from([(), ("text: not UTF-8",)])), max_size=6))
def test_a_chain_says_of_many_samples_what_it_says_of_each(rows: list[tuple[str, tuple[str, ...]]]) -> None:
    samples = [Sample("s", key, problems=problems) for key, problems in rows]
    nothing: list[tuple[()]] = [()] * len(samples)
    together = examine(Batch.recorded(samples, nothing), CHAIN, b"key")
    assert together == [examine(Batch.recorded([each], [()]), CHAIN, b"key")[0] for each in samples]


def test_a_sample_with_a_conclusive_finding_is_shown_to_no_later_filter() -> None:
    samples = [Sample("s", key) for key in ("x", "B", "ab", "A")]
    seen = examine(Batch.recorded(samples, [()] * 4), CHAIN, b"key")
    assert [len(each.examined) for each in seen] == [3, 2, 3, 1]
    assert [[found.label for found in each.findings] for each in seen] == [[], ["known"], ["doubt", "doubt"], ["known"]]


def test_what_is_no_answer_is_not_taken_for_one_without_findings() -> None:
    silent: Any = lambda batch: [None] * len(batch)  # noqa: E731
    with pytest.raises(TypeError):
        examine(Batch.recorded([Sample("s", "x")], [()]), [(CHAIN[0][0], silent)], b"key")
