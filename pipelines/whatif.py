"""Decide a corpus again under another policy from its evidence alone: no image is read, and nothing is written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filters.config import policy_digest, resolved, restored
from filters.errors import PolicyError, SealError
from filters.finding import Filter
from filters.policy import WITHHELD, Policy, Rule
from filters.policyfile import hint, refusal
from filters.rulecheck import lists_of, rule_problems
from manifests.evidence import Evidence, EvidenceWriter, read_evidence
from manifests.manifest import Decision, decide, read_manifest
from manifests.whatif import Pair, Point, asked_by, read_again, shown
from pipelines.join import Edges, join_corpus, read_inherited, tied_corpus
from pipelines.layout import Layout, read_run

BOUNDS = ("at_least", "at_most")
STEPS = 10  # of a curve: the deciles of the values that were found


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A policy to be answered for from the evidence of a run.

    `shared` names its filters whose findings the run has; `unseen` those that it has not, so that under this policy
    every sample is unexamined; `dropped` the filters of the run that the policy does not have as they were.
    """

    output: Path
    policy: Policy
    shared: tuple[str, ...]
    unseen: tuple[str, ...]
    dropped: tuple[str, ...]


def what_if(output: Path, policy: Policy | None, changes: Sequence[str] = ()) -> WhatIf:
    """Return the question what `policy` (none is the run's own) with these changed thresholds would decide.

    Raises PolicyError where evidence cannot answer it: what was decoded depends on the limits, and what ties samples to
    a page on its fields.
    """
    record = read_run(Layout(output))
    own = run_policy(output)
    asked = own if policy is None else policy
    if asked.limits != own.limits or asked.ties.page_fields != own.ties.page_fields:
        raise PolicyError(
            f"evidence cannot tell what policy {asked.name!r} would decide: its [limits], or its page_fields under "
            "[ties], are not those of the run, and other samples would be unexamined or tied. Give it those of the run."
        )
    recorded = None if policy is None else {_material(each) for each in record.get("materials", ())}
    shared = tuple(each.name for each in asked.filters if _same(each, asked, own, recorded))
    unseen = tuple(each.name for each in asked.filters if each.name not in shared)
    dropped = tuple(each.name for each in own.filters if each.name not in shared)
    return WhatIf(output, changed(asked, changes), shared, unseen, dropped)


def run_policy(output: Path) -> Policy:
    """Return the policy that a run recorded, or raise SealError."""
    layout = Layout(output)
    try:
        policy = restored(json.loads((layout.audit / "policy.json").read_text(encoding="utf-8")))
    except Exception:  # noqa: BLE001 - whatever was made of it, it is no policy
        raise SealError(f"{output} does not hold the policy of its run. Finish the run, or restore it.") from None
    if policy_digest(policy) != read_run(layout)["policy_sha256"]:
        raise SealError(f"{output} holds another policy than that of its run. Restore audit/policy.json.")
    return policy


def changed(policy: Policy, changes: Sequence[str]) -> Policy:
    """Return the policy with thresholds changed by words such as "adult score at_least=0.3", or raise PolicyError."""
    for words in changes:
        name, _, setting = words.strip().rpartition(" ")
        key, _, number = setting.partition("=")
        rule = find_rule(policy, name.strip())
        if key not in BOUNDS or not _is_number(number):
            raise PolicyError(
                f"{rule.name!r} cannot be changed so: a change is a rule and a threshold, such as "
                f'"{rule.name} at_least=0.3".'
            )
        policy = moved(policy, rule, key, float(number))
    if changes and (found := list(rule_problems(policy))):
        raise refusal(f"{policy.name!r}, changed,", found)
    return policy


def find_rule(policy: Policy, name: str) -> Rule:
    """Return the rule of this name, or raise PolicyError with the nearest."""
    rules = {rule.name: rule for rule in policy.rules}
    if name not in rules:
        raise PolicyError(f"policy {policy.name!r} has no rule {name!r}{hint(name, rules)}")
    return rules[name]


def moved(policy: Policy, rule: Rule, bound: str, threshold: float) -> Policy:
    """Return the policy with another threshold for a rule; what is under trial is not calibrated."""
    other = replace(rule, at_least=threshold) if bound == "at_least" else replace(rule, at_most=threshold)
    rules = tuple(other if each.name == rule.name else each for each in policy.rules)
    return replace(policy, rules=rules, uncalibrated=True, calibration_files=(), calibrations=())


def pairs(asked: WhatIf) -> Iterator[Pair]:
    """Yield every sample of the run, as it was decided and as the policy decides it."""
    layout = Layout(asked.output)
    with _evidence(asked) as files:
        decided = (row for name in files for row in read_manifest(layout.manifest(name)))
        for before, (evidence, after) in zip(decided, _decided(asked.policy, files), strict=True):
            yield Pair(before, after, bool(asked.dropped) and _again(asked, evidence))


def curve(asked: WhatIf, name: str) -> Iterator[Point]:
    """Yield where the samples go as the threshold of a rule moves over the deciles of what it is compared with."""
    rule = find_rule(asked.policy, name)
    given = [key for key in BOUNDS if getattr(rule, key) is not None]
    if len(given) != 1 or rule.filter not in asked.shared:
        raise PolicyError(f"there is no curve for rule {name!r}: it needs one threshold, on a filter that the run had.")
    with _evidence(asked) as files:
        tied_by = tied_corpus(asked.policy, list(files.values()))
        for threshold in _deciles(files, rule, getattr(rule, given[0])):
            tried = moved(asked.policy, rule, given[0], threshold)
            places = dict.fromkeys([*(each.name for each in tried.partitions), WITHHELD], 0)
            for _, after in _decided(tried, files, tied_by):
                places[after.partition] += 1
            yield Point(threshold, places)


def _decided(
    policy: Policy, files: Mapping[str, Path], tied_by: tuple[Edges, Edges] | None = None
) -> Iterator[tuple[Evidence, Decision]]:
    """Yield every sample and where the policy puts it, shard by shard."""
    with TemporaryDirectory() as folder:
        inherited = {name: Path(folder) / f"{name}.parquet" for name in files}
        join_corpus(policy, [(files[name], inherited[name]) for name in files], tied_by)
        for name, file in files.items():
            marks = read_inherited(inherited[name])
            for evidence in read_evidence(file):
                yield evidence, decide(evidence, marks.get(evidence.index, ()), policy)


def _deciles(files: Mapping[str, Path], rule: Rule, current: float) -> list[float]:
    import numpy as np

    found = (
        value for file in files.values() for each in read_evidence(file) for value in asked_by(rule, each.findings)
    )
    values = np.fromiter(found, float)
    steps = np.linspace(0, 1, STEPS + 1)
    deciles = np.quantile(values, steps, method="inverted_cdf").tolist() if len(values) else []
    return sorted({*deciles, current})


@contextmanager
def _evidence(asked: WhatIf) -> Iterator[dict[str, Path]]:
    """Give the evidence of each shard as the filters that are shared left it, in the restricted store."""
    layout = Layout(asked.output)
    files = {name: layout.evidence(name) for name in sorted(read_run(layout)["shards"])}
    if not asked.dropped:
        yield files
        return
    with TemporaryDirectory(dir=layout.restricted, prefix="what-if-") as folder:
        for name, file in files.items():
            with EvidenceWriter(Path(folder) / f"{name}.parquet", {}) as writer:
                for evidence in read_evidence(file):
                    writer.write(shown(evidence, frozenset(asked.shared)))
        yield {name: Path(folder) / f"{name}.parquet" for name in files}


def _again(asked: WhatIf, evidence: Evidence) -> bool:
    return read_again(evidence, [each for each in asked.policy.filters if each.name in asked.shared])


def _same(each: Filter, asked: Policy, own: Policy, recorded: set[tuple[str, str, str]] | None) -> bool:
    """Tell whether the run had this filter with these parameters, lists and weights."""
    if _told(each.name, asked) != _told(each.name, own):
        return False
    return recorded is None or all((m.kind, m.name, m.sha256) in recorded for m in each.materials())


def _told(name: str, policy: Policy) -> Any:
    plain = resolved(policy)
    lists = {source.name for each in policy.filters if each.name == name for source in lists_of(each)}
    own = [each for each in plain["filters"] if each["name"] == name]
    return own, [each for each in plain["lists"] if each["name"] in lists]


def _material(recorded: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(recorded["kind"]), str(recorded["name"]), str(recorded["sha256"])


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False
