"""The examining process: the only place where bytes of a sample are parsed or decoded.

It may crash, hang or run out of memory without taking the run along. It is told by file offsets what to look at,
answers in JSON, can write no file, leaves no core dump and inherits no credentials.
"""

import base64
import ctypes
import gc
import json
import os
import pickle
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from filters.addresses import AddressError, canonical
from filters.encoder import Encoded
from filters.errors import ShardwallError
from filters.finding import Examination, Examine, Filter, examine, keyed
from filters.members import parse
from filters.plugged import plugged_lengths
from filters.policy import Policy
from filters.sample import Batch, Sample
from pipelines.confine import confine

COLLECTED = 100_000  # objects between two looks for cycles; a few thousand rows are many objects and no cycle
SET_DUMPABLE = 4  # prctl(2), linux/prctl.h

Chain = Sequence[tuple[Filter, Examine]]


def serve() -> None:
    """Load the filters, then answer one line per request until the parent goes away."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints must not reach the protocol
    hello = json.loads(sys.stdin.readline())
    policy: Policy = pickle.loads(base64.b64decode(hello["policy"]))  # noqa: S301 - from our own parent, over a pipe
    key = bytes.fromhex(hello["key"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)  # no core either where a program receives it: core(5)
    try:
        chain = [(each, each.load()) for each in policy.filters]
        plugged = plugged_lengths(policy.filters)
    except ShardwallError as error:
        _answer(answers, {"error": str(error), "kind": type(error).__name__})
        return
    tables = _tables(policy, chain, key) if hello["tables"] else None
    confine(policy.limits.memory_bytes)
    embedding = next((loaded.embedding for _, loaded in chain if isinstance(loaded, Encoded)), "")
    _answer(answers, {"ready": True, "plugged": plugged, "embedding": embedding})
    for line in sys.stdin:
        request = json.loads(line)
        signal.alarm(request["seconds"])  # kills the process even where a decoder holds the interpreter
        if tables is not None:
            _answer(answers, tables.answer(request))
        else:
            look = _embedded if request["embed"] else _examined
            _answer(answers, {"rows": look(request, policy, chain, key)})
        signal.alarm(0)


def _tables(policy: Policy, chain: Chain, key: bytes) -> Any:
    from pipelines.parquet.answer import Tables  # here, for Arrow is needed by no tar

    gc.freeze()  # lists and models live as long as the process: no reason to look at them for every few hundred rows
    gc.set_threshold(COLLECTED)
    return Tables(policy, chain, key, _groups)


def _samples(request: dict[str, Any], policy: Policy) -> list[Sample]:
    with Path(request["path"]).open("rb") as shard:
        return [_sample(shard, request["shard"], row, policy.limits.max_member_bytes) for row in request["rows"]]


def _examined(request: dict[str, Any], policy: Policy, chain: Chain, key: bytes) -> list[dict[str, Any]]:
    samples = _samples(request, policy)
    results = examine(Batch(samples, policy.limits), chain, key)
    return [_plain(result, sample, policy, key) for result, sample in zip(results, samples, strict=True)]


def _embedded(request: dict[str, Any], policy: Policy, chain: Chain, key: bytes) -> list[list[float]]:
    """Return the embedding of the first picture of each sample; none of what the encoder would not be shown whole."""
    batch = Batch(_samples(request, policy), policy.limits)
    [(place, encoded)] = [(at, run) for at, (_, run) in enumerate(chain) if isinstance(run, Encoded)]
    shown = [*chain[:place], (chain[place][0], lambda open_rows: [()] * len(open_rows))]
    seen = examine(batch, shown, key)
    vectors: list[list[float]] = [[] for _ in seen]
    for row, result in enumerate(seen):
        if chain[place][0].name in result.examined and not batch.rasters(row).unexamined and batch.rasters(row).rasters:
            vector = encoded.embed([batch.rasters(row).rasters[0].pixels])[0]
            vectors[row] = vector.tolist() if np.isfinite(vector).all() else []
    return vectors


def _sample(shard: BinaryIO, name: str, row: dict[str, Any], most: int) -> Sample:
    members = []
    for suffix, offset, size in row["members"]:
        if size <= most:
            shard.seek(offset)
            members.append((suffix, shard.read(size)))
    return parse(name, row["key"], members, tuple(row["problems"]))


def _plain(result: Examination, sample: Sample, policy: Policy, key: bytes) -> dict[str, Any]:
    return {
        "findings": [astuple(finding) for finding in result.findings],
        "fingerprints": [(f.kind, f.form, f.value.hex(), f.quality) for f in result.fingerprints],
        "examined": result.examined,
        "groups": _groups(sample, policy, key),
    }


def _groups(sample: Sample, policy: Policy, key: bytes) -> list[str]:
    """Return keyed ids of the pages a sample was found on; an address that cannot be parsed stands for itself."""
    pages = {page for name in policy.ties.page_fields if isinstance(page := sample.meta.get(name), str) and page}
    return sorted({keyed(key, "page", _page(page)) for page in pages})


def _page(text: str) -> str:
    try:
        return str(canonical(text))
    except AddressError:
        return text


def _answer(stream: Any, value: dict[str, Any]) -> None:
    stream.write(json.dumps(value) + "\n")
    stream.flush()
