"""What a worker is told: plain data, without a secret in it."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filters.calibrated import CALIBRATION, calibrate, named, rests_on
from filters.calibration import RestsOn
from filters.config import policy_digest, resolved
from filters.encoder import ClipEncoder
from filters.finding import PIXELS, Filter, Material, keyed, looks_at
from filters.policy import Policy
from filters.rulecheck import MODELS
from manifests.provenance import NO_PICTURE, Provenance
from pipelines import VERSION
from pipelines.layout import Layout, read_run


@dataclass(frozen=True, slots=True)
class Job:
    """One run, as it travels to the workers: the policy, its materials and where the output lies.

    The run's key is not in it: workers read that from the restricted folder of the output.
    """

    output: str
    policy: Policy
    materials: tuple[Material, ...]
    tables: bool = False  # whether the corpus is one of addresses, without a picture
    rests_on: tuple[tuple[str, str, tuple[RestsOn, ...]], ...] = ()  # filter, label, what its values come from

    @property
    def layout(self) -> Layout:
        """Where the files of the run lie."""
        return Layout(Path(self.output))

    @property
    def shown(self) -> Policy:
        """The policy with those filters alone that have something to look at in this corpus."""
        return _shown(self.policy) if self.tables else self.policy

    @property
    def examination(self) -> str:
        """Digest of all that evidence depends on; thresholds, partitions and calibrations are not in it."""
        seen = [replace(material, calibrated=None) for material in self.materials if material.kind != CALIBRATION]
        return _digest(
            {
                "version": VERSION,
                "filters": resolved(self.policy)["filters"],
                "limits": asdict(self.policy.limits),
                "page_fields": self.policy.ties.page_fields,
                "materials": [asdict(material) for material in seen],
            }
        )

    @property
    def decision(self) -> str:
        """Digest of all that a decision depends on besides the evidence."""
        return _digest({"version": VERSION, "policy": policy_digest(self.policy)})

    def provenance(self, source_sha256: str) -> Provenance:
        """Return what every record of a shard says that it rests on."""
        policy = json.dumps(resolved(self.policy), sort_keys=True, separators=(",", ":"))
        why = NO_PICTURE if self.tables else ""
        return Provenance(
            VERSION, source_sha256, policy_digest(self.policy), policy, self.materials, self.policy.uncalibrated, why
        )

    def published_provenance(self, source_sha256: str, key: bytes) -> Provenance:
        """Return the same for the public: a list's digest is keyed, as the entries of a short list could be guessed."""
        keyed_lists = tuple(
            replace(each, sha256=f"keyed:{keyed(key, 'list', each.sha256)}") if each.kind == "list" else each
            for each in self.materials
        )
        return replace(self.provenance(source_sha256), materials=keyed_lists)


def make_job(output: Path, policy: Policy, tables: bool = False) -> Job:
    """Return the job, or raise ListError or ModelError when a list or model cannot be relied on.

    Raises PolicyError where a calibration was measured with other weights or settings than these. `tables` says that
    the corpus is one of addresses: decisions on it rest on no model of pictures. Every worker gets the encoder with the
    precision settled here; a run that goes on keeps the one that it began with.
    """
    policy = policy if tables else replace(policy, filters=tuple(_settled(each, output) for each in policy.filters))
    applied = _shown(policy) if tables else policy
    materials = {each.name: each.materials() for each in applied.filters}
    models = [each for each in applied.filters if each.name in MODELS]
    sources = tuple((m.name, label, rests_on(m, materials[m.name], label)) for m in models for label in m.labels)
    return Job(str(output.absolute()), policy, calibrate(applied, materials), tables, sources)


def _shown(policy: Policy) -> Policy:
    """Return the policy without the filters that look at pictures, and without the calibrations of these."""
    filters = tuple(each for each in policy.filters if looks_at(each) != PIXELS)
    names = {each.name for each in filters}
    measured = [(file, found) for file, found in named(policy) if found.filter in names]
    files = tuple(each for each in policy.calibration_files if each.name in {name for name, _ in measured})
    return replace(policy, filters=filters, calibration_files=files, calibrations=tuple(c for _, c in measured))


def _settled(each: Filter, output: Path) -> Filter:
    if not isinstance(each, ClipEncoder):
        return each
    layout = Layout(output)
    before = read_run(layout).get("materials", []) if layout.run.exists() else []
    return each.settled(tuple(Material(**material) for material in before))


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
