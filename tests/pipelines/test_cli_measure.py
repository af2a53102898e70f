"""`shardwall residual`, `what-if` and `bias` as a user meets them."""

import csv
from pathlib import Path

import pytest

from filters.config import load_policy
from pipelines.clean import clean
from tests.pipelines.measured_run import ONE, decisions, write_calibrated, write_corpus
from tests.pipelines.test_cli import Shardwall, Told, shardwall

__all__ = ["shardwall"]  # a fixture


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose calibration was made on scores that lie quite otherwise."""
    folder = tmp_path_factory.mktemp("measure")
    policy = load_policy(write_calibrated(folder / "policy"))
    clean(str(write_corpus(folder / "in")), folder / "out", policy, ONE)
    return folder / "out"


def lines(told: Told, *words: str) -> list[str]:
    """Return the lines of a table that hold all of these words."""
    return [line for line in told.out.splitlines() if all(word in line for word in words)]


def test_clean_warns_at_its_end_of_scores_that_moved(output: Path, shardwall: Shardwall) -> None:
    folder = output.parent
    told = shardwall("clean", folder / "in", output, "--policy", folder / "policy" / "policy.toml", "--", *ONE)
    assert told.code == 0
    assert "warning: all shards: the values of adult (score)" in told.err
    assert "label some of these samples and calibrate again" in told.err
    assert "warning" not in told.out
    assert "may be left of each mark: at most adult " in told.out
    assert f"; no bound for grey, listed, minor: shardwall residual {output}" in told.out


def test_residual_prints_a_bound_or_that_there_is_none(output: Path, shardwall: Shardwall) -> None:
    told = shardwall("residual", output)
    assert told.code == 0
    assert lines(told, "minor", "no bound: uncalibrated")
    assert "adult: no more than" in told.out
    assert "if the labelled samples of the mark are a random sample" in told.out


def test_a_plan_is_written_answered_and_folded_in(output: Path, shardwall: Shardwall, tmp_path: Path) -> None:
    told = shardwall("residual", output, "--plan", 15)
    assert lines(told, "general", "near", "crawl")
    path = output / "restricted" / "sample" / "plan.csv"
    assert str(path) in told.out
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    filled = [[cell or "no" for cell in row] for row in rows]
    with (tmp_path / "answers.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(filled)
    told = shardwall("evaluate", output, "--sample", tmp_path / "answers.csv")
    assert lines(told, "general", "adult", "15", "0")
    assert lines(shardwall("residual", output), "general", "adult", "15", "0")
    assert shardwall("residual", output, "--plan", 15).code == 1
    assert not [key for key in {row[4] for row in rows[1:]} if key in told.out]


@pytest.mark.parametrize("words", [("--plan", "0"), ("--answers", "x.csv"), ("--plan", "some")])
def test_a_plan_that_cannot_be_is_refused(output: Path, shardwall: Shardwall, words: tuple[str, ...]) -> None:
    assert shardwall("residual", output, *words).code == 2


def test_what_if_prints_where_samples_would_go(output: Path, shardwall: Shardwall) -> None:
    told = shardwall("what-if", output, "--set", "adult score at_least=0.9", "--by", "domain")
    assert told.code == 0
    moved = sum(each.partition == "adult" and each.rules[0] == "adult score" for each in decisions(output))
    assert moved > 10
    assert lines(told, "adult", "general", f" {moved} ")
    assert lines(told, "plain.test")
    assert lines(told, "web.test")
    assert "by the host of `url` in the sidecars" in told.out


def test_what_if_without_another_policy_tells_what_the_run_took_from_whom(output: Path, shardwall: Shardwall) -> None:
    told = shardwall("what-if", output, "--by", "source")
    samples = [each for each in decisions(output) if each.shard.startswith("crawl")]
    assert lines(told, "crawl", str(len(samples)))
    assert not lines(told, "broken")


def test_what_if_says_which_filters_have_not_looked(output: Path, shardwall: Shardwall) -> None:
    told = shardwall("what-if", output, "--policy", "partition")
    assert told.code == 0
    assert (
        "not in the evidence of the run, as this policy has it: urls, digests, perceptual, captions, minors" in told.out
    )
    general = sum(each.partition == "general" for each in decisions(output))
    assert lines(told, "general", "withheld", f" {general} ")


def test_a_curve_has_a_line_for_each_threshold(output: Path, shardwall: Shardwall) -> None:
    told = shardwall("what-if", output, "--curve", "adult score")
    assert told.code == 0
    assert lines(told, "0.005")
    assert lines(told, "#")
    assert "threshold of 'adult score'" in told.out


def test_bias_prints_shares_with_intervals_and_says_what_is_small(
    output: Path, shardwall: Shardwall, tmp_path: Path
) -> None:
    groups = tmp_path / "groups.csv"
    every = decisions(output)
    rows = [f"{each.shard},{each.key},{'one' if n % 5 else 'two'}\n" for n, each in enumerate(every) if n > 2]
    groups.write_text("shard,key,region\n" + "".join(rows))
    told = shardwall("bias", output, groups, "--by", "region")
    assert told.code == 0
    assert lines(told, "one", "(")
    assert lines(told, "two", "small")
    assert "3 samples of the run are in no group" in told.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("what-if", "--set", "adult scores at_least=1"), 2),
        (("what-if", "--curve", "listed"), 2),
        (("what-if", "--groups", "x.csv"), 2),
        (("what-if", "--curve", "adult score", "--by", "shard"), 2),
        (("what-if", "--by", "topic"), 1),
        (("what-if", "--policy", "nothing.toml"), 2),
        (("bias", "missing.csv", "--by", "region"), 1),
    ],
)
def test_what_cannot_be_ends_with_a_sentence(
    output: Path, shardwall: Shardwall, words: tuple[str, ...], code: int
) -> None:
    verb, *rest = words
    told = shardwall(verb, output, *rest)
    assert (told.code, told.err.startswith("Error: ")) == (code, True)
