"""Hold a threshold of a finished run against labels: evaluation and calibration file come out."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from filters.calibration import AT_LEAST, AT_MOST, Histogram, RestsOn, read_calibration, write_calibration
from filters.config import policy_digest, restored
from filters.errors import LabelError, PolicyError, SealError, ShardError
from filters.policy import UNEXAMINED, Policy, Rule
from filters.policyfile import hint
from filters.rulecheck import MODELS, bounded
from manifests import scores
from manifests.curves import histogram
from manifests.evaluation import Asked, Evaluation, Origin, Row, Tally, calibration, plain
from manifests.evaluation import evaluate as measured
from manifests.scores import Scores, read_scores
from pipelines import VERSION
from pipelines.commit import whole, write_json
from pipelines.labels import LANGUAGE, Labels, read_labels
from pipelines.layout import Layout, read_run

FIGURES = ".evaluation.json"  # instead of the suffix of the calibration file


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the labels: which rule, by which columns, and a recall to choose a threshold for."""

    rule: str = ""
    by: tuple[str, ...] = ()
    recall: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An evaluation, and all that the calibration file needs besides."""

    evaluation: Evaluation
    origin: Origin
    histograms: tuple[Histogram, Histogram]


def evaluate(output: Path, labels: Path, question: Question) -> Answer:
    """Return what labels say of a threshold of the run in `output`, or raise ShardwallError."""
    layout = Layout(output)
    record = read_run(layout)
    asked = _asked(_policy(layout, record), question)
    materials = _materials(layout, record, asked)
    given = read_labels(labels, question.by)
    rows: list[Row] = []
    lost: Counter[str] = Counter(
        unknown=sum(len(given.truth[shard]) for shard in given.truth.keys() - record["shards"].keys())
    )
    counts = np.zeros(len(histogram(asked.filter, np.empty(0)).counts), int)
    for shard in sorted(record["shards"]):
        found = _scores(layout, shard, asked)
        counts += np.array(histogram(asked.filter, found.values[~found.unexamined]).counts)
        rows += _rows(shard, found, given, lost)
    labelled = sum(map(len, given.truth.values())) + given.contradicted
    before = Tally(labelled, given.repeated, given.contradicted, lost["unknown"], lost["ambiguous"])
    found_out = measured(asked, rows, before, question.recall)
    own = histogram(asked.filter, np.array([row.value for row in rows if not row.unexamined]))
    origin = Origin(materials, given.sha256, datetime.now(UTC).date().isoformat(), VERSION)
    return Answer(found_out, origin, (own, replace(own, counts=tuple(counts.tolist()))))


def write(path: Path, answer: Answer, output: Path) -> str:
    """Write the calibration file, and all figures beside it as NAME.evaluation.json; return the SHA-256 of the first.

    Raises LabelError where that would replace something else.
    """
    if path.resolve().is_relative_to(output.resolve()):
        raise LabelError(f"{path} cannot be written: it lies in the output of a run. Choose a place beside it.")
    if path.exists():
        try:
            read_calibration(path)
        except PolicyError:
            raise LabelError(f"{path} cannot be written: something else is there. Choose another name.") from None
    try:
        with whole(path) as temporary:
            digest = write_calibration(temporary, calibration(answer.evaluation, answer.origin, answer.histograms))
        write_json(path.with_suffix(FIGURES), {"calibration_sha256": digest, **plain(answer.evaluation)}, mode=0o644)
    except OSError as error:
        told = error.strerror or type(error).__name__
        raise LabelError(f"{path} cannot be written: {told}. Choose another place.") from None
    return digest


def _policy(layout: Layout, record: Mapping[str, Any]) -> Policy:
    try:
        policy = restored(json.loads((layout.audit / "policy.json").read_text(encoding="utf-8")))
    except Exception:  # noqa: BLE001 - whatever was made of it, it is no policy
        raise SealError(
            f"{layout.root} cannot be evaluated: audit/policy.json is missing or damaged. Finish the run."
        ) from None
    if policy_digest(policy) != record["policy_sha256"]:
        raise SealError(f"{layout.root} cannot be evaluated: audit/policy.json is not the policy of the run.")
    return policy


def _asked(policy: Policy, question: Question) -> Asked:
    rules = {rule.name: rule for rule in policy.rules if rule.filter in MODELS and bounded(rule)}
    alone = [rule for rule in rules.values() if not rule.beside]
    if not rules:
        raise PolicyError("No rule of this run has a threshold on a model, so there is nothing to measure.")
    if not question.rule and len(alone) != 1:
        raise PolicyError(
            f"Several rules of this run have a threshold on a model. Name one with --rule{hint('', rules)}"
        )
    name = question.rule or alone[0].name
    if name not in rules:
        raise PolicyError(f"No rule {name!r} of this run has a threshold on a model{hint(name, rules)}")
    rule = rules[name]
    if rule.at_least is not None and rule.at_most is not None:
        raise PolicyError(f"The rule {name!r} has two bounds, and recall is measured of one. Evaluate a rule with one.")
    direction, threshold = (AT_MOST, rule.at_most) if rule.at_least is None else (AT_LEAST, rule.at_least)
    return Asked(rule.filter, _label(policy, rule), rule.mark, direction, float(threshold or 0.0))


def _label(policy: Policy, rule: Rule) -> str:
    given = [label for each in policy.filters if each.name == rule.filter for label in each.labels]
    label, *more = rule.labels or tuple(label for label in given if label != UNEXAMINED)
    if more:
        raise PolicyError(
            f"The rule {rule.name!r} asks for several labels, and each has values of its own. Give each a rule."
        )
    return label


def _materials(layout: Layout, record: Mapping[str, Any], asked: Asked) -> tuple[RestsOn, ...]:
    try:
        noted = {(name, label): found for name, label, found in record["rests_on"]}
        return tuple(RestsOn(**each) for each in noted[asked.filter, asked.label])
    except (KeyError, TypeError, ValueError):
        raise ShardError(
            f"{layout.root} cannot be evaluated: it does not say which weights its scores come from. Clean again with "
            "this version."
        ) from None


def _scores(layout: Layout, shard: str, asked: Asked) -> Scores:
    path = layout.evidence(shard)
    if not path.is_file():
        raise ShardError(f"{layout.root} cannot be evaluated: {shard} has no evidence yet. Finish the run.")
    return read_scores(path, scores.Asked(asked.filter, asked.label, asked.direction))


def _rows(shard: str, found: Scores, given: Labels, lost: Counter[str]) -> list[Row]:
    """Return the labelled samples of a shard; count in `lost` those that it does not have, or has twice."""
    wanted = given.truth.get(shard, {})
    times = Counter(key for key in found.keys if key in wanted)
    lost["ambiguous"] += sum(count > 1 for count in times.values())
    lost["unknown"] += len(wanted.keys() - times.keys())
    rows = []
    for place, key in enumerate(found.keys):
        if times.get(key) == 1:
            groups = {column: values[shard, key] for column, values in given.groups.items()}
            groups[LANGUAGE] = groups[LANGUAGE] or found.languages[place]
            rows.append(Row(wanted[key], float(found.values[place]), bool(found.unexamined[place]), groups))
    return rows
