from pathlib import Path

import numpy as np
import pytest

from filters.calibration import AT_MOST
from filters.finding import Finding
from manifests.evidence import Evidence, EvidenceWriter
from manifests.scores import Asked, Scores, read_scores

ADULT = Asked("adult", "score")


def seen(*findings: Finding, examined: tuple[str, ...] = ("captions", "adult", "minors"), key: str = "k") -> Evidence:
    return Evidence("s", 0, key, 0, 1, findings=findings, examined=examined)


def scores(folder: Path, *samples: Evidence, asked: Asked = ADULT) -> Scores:
    with EvidenceWriter(folder / "s.parquet", {}) as writer:
        for each in samples:
            writer.write(each)
    return read_scores(folder / "s.parquet", asked)


def test_each_sample_has_the_value_of_its_filter_and_label(tmp_path: Path) -> None:
    found = scores(
        tmp_path,
        seen(
            Finding("captions", "score", 0.9), Finding("adult", "score", 0.25), Finding("adult", "other", 0.5), key="a"
        ),
        seen(key="b"),
        seen(Finding("adult", "score"), key="\udcff"),
    )
    assert found.keys == ("a", "b", "\udcff")
    np.testing.assert_array_equal(found.values, [0.25, np.nan, np.nan])
    assert found.unexamined.tolist() == [False, False, False]


def test_the_value_that_finds_most_counts(tmp_path: Path) -> None:
    ages = [Finding("minors", "apparent-age", age) for age in (31.0, 12.5, 40.0)]
    assert scores(tmp_path, seen(*ages), asked=Asked("minors", "apparent-age", AT_MOST)).values.tolist() == [12.5]
    assert scores(tmp_path, seen(*ages), asked=Asked("minors", "apparent-age")).values.tolist() == [40.0]


@pytest.mark.parametrize(
    ("sample", "unexamined"),
    [
        (seen(Finding("adult", "unexamined", unexamined="undecodable")), True),
        (seen(Finding("adult", "score", 0.1), Finding("adult", "unexamined", unexamined="frame 3")), True),
        (seen(Finding("structure", "bad name", unexamined="bad name")), True),
        (seen(Finding("rasters", "unexamined", unexamined="decoder died")), True),
        (seen(examined=("captions",)), True),  # never shown: it matched known material before
        (seen(Finding("minors", "unexamined", unexamined="undecodable")), False),
        (seen(), False),
    ],
)
def test_what_this_filter_did_not_see_is_unexamined(tmp_path: Path, sample: Evidence, unexamined: bool) -> None:
    assert scores(tmp_path, sample).unexamined.tolist() == [unexamined]


def test_an_unexamined_finding_gives_no_value(tmp_path: Path) -> None:
    assert np.isnan(scores(tmp_path, seen(Finding("adult", "score", 0.5, unexamined="half of it"))).values).all()


def test_the_language_of_a_caption_is_told_where_the_evidence_names_it(tmp_path: Path) -> None:
    named = Finding("captions", "language-not-covered", source="ours", form="text 0, language fi")
    other = Finding("minors", "language-not-covered", form="text 0, language sv")
    found = scores(tmp_path, seen(named, named), seen(other), seen(Finding("captions", "adult", form="language de")))
    assert found.languages == ("fi", "", "")


def test_a_shard_without_samples_has_no_scores_and_more_than_one_row_group_stays_in_order(tmp_path: Path) -> None:
    assert scores(tmp_path).keys == ()
    many = [seen(Finding("adult", "score", n / 2_000), key=str(n)) for n in range(1_200)]
    found = scores(tmp_path, *many)
    assert found.values.tolist() == [n / 2_000 for n in range(1_200)]
    assert found.keys == tuple(map(str, range(1_200)))


def test_no_key_and_no_value_is_shown_by_a_repr(tmp_path: Path) -> None:
    assert "canary" not in repr(scores(tmp_path, seen(key="canary")))
