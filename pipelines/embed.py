"""Embeddings of the samples of a corpus, to fit a head on: made in the examining process, stored for their owner alone.

An embedding here is of the whole picture, at the precision that the encoder computes in. What a filter of the policy
knows already, or could not examine, is not embedded. No face is cut out; nothing here tells one person from another.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.encoder import ClipEncoder
from filters.errors import ModelError, PolicyError, ShardError
from filters.policy import Policy
from pipelines.commit import whole
from pipelines.examine import Examiner, batches
from pipelines.inputs import find_shards
from pipelines.shards import rows, survey


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Normalised embeddings (n, d) of samples by shard and key; `name` and `precision` say of which encoder."""

    name: str
    precision: str
    shards: tuple[str, ...]
    keys: tuple[str, ...] = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)


def embed(policy: Policy, source: str, output: Path) -> tuple[int, int]:
    """Write the embeddings of a corpus to `output` (.npz, mode 0600); return how many have one and have none."""
    settled = _settled(policy)
    examiner = Examiner(settled, bytes(32))
    try:
        name = examiner.embedding()
        every = list(_answers(settled, source, examiner))
    finally:
        examiner.close()
    found = [each for each in every if each[2]]
    if not found:
        raise ShardError(f"no sample of {source} could be embedded. `shardwall clean` tells what is wrong with them.")
    precision = next(each.precision for each in settled.filters if isinstance(each, ClipEncoder))
    shards, keys, vectors = zip(*found, strict=True)
    write(output, Embeddings(name, precision, shards, keys, np.array(vectors, dtype=np.float32)))
    return len(found), len(every) - len(found)


def write(output: Path, embeddings: Embeddings) -> None:
    """Write embeddings to a file that its owner alone may read."""
    with whole(output, 0o600) as temporary:
        temporary.touch(mode=0o600)
        with temporary.open("wb") as file:
            np.savez(
                file,
                vectors=embeddings.vectors,
                shards=np.array(embeddings.shards),
                keys=np.array(embeddings.keys),
                encoder=np.array([embeddings.name, embeddings.precision]),
            )


def read(path: Path) -> Embeddings:
    """Return embeddings that `write` wrote, or raise ModelError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            name, precision = map(str, stored["encoder"])
            vectors = stored["vectors"].astype(np.float32)
            shards, keys = (tuple(map(str, stored[each])) for each in ("shards", "keys"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"the embeddings {path.name} cannot be read ({type(error).__name__}). Write them with `head embed`."
        ) from None
    if vectors.ndim != 2 or not len(shards) == len(keys) == len(vectors):
        raise ModelError(f"the embeddings {path.name} do not fit together. Write them anew: `shardwall head embed`.")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if not np.all(np.abs(lengths - 1) < 1e-3):  # also what is not a number
        raise ModelError(
            f"the embeddings {path.name} are not normalised: the length of one is not 1. Divide each by its length, or "
            "write them with `shardwall head embed`."
        )
    return Embeddings(name, precision, shards, keys, vectors)


def _settled(policy: Policy) -> Policy:
    if not any(isinstance(each, ClipEncoder) for each in policy.filters):
        raise PolicyError(f"the policy {policy.name} has no encoder, so it embeds nothing. Enable it.")
    chain = tuple(each.settled() if isinstance(each, ClipEncoder) else each for each in policy.filters)
    return replace(policy, filters=chain)


def _answers(policy: Policy, source: str, examiner: Examiner) -> Iterator[tuple[str, str, list[float]]]:
    for shard in find_shards(source):
        path = Path(shard.path)
        for batch in batches(rows(path, survey(path), policy.limits.max_member_bytes)):
            for row, answer in zip(batch, examiner.embed(path, shard.name, batch), strict=True):
                yield shard.name, row.key, answer
