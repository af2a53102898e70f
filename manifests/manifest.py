"""The manifest: where each sample went and why, in a restricted view with every row and a public one of kept rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from filters.finding import Finding
from filters.policy import UNEXAMINED, WITHHELD, Policy, earn, not_shown, place
from manifests.evidence import Evidence, finding_fields, pointer_fields
from manifests.reasons import reasons
from manifests.tables import column, listed, read_rows, write_rows


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the restricted manifest.

    `partition` is "withheld" where no partition takes the sample; `reasons` then says why, most severe first, and is
    empty otherwise. `marks` and `inherited` are sorted; `inherited` is the share of the marks that came along ties.
    """

    shard: str
    index: int
    key: str = field(repr=False)
    offset: int
    length: int
    partition: str
    marks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def withheld(self) -> bool:
        """Whether the sample went to no partition."""
        return self.partition == WITHHELD


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of the public manifest: a sample that a partition took, without anything of a list entry."""

    shard: str
    index: int
    key: str = field(repr=False)
    partition: str
    marks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def _outcome_fields() -> list[pa.Field]:
    return [
        column("marks", listed(pa.string()), "what is held against the sample, in alphabetical order"),
        column("rules", listed(pa.string()), "rules of the policy that gave a mark, in the order of the policy"),
        column("inherited", listed(pa.string()), "those marks that came from samples it is tied to"),
    ]


MANIFEST_SCHEMA = pa.schema(
    [
        column("shard", pa.string(), "name of the shard in the source store"),
        column("index", pa.int64(), "position of the sample in the shard, from 0"),
        column("key", pa.string(), "key of the sample: the stem that its members share"),
        *pointer_fields(),
        column("partition", pa.string(), "the partition that took the sample, or 'withheld'"),
        *_outcome_fields(),
        column("reasons", listed(pa.string()), "why the sample is withheld, most severe first; empty when it is kept"),
        column("findings", listed(pa.struct(finding_fields(entry=True))), "the evidence that the decision rests on"),
    ]
)

PUBLIC_SCHEMA = pa.schema(
    [
        column("shard", pa.string(), "name of the shard in the source store"),
        column("index", pa.int64(), "position of the sample in the shard, from 0"),
        column("key", pa.string(), "key of the sample: the stem that its members share"),
        column("partition", pa.string(), "the partition that took the sample"),
        *_outcome_fields(),
        column(
            "findings",
            listed(pa.struct(finding_fields(entry=False))),
            "the evidence that the decision rests on; where a list entry matched, without its value",
        ),
    ]
)


def decide(evidence: Evidence, inherited: tuple[str, ...], policy: Policy) -> Decision:
    """Return where a sample goes, given the marks that came along its ties; monotone in evidence and in marks.

    A filter of the policy that never saw the sample left it unexamined; and unexamined it is withheld, whatever the
    rules of the policy say.
    """
    findings = (*evidence.findings, *not_shown(policy, evidence.examined, evidence.not_applicable))
    unexamined = (UNEXAMINED,) if any(each.unexamined for each in findings) else ()
    earned = earn(policy, findings, (*inherited, *unexamined))
    return Decision(
        shard=evidence.shard,
        index=evidence.index,
        key=evidence.key,
        offset=evidence.offset,
        length=evidence.length,
        partition=place(policy, earned.marks),
        marks=tuple(sorted(earned.marks)),
        rules=earned.rules,
        inherited=tuple(sorted(set(inherited))),
        reasons=reasons(policy, findings, inherited, earned),
        findings=findings,
    )


def reason(decision: Decision) -> str:
    """Return the most severe reason why a sample is withheld; empty when it is kept."""
    return decision.reasons[0] if decision.reasons else ""


def public_rows(decisions: Iterable[Decision]) -> Iterator[Kept]:
    """Yield the kept rows, as the public may see them.

    The distance to a list entry would let a stranger feel their way towards it, so it goes the way of the entry.
    """
    for each in decisions:
        if not each.withheld:
            seen = tuple(_published(finding) for finding in each.findings)
            yield Kept(each.shard, each.index, each.key, each.partition, each.marks, each.rules, each.inherited, seen)


def _published(finding: Finding) -> Finding:
    return replace(finding, entry="", classification="", value=None if finding.entry else finding.value)


def write_manifest(path: Path, decisions: Iterable[Decision], metadata: Mapping[str, str]) -> None:
    """Write the restricted view: every row of a shard, in order."""
    write_rows(path, MANIFEST_SCHEMA, decisions, metadata)


def write_public(path: Path, decisions: Iterable[Decision], metadata: Mapping[str, str]) -> None:
    """Write the public view: the kept rows of a shard, in order, and nothing of the others."""
    write_rows(path, PUBLIC_SCHEMA, public_rows(decisions), metadata)


def read_manifest(path: Path) -> Iterator[Decision]:
    """Yield the rows of a restricted view, one row group in memory at a time, or raise SealError."""
    return map(decision_of, read_rows(path, MANIFEST_SCHEMA))


def decision_of(row: Mapping[str, Any]) -> Decision:
    """Return the decision that a row of the restricted view holds."""
    return Decision(**_values(row))


def read_public(path: Path) -> Iterator[Kept]:
    """Yield the rows of a public view, one row group in memory at a time, or raise SealError."""
    return (Kept(**_values(row)) for row in read_rows(path, PUBLIC_SCHEMA))


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "findings": tuple(Finding(**each) for each in row["findings"])}
