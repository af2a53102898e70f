"""A run says what may be left; a person's answers to its plan say it without a model, and no answer is a finding."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filters.config import load_policy
from filters.errors import LabelError, ShardError
from manifests.measures import measures_of, total_measures
from manifests.residual import NO_BOUND, most_missed
from manifests.sampling import Answered, most_left
from pipelines.clean import clean
from pipelines.evaluate import Question, evaluate
from pipelines.residual import Looked, fold_answers, read_answers, read_residual, write_plan
from pipelines.verify import verify
from tests.pipelines.measured_run import ONE, decisions, policy_text, run, write_calibrated, write_corpus
from tests.tree import digests


@dataclass(frozen=True, slots=True)
class Runs:
    """A corpus cleaned under a policy whose adult score is calibrated, on the same samples and on quite others."""

    folder: Path
    output: Path
    drifted: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("residual")
    source = write_corpus(folder / "in")
    seen = decisions(run(source, folder / "first", policy_text()))
    for name, samples in (("out", seen), ("drifted", [])):
        clean(str(source), folder / name, load_policy(write_calibrated(folder / f"{name} policy", samples)), ONE)
    return Runs(folder, folder / "out", folder / "drifted")


def summaries(output: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the summary of the restricted store and the published one."""
    restricted, audit = ((output / room / "summary.json").read_text() for room in ("restricted", "audit"))
    return json.loads(restricted), json.loads(audit)


# What the run says


def test_a_run_bounds_what_is_left_by_its_calibration_and_counts(runs: Runs) -> None:
    told = read_residual(runs.output)
    adult = told["marks"]["adult"]
    flagged = sum("adult score" in each.rules for each in decisions(runs.output))
    assert adult["flagged"] == flagged > 10
    assert adult["at_most"] == most_missed(flagged, adult["recall_low"], 0.025)
    kept = [each for each in decisions(runs.output) if each.partition == "general"]
    left = told["partitions"]["general"]["adult"]
    assert (left["unmarked"], left["at_most"]) == (len(kept), min(adult["at_most"], len(kept)))
    assert (told["marks"]["minor"]["at_most"], told["marks"]["minor"]["told"]) == (None, NO_BOUND)


def test_what_is_published_is_no_lower_and_is_proved_from_the_manifest(runs: Runs, tmp_path: Path) -> None:
    restricted, published = summaries(runs.output)
    exact, told = (each["residual"]["marks"]["adult"] for each in (restricted, published))
    assert told["at_most"] >= exact["at_most"]
    assert told["flagged"] > exact["flagged"]
    assert verify(runs.output) == []
    output = tmp_path / "out"
    shutil.copytree(runs.output, output)
    for name, change in (("residual", {"assumed": "nothing"}), ("drift", [])):
        (output / "audit" / "summary.json").write_text(json.dumps({**published, name: change}))
        assert f"audit/summary.json: {name} is not what the manifest says" in verify(output)


def test_scores_like_those_of_the_calibration_warn_of_nothing(runs: Runs) -> None:
    restricted, published = summaries(runs.output)
    assert restricted["warnings"] == []
    (drift,) = restricted["drift"]
    assert (drift["compared"], drift["reference"], drift["shifted"]) == (4, 45, [])
    assert drift["farthest"]["at_least"] == 0
    assert "warnings" not in published


def test_a_calibration_from_labels_of_the_run_itself_lies_no_distance_from_it(runs: Runs, tmp_path: Path) -> None:
    """What `evaluate` counts of a run and what the run counts of itself are the same samples in the same bins."""
    labels = tmp_path / "labels.csv"
    rows = [f"{each.shard},{each.key},{int('adult score' in each.rules)}\n" for each in decisions(runs.output)]
    labels.write_text("shard,key,label\n" + "".join(rows))
    of_run = evaluate(runs.output, labels, Question("adult score")).histograms[1]
    markers = (runs.output / "restricted" / "commit").glob("*.separated.json")
    noted = total_measures([measures_of(json.loads(path.read_text())["facts"]) for path in markers])
    assert list(of_run.counts) == noted.histograms[0]


def test_scores_unlike_those_of_the_calibration_warn_and_withhold_nothing(runs: Runs) -> None:
    """Its calibration was made on scores spread over 0..1; drawn shapes all score near 0."""
    restricted, published = summaries(runs.drifted)
    warned = restricted["warnings"]
    assert any(each.startswith("all shards: the values of adult (score)") for each in warned)
    assert published["drift"][0]["shifted"] == len(warned)
    assert "crawl" not in json.dumps(published["drift"])
    assert [each.partition for each in decisions(runs.drifted)] == [each.partition for each in decisions(runs.output)]


def test_a_run_started_again_says_the_same(runs: Runs) -> None:
    before = digests(runs.drifted)
    for name in ("restricted/summary.json", "audit/summary.json"):
        (runs.drifted / name).unlink()
    policy = load_policy(runs.folder / "drifted policy" / "policy.toml")
    clean(str(runs.folder / "in"), runs.drifted, policy, ONE)
    assert digests(runs.drifted) == before


def test_a_folder_without_a_finished_run_bounds_nothing(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="does not say what may be left"):
        read_residual(tmp_path)


# The plan and its answers


@pytest.fixture
def output(runs: Runs, tmp_path: Path) -> Path:
    shutil.copytree(runs.output, tmp_path / "out")
    return tmp_path / "out"


Rows = list[dict[str, str]]


def planned(output: Path, number: int = 12) -> Rows:
    path, _ = write_plan(output, number, 0)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def answer(folder: Path, rows: Rows, mark: Callable[[dict[str, str], str], str] = lambda *_: "no") -> Path:
    """Write the rows with each empty cell answered."""
    path = folder / "answers.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            told = {
                name: mark(row, name) if name in ("adult", "minor") and not cell else cell for name, cell in row.items()
            }
            writer.writerow(told)
    return path


def of(found: list[Looked], partition: str, mark: str) -> Looked:
    (one,) = [each for each in found if (each.partition, each.mark) == (partition, mark)]
    return one


def test_a_plan_names_kept_samples_and_asks_for_the_marks_that_their_place_forbids(output: Path) -> None:
    rows = planned(output)
    places = {(each.shard, str(each.index)): each for each in decisions(output)}
    for row in rows:
        decision = places[row["shard"], row["index"]]
        assert (decision.partition, decision.key) == (row["partition"], row["key"].removeprefix("'"))
        asked = {mark for mark in ("adult", "minor") if row[mark] == ""}
        assert asked == {"general": {"adult", "minor"}, "minors": {"adult"}, "adult": {"minor"}}[row["partition"]]
    assert [row["partition"] for row in rows].count("general") == 12
    assert verify(output) == []


def test_a_plan_is_for_its_owner_alone_and_no_spreadsheet_carries_it_out(output: Path) -> None:
    rows = planned(output, 100)
    folder = output / "restricted" / "sample"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert "'=formula" in {row["key"] for row in rows}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]


def test_the_answers_bound_what_is_left_without_any_model(output: Path, tmp_path: Path) -> None:
    found = fold_answers(output, answer(tmp_path, planned(output)))
    general = of(found, "general", "adult")
    kept = sum(each.partition == "general" for each in decisions(output))
    assert (general.samples, general.drawn, general.found, general.undecided) == (kept, 12, 0, 0)
    plan = json.loads((output / "restricted" / "sample" / "plan.json").read_text())
    strata = [Answered(s["size"], len(s["numbers"]), 0) for s in plan["strata"] if s["partition"] == "general"]
    assert general.at_most == most_left(strata)
    assert of(found, "minors", "adult").at_most == 0  # all of it was looked at
    assert {(each.partition, each.mark) for each in found} == {
        ("general", "adult"),
        ("general", "minor"),
        ("minors", "adult"),
        ("adult", "minor"),
    }
    assert read_answers(output) == found


def test_more_findings_only_raise_the_bound(output: Path, tmp_path: Path) -> None:
    rows = planned(output)
    clear = of(fold_answers(output, answer(tmp_path, rows)), "general", "adult")
    one = next(row["number"] for row in rows if row["partition"] == "general")
    some = fold_answers(output, answer(tmp_path, rows, lambda row, _: "yes" if row["number"] == one else "no"))
    assert of(some, "general", "adult").found == 1
    assert of(some, "general", "adult").at_most > clear.at_most


@pytest.mark.parametrize("word", ["", "maybe", "?", "n"])
def test_what_is_not_answered_counts_as_found(output: Path, tmp_path: Path, word: str) -> None:
    rows = planned(output)
    yes = fold_answers(output, answer(tmp_path, rows, lambda *_: "YES "))
    open_ = fold_answers(output, answer(tmp_path, rows, lambda *_: word))
    assert [each.at_most for each in open_] == [each.at_most for each in yes]
    assert {each.found for each in open_} == {0}
    assert of(open_, "general", "adult").undecided == 12
    gone = fold_answers(output, answer(tmp_path, rows[:1]))
    assert sum(each.undecided for each in gone) == sum(each.drawn for each in gone) - len(
        [cell for cell in (rows[0]["adult"], rows[0]["minor"]) if not cell]
    )


def test_answers_about_something_else_are_refused(output: Path, tmp_path: Path) -> None:
    rows = planned(output)
    with pytest.raises(LabelError, match="about no sample of the plan"):
        fold_answers(output, answer(tmp_path, [*rows, {**rows[0], "number": "999"}]))
    with pytest.raises(LabelError, match="says otherwise than one before"):
        fold_answers(output, answer(tmp_path, [*rows, {**rows[0], "adult": "yes", "minor": "yes"}]))
    assert read_answers(output) == []


def test_answers_without_a_plan_or_to_another_state_of_the_run_are_refused(output: Path, tmp_path: Path) -> None:
    rows = planned(output)
    path = answer(tmp_path, rows)
    fold_answers(output, path)
    marker = output / "restricted" / "commit" / "web-00000.separated.json"
    record = json.loads(marker.read_text())
    record["outputs"]["restricted/manifest/web-00000.parquet"] = "5d" * 32
    marker.write_text(json.dumps(record))
    assert read_answers(output) == []
    with pytest.raises(ShardError, match="decided anew since"):
        fold_answers(output, path)
    (output / "restricted" / "sample" / "plan.json").unlink()
    with pytest.raises(ShardError, match="no plan"):
        fold_answers(output, path)


def test_nobody_draws_again_until_the_answers_please(output: Path, tmp_path: Path) -> None:
    first = planned(output)
    assert planned(output) == first
    fold_answers(output, answer(tmp_path, first))
    with pytest.raises(ShardError, match="cannot be sampled anew"):
        write_plan(output, 12, 1)
