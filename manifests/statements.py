"""What a run says of itself besides its counts: what may be left, and whether its calibrations still hold."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from filters.policy import Policy
from manifests.drift import Drift, drifts, warnings
from manifests.measures import Measures, total_measures
from manifests.residual import residual

Statements = dict[str, Any]


def statements(policy: Policy, shards: Mapping[str, Measures]) -> Statements:
    """Return the exact statements, for the restricted store."""
    found = drifts(policy, shards)
    return {
        "residual": asdict(residual(policy, total_measures(list(shards.values())))),
        "drift": [asdict(each) for each in found],
        "warnings": list(warnings(found)),
    }


def published_statements(policy: Policy, shards: Mapping[str, Measures]) -> Statements:
    """Return what may be published: no bound gives a small count away, and no shard is named."""
    return {
        "residual": asdict(residual(policy, total_measures(list(shards.values())), published=True)),
        "drift": [_published(each) for each in drifts(policy, shards)],
    }


def _published(drift: Drift) -> dict[str, Any]:
    told = {name: getattr(drift, name) for name in ("filter", "label", "mark", "compared", "max_distance")}
    return {**told, "shifted": len(drift.shifted)}
