"""From a run and labels to a calibration, and from the calibration to a policy that rests on it.

The run is real, over drawn pictures; the scores of most samples are planted in its evidence.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from filters.calibrated import UNCALIBRATED
from filters.calibration import read_calibration
from filters.config import load_policy, policy_digest, restored
from filters.errors import LabelError, PolicyError, SealError, ShardError
from manifests.curves import histogram
from manifests.evidence import Evidence, EvidenceWriter, read_evidence
from manifests.provenance import read_provenance
from manifests.tables import read_metadata
from pipelines.clean import clean
from pipelines.evaluate import Question, evaluate, write
from pipelines.layout import Layout
from pipelines.verify import verify
from tests.corpora import Given, plain_samples, write_policy, write_shard
from tests.pipelines.test_cli import Shardwall, shardwall

__all__ = ["shardwall"]  # a fixture
ONE = ["--direct_num_workers=1"]
RULE = '[[rules]]\nname = "adult score"\nfilter = "adult"\nlabels = ["score"]\nat_least = 0.5\nmark = "adult"\n'
CANARY = "canary-key"
PLANTED = 400


@dataclass(frozen=True, slots=True)
class World:
    """A finished run with planted scores, and labels for it."""

    folder: Path
    truth: list[bool]
    values: list[float]

    @property
    def output(self) -> Path:
        return self.folder / "out"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.csv"


def policy_file(folder: Path, more: str = "", accepted: bool = True) -> Path:
    path = write_policy(folder, more=f"\n{RULE}\n{more}")
    text = path.read_text().replace('name = "captions"\n', 'name = "captions"\n\n[[filters]]\nname = "adult"\n', 1)
    path.write_text(text.replace('name = "test"', f'name = "test"\nuncalibrated = {str(accepted).lower()}', 1))
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "in").mkdir()
    write_shard(folder / "in" / "00000.tar", plain_samples(3))
    write_shard(folder / "in" / "00001.tar", [*plain_samples(2, 3), Given("broken", b"no picture")])
    clean(str(folder / "in"), folder / "out", load_policy(policy_file(folder / "policy")), ONE)
    return plant(folder)


def plant(folder: Path) -> World:
    """Add samples with drawn scores to the evidence of the second shard, and label them."""
    random = np.random.default_rng(5)
    truth = random.random(PLANTED) < 0.5
    values = np.round(np.where(truth, random.beta(6, 1.5, PLANTED), random.beta(1, 6, PLANTED)), 5)
    path = Layout(folder / "out").evidence("00001")
    metadata = {key: value for key, value in read_metadata(path).items() if key != "shardwall.faults"}
    known = list(read_evidence(path))
    with EvidenceWriter(path, metadata) as writer:
        for each in [*known, *planted(known[0], values.tolist())]:
            writer.write(each)
    rows = [
        f"00001,{CANARY}-{n},{int(of_mark)},{'abc'[n % 3]},{'de' if n % 2 else 'fr'}" for n, of_mark in enumerate(truth)
    ]
    lost = ["00001,broken,1,a,de", "00001,absent,1,a,de", "nowhere,x,0,b,de", rows[0], "00001,again,1,a,fr"]
    (folder / "labels.csv").write_text("shard,key,label,region,language\n" + "\n".join([*rows, *lost]) + "\n")
    return World(folder, truth.tolist(), values.tolist())


def planted(template: Evidence, values: list[float]) -> Iterator[Evidence]:
    for number, value in enumerate([*values, 0.5, 0.5]):
        key = f"{CANARY}-{number}" if number < len(values) else "again"
        findings = tuple(replace(f, value=value) if f.filter == "adult" else f for f in template.findings)
        yield replace(template, index=1_000 + number, key=key, findings=findings)


def test_the_figures_are_those_of_the_labels_and_the_evidence(world: World) -> None:
    found = evaluate(world.output, world.labels, Question(by=("region",))).evaluation
    truth, told = np.array(world.truth), np.array(world.values) >= 0.5
    assert (found.asked.filter, found.asked.label, found.asked.mark, found.measured.threshold) == (
        *("adult", "score", "adult"),
        0.5,
    )
    assert found.measured.recall.estimate == pytest.approx(metrics.recall_score(truth, told))
    assert found.measured.precision.estimate == pytest.approx(metrics.precision_score(truth, told))
    assert found.curve.roc_auc == pytest.approx(metrics.roc_auc_score(truth, world.values))
    for place, name in enumerate("abc"):
        rows = np.arange(PLANTED) % 3 == place
        assert found.groups["region"][name].n == rows.sum()
        assert found.groups["region"][name].recall.estimate == pytest.approx(
            metrics.recall_score(truth[rows], told[rows])
        )
    assert sorted(found.languages) == ["de", "fr"]
    assert sorted(found.gaps) == ["language", "region"]


def test_what_cannot_be_measured_is_counted_and_in_no_share(world: World) -> None:
    tally = evaluate(world.output, world.labels, Question()).evaluation.tally
    assert (tally.labelled, tally.measured) == (PLANTED + 4, PLANTED)
    assert (tally.repeated, tally.contradicted, tally.unknown, tally.ambiguous) == (1, 0, 2, 1)
    assert (tally.unexamined_of_mark, tally.unexamined_others, tally.without_value) == (1, 0, 0)


def test_the_calibration_file_says_what_was_measured_and_with_which_weights(world: World, tmp_path: Path) -> None:
    answer = evaluate(world.output, world.labels, Question(by=("region",), recall=0.9))
    digest = write(tmp_path / "adult.json", answer, world.output)
    found = read_calibration(tmp_path / "adult.json", digest)
    assert found.recall.low >= 0.9
    assert found.threshold in world.values
    assert (found.n, found.positives, found.unexamined) == (PLANTED, sum(world.truth), 1)
    assert {each.name for each in found.materials} == {"open_nsfw", "adult"}
    assert found.histogram == histogram("adult", np.array(world.values))
    assert sum(found.corpus_histogram.counts) == PLANTED + 2 + 5  # planted and drawn, without what nobody could see
    assert CANARY not in (tmp_path / "adult.json").read_text()
    write(tmp_path / "adult.json", answer, world.output)  # a calibration may be written anew


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (Question(rule="adlut score"), "did you mean 'adult score'?"),
        (Question(rule="minor word"), "No rule 'minor word' of this run has a threshold on a model"),
    ],
)
def test_a_rule_that_cannot_be_measured_is_refused(world: World, question: Question, why: str) -> None:
    with pytest.raises(PolicyError) as caught:
        evaluate(world.output, world.labels, question)
    assert why in str(caught.value)


def test_a_rule_of_several_labels_is_not_measured_as_one(world: World, tmp_path: Path) -> None:
    output = copied(world, tmp_path)
    tables = json.loads((output / "audit" / "policy.json").read_text())
    tables["filters"].insert(-1, {"name": "minors"})
    tables["rules"].append({"name": "ages", "filter": "minors", "mark": "minor", "at_most": 27.0})
    (output / "audit" / "policy.json").write_text(json.dumps(tables))
    record = json.loads(Layout(output).run.read_text())
    Layout(output).run.write_text(json.dumps(record | {"policy_sha256": policy_digest(restored(tables))}))
    with pytest.raises(PolicyError, match="Several rules of this run have a threshold on a model"):
        evaluate(output, world.labels, Question())
    with pytest.raises(PolicyError, match="asks for several labels"):
        evaluate(output, world.labels, Question("ages"))


@pytest.mark.parametrize("label", ["0", "1"])
def test_labels_of_one_kind_measure_nothing(world: World, tmp_path: Path, label: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"shard,key,label\n00001,{CANARY}-1,{label}\n00001,broken,1\n00001,absent,0\n")
    with pytest.raises(LabelError) as caught:
        evaluate(world.output, path, Question())
    assert "Label some of both" in str(caught.value)
    assert "3 labelled, 1 not in the evidence, 1 unexamined" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_calibration_never_replaces_anything_else(world: World, tmp_path: Path) -> None:
    answer = evaluate(world.output, world.labels, Question())
    (tmp_path / "labels.csv").write_text("mine")
    for path, why in [
        (tmp_path / "labels.csv", "something else is there"),
        (tmp_path, "something else is there"),
        (world.output / "audit" / "a.json", "lies in the output of a run"),
        (world.output / "a.json", "lies in the output of a run"),
        (tmp_path / "none" / "a.json", "No such file"),
    ]:
        with pytest.raises(LabelError) as caught:
            write(path, answer, world.output)
        assert why in str(caught.value)
    assert (tmp_path / "labels.csv").read_text() == "mine"


def copied(world: World, folder: Path) -> Path:
    shutil.copytree(world.output, folder / "out")
    return folder / "out"


def test_a_run_that_is_not_finished_or_was_tampered_with_is_refused(world: World, tmp_path: Path) -> None:
    output = copied(world, tmp_path)
    Layout(output).evidence("00000").unlink()
    with pytest.raises(ShardError, match="00000 has no evidence yet"):
        evaluate(output, world.labels, Question())
    policy = json.loads((output / "audit" / "policy.json").read_text())
    policy["rules"][-1]["at_least"] = 0.1
    (output / "audit" / "policy.json").write_text(json.dumps(policy))
    with pytest.raises(SealError, match="is not the policy of the run"):
        evaluate(output, world.labels, Question())
    (output / "audit" / "policy.json").unlink()
    with pytest.raises(SealError, match="missing or damaged"):
        evaluate(output, world.labels, Question())


def test_a_run_of_an_older_version_does_not_say_which_weights_it_had(world: World, tmp_path: Path) -> None:
    output = copied(world, tmp_path)
    record = json.loads(Layout(output).run.read_text())
    del record["rests_on"]
    Layout(output).run.write_text(json.dumps(record))
    with pytest.raises(ShardError, match="which weights its scores come from"):
        evaluate(output, world.labels, Question())


# The command line ----------------------------------------------------------------------------------------------------


def test_the_verb_shows_figures_and_writes_the_calibration(world: World, tmp_path: Path, shardwall: Shardwall) -> None:
    told = shardwall("evaluate", world.output, world.labels, "--by", "region", "--out", tmp_path / "c.json")
    assert told.code == 0
    for words in ("1 of the mark could not be examined: withheld, so not missed", "area under ROC", "Precision is of"):
        assert words in told.out
    assert "2 are not in the evidence of the run" in told.out
    assert "the widest gap of any two" in told.out
    digest = told.out.partition('sha256 = "')[2].partition('"')[0]
    assert read_calibration(tmp_path / "c.json", digest).threshold == 0.5


def test_all_figures_stand_beside_the_calibration_for_other_programs(
    world: World, tmp_path: Path, shardwall: Shardwall
) -> None:
    told = shardwall("evaluate", world.output, world.labels, "--recall", "0.9", "--out", tmp_path / "c.json")
    found: dict[str, Any] = json.loads((tmp_path / "c.evaluation.json").read_text())
    assert found["wanted"]["threshold"] == found["measured"]["threshold"]
    assert len(found["curve"]["points"]) == 21
    assert found["calibration_sha256"] in told.out
    assert CANARY not in (tmp_path / "c.evaluation.json").read_text()


def test_too_few_labels_are_told_with_how_many_it_takes(world: World, tmp_path: Path, shardwall: Shardwall) -> None:
    words = ("evaluate", world.output, world.labels, "--recall", "0.99", "--out", tmp_path / "c.json")
    told = shardwall(*words)
    assert told.code == 1
    assert "It takes 368 of the mark if none of them is missed" in told.err
    assert not (tmp_path / "c.json").exists()
    assert "recall" in told.out  # the figures of the rule are shown all the same


@pytest.mark.parametrize("recall", ["0", "1", "1.5", "nan"])
def test_a_recall_that_nobody_can_show_is_a_question_of_usage(world: World, shardwall: Shardwall, recall: str) -> None:
    told = shardwall("evaluate", world.output, world.labels, "--recall", recall)
    assert told.code == 2
    assert "--recall lies between 0 and 1" in told.err


# The policy that rests on it -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calibrated(world: World) -> World:
    """The same input, cleaned by a policy that rests on the calibration."""
    folder = world.folder / "calibrated"
    policy = policy_with_calibration(world, folder)
    clean(str(world.folder / "in"), folder / "out", load_policy(policy), ONE)
    return World(folder, world.truth, world.values)


def policy_with_calibration(world: World, folder: Path, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    answer = evaluate(world.output, world.labels, Question(by=("region",)))
    digest = write(folder / "adult.json", answer, world.output)
    entry = f'[[calibrations]]\nname = "adult score"\npath = "../adult.json"\nsha256 = "{digest}"\n'
    return policy_file(folder / "policy", f"{entry}{more}", accepted=False)


def test_a_run_that_rests_on_a_calibration_says_so_everywhere(calibrated: World) -> None:
    output = calibrated.output
    assert json.loads((output / "audit" / "summary.json").read_text())["notice"] == ""
    assert UNCALIBRATED not in (output / "clean" / "general" / "README.md").read_text()
    record = read_provenance(Layout(output).manifest("00000"))
    assert not record.uncalibrated
    materials = {each.name: each for each in record.materials}
    assert materials["open_nsfw"].calibrated is True
    assert materials["adult score"].kind == "calibration"
    assert materials["adult score"].sha256 == json.loads(record.policy)["calibrations"][0]["sha256"]
    assert (calibrated.folder / "adult.json").is_file()


def test_it_is_proved_without_the_calibration_file(calibrated: World) -> None:
    kept = calibrated.folder / "adult.json"
    aside = kept.rename(kept.with_suffix(".aside"))
    try:
        assert verify(calibrated.output) == []
    finally:
        aside.rename(kept)


def test_a_run_without_one_says_that_first(world: World) -> None:
    output = world.output
    body = (output / "clean" / "general" / "README.md").read_text().partition("---\n\n")[2]
    assert body.splitlines()[0] == f"**{UNCALIBRATED}**"
    assert json.loads((output / "audit" / "summary.json").read_text())["notice"] == UNCALIBRATED
    assert json.loads((output / "restricted" / "summary.json").read_text())["notice"] == UNCALIBRATED
    assert read_provenance(Layout(output).manifest("00000")).uncalibrated


def test_evidence_does_not_depend_on_what_was_calibrated(world: World, calibrated: World) -> None:
    markers = [json.loads(Layout(each.output).marker("00000", "examined").read_text()) for each in (world, calibrated)]
    assert markers[0]["inputs"] == markers[1]["inputs"]


def test_a_calibration_for_another_model_stops_the_run_before_the_first_shard(world: World, tmp_path: Path) -> None:
    output = copied(world, tmp_path)
    record = json.loads(Layout(output).run.read_text())
    weights = next(
        each
        for name, label, found in record["rests_on"]
        if label == "score"
        for each in found
        if each["kind"] != "settings"
    )
    weights["sha256"] = "00" * 32
    Layout(output).run.write_text(json.dumps(record))
    other = World(tmp_path, world.truth, world.values)
    shutil.copy(world.labels, other.labels)
    policy = load_policy(policy_with_calibration(other, tmp_path / "new"))
    with pytest.raises(PolicyError, match="measured with another model"):
        clean(str(world.folder / "in"), tmp_path / "again", policy, ONE)
    assert not (tmp_path / "again").exists()


def test_a_group_under_the_floor_stops_the_run(world: World, tmp_path: Path, shardwall: Shardwall) -> None:
    policy = policy_with_calibration(world, tmp_path / "new", "[floors]\nmin_group_recall = 0.97\n")
    told = shardwall("clean", world.folder / "in", tmp_path / "again", "--policy", policy)
    assert told.code == 2
    assert "of 'region' has a recall of" in told.err
    assert "min_group_recall is 0.97" in told.err


def test_the_policy_check_tells_what_the_calibration_measured(calibrated: World, shardwall: Shardwall) -> None:
    told = shardwall("policy", "check", calibrated.folder / "policy" / "policy.toml")
    assert told.code == 0
    assert "- calibration adult score of" in told.out
    assert "uncalibrated" not in told.out


@pytest.mark.parametrize("words", [(), ("labels.csv", "--sample", "plan.csv")])
def test_labels_or_an_answered_plan_are_asked_for_and_not_both(
    world: World, shardwall: Shardwall, words: tuple[str, ...]
) -> None:
    told = shardwall("evaluate", world.output, *words)
    assert told.code == 2
    assert "one of the two" in told.err
