"""What the examining process answers, taken strictly: it may be in the hands of the bytes that it looked at."""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from filters.finding import Finding
from filters.fingerprints import BYTES, Fingerprint
from manifests.evidence import Evidence
from pipelines.shards import Row

ANSWERED = frozenset({"findings", "fingerprints", "examined", "groups"})
_GROUP = re.compile("[0-9a-f]{32}")


NO_OTHERS: Mapping[str, int] = MappingProxyType({})


def answered(shard: str, row: Row, told: Mapping[str, Any], plugged: Mapping[str, int] = NO_OTHERS) -> Evidence:
    """Return the evidence that an answer holds; `plugged` are the bytes of each hash that is plugged in, by its name.

    Raises KeyError, TypeError, ValueError or OverflowError for one that no honest process gives: what does not fit the
    evidence store would otherwise stop the run, and again each time it is started.
    """
    findings, examined = stated(told)
    return Evidence(
        shard=shard,
        index=row.index,
        key=row.key,
        offset=row.start,
        length=row.end - row.start,
        groups=tuple(_group(each) for each in told["groups"]),
        fingerprints=tuple(_fingerprint({**BYTES, **plugged}, *each) for each in told["fingerprints"]),
        findings=findings,
        examined=examined,
    )


def stated(told: Mapping[str, Any]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Return the findings of an answer and the filters that were shown the sample, as strictly as `answered`.

    What does not apply to a corpus is no part of an answer: it is the reader who knows, in the parent.
    """
    if told.keys() - ANSWERED:
        raise ValueError
    return tuple(_finding(*each) for each in told["findings"]), tuple(_text(each) for each in told["examined"])


def unanswered(shard: str, row: Row, why: Finding) -> Evidence:
    """Return the evidence of a sample about which there is no answer."""
    return Evidence(shard, row.index, row.key, row.start, row.end - row.start, findings=(why,))


def _finding(name: Any, label: Any, value: Any, *texts: Any) -> Finding:
    if value is not None and not math.isfinite(value):
        raise ValueError
    return Finding(_text(name), _text(label), value, *map(_text, texts))


def _fingerprint(lengths: Mapping[str, int], kind: Any, form: Any, value: Any, quality: Any) -> Fingerprint:
    data = bytes.fromhex(value)
    if len(data) != lengths[kind] or quality not in (None, *range(101)):
        raise ValueError
    return Fingerprint(kind, _text(form), data, quality)


def _group(value: Any) -> str:
    if not _GROUP.fullmatch(value):
        raise ValueError
    return _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
