"""What the records of a shard rest on: policy, lists, weights, version and source, in the metadata of each file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filters.errors import SealError
from filters.finding import Material
from manifests.tables import read_metadata

VERSION = "shardwall.version"
SOURCE = "shardwall.source_sha256"
POLICY_DIGEST = "shardwall.policy_digest"
POLICY = "shardwall.policy"
MATERIALS = "shardwall.materials"
CALIBRATION = "shardwall.calibration"
UNCALIBRATED = "uncalibrated"
NOT_APPLICABLE = "shardwall.not_applicable"
NO_PICTURE = "no picture in this corpus"
METADATA = {
    VERSION: "version of Shardwall that wrote the file",
    SOURCE: "SHA-256 of the source shard, hex",
    POLICY_DIGEST: "SHA-256 of the resolved policy, hex",
    POLICY: "the resolved policy as canonical JSON",
    MATERIALS: "lists, weights, calibrations and packages as a JSON list: kind, name, version, sha256 (for the "
    "public, that of a list is keyed), entries, calibrated",
    NOT_APPLICABLE: f"why filters of pictures had nothing to look at: {NO_PICTURE!r}; else absent",
    CALIBRATION: "'uncalibrated' where the policy accepts thresholds that nobody has measured; else absent",
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """What every record of one shard rests on; `policy` is canonical JSON, digests are hex SHA-256."""

    version: str
    source_sha256: str
    policy_digest: str
    policy: str
    materials: tuple[Material, ...] = ()
    uncalibrated: bool = False
    not_applicable: str = ""

    def metadata(self) -> dict[str, str]:
        """Return the key-value metadata that a file of records carries; the order of the materials does not matter."""
        materials = sorted(self.materials, key=lambda each: (each.kind, each.name, each.version, each.sha256))
        found = {
            VERSION: self.version,
            SOURCE: self.source_sha256,
            POLICY_DIGEST: self.policy_digest,
            POLICY: self.policy,
            MATERIALS: json.dumps([asdict(each) for each in materials], sort_keys=True),
        }
        found |= {CALIBRATION: UNCALIBRATED} if self.uncalibrated else {}
        return found | ({NOT_APPLICABLE: self.not_applicable} if self.not_applicable else {})


def read_provenance(path: Path) -> Provenance:
    """Return what a file of records rests on, or raise SealError when it does not say."""
    return _provenance(read_metadata(path), path.name)


def _provenance(found: Mapping[str, str], name: str) -> Provenance:
    try:
        materials = tuple(Material(**each) for each in json.loads(found[MATERIALS]))
        fields = (found[VERSION], found[SOURCE], found[POLICY_DIGEST], found[POLICY])
    except (KeyError, TypeError, ValueError):
        raise SealError(f"{name}: does not say what it rests on; restore the file or run again") from None
    return Provenance(*fields, materials, found.get(CALIBRATION) == UNCALIBRATED, found.get(NOT_APPLICABLE, ""))
