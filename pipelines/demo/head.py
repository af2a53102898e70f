"""A test encoder with random weights, and two linear heads over it that recognise drawn stand-ins.

It takes the place of a model that judges pictures, so that the way from a score to a partition can be shown without a
picture of either kind. Its scores say nothing about any photograph.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from filters.encoder import Encoded
from filters.policy import ADULT, MINOR
from filters.towers import configured, import_open_clip, tower
from pipelines.demo.encode import bordered
from pipelines.demo.photos import Views
from pipelines.demo.standins import ADULT_STAND_IN, MINOR_STAND_IN, adult_stand_in, minor_stand_in

SEED = 97  # of weights, drawings and views that the heads are fitted on; not those of the corpus
DIMENSION = 128
DRAWINGS = 200  # of each stand-in
PHOTOGRAPHS = 300
RIDGE = 1e-4  # added to the diagonal, with embeddings of length 1
LOGIT = 8.0  # fitted target of a stand-in; everything else gets -LOGIT
MODEL: dict[str, Any] = {
    "embed_dim": DIMENSION,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 1, "vocab_size": 1, "width": 8, "heads": 1, "layers": 1},
}
STAND_INS: tuple[tuple[str, str, Callable[[Generator], Image.Image]], ...] = (
    (ADULT_STAND_IN, ADULT, adult_stand_in),
    (MINOR_STAND_IN, MINOR, minor_stand_in),
)


@dataclass(frozen=True, slots=True)
class TestHeads:
    """Hex digests of what was written: `encoder` of the checkpoint, `heads` as (label, mark, digest)."""

    __test__ = False  # its name is no order to pytest

    encoder: str
    heads: tuple[tuple[str, str, str], ...]


def write_heads(folder: Path) -> TestHeads:
    """Write model.json, encoder.safetensors and a head per stand-in, and return their digests."""
    from safetensors.numpy import save_file

    (folder / "model.json").write_text(json.dumps(MODEL, indent=2))
    encoder = _write_encoder(folder)
    loaded = _embedder(folder, encoder)
    random = np.random.default_rng(SEED)
    drawn = {label: loaded.embed([np.asarray(draw(random)) for _ in range(DRAWINGS)]) for label, _, draw in STAND_INS}
    photographs = loaded.embed(_photographs())
    heads = []
    for label, mark, _ in STAND_INS:
        others = [vectors for other, vectors in drawn.items() if other != label]
        weight, bias = fit(drawn[label], np.concatenate([photographs, *others]))
        path = folder / f"{label}.safetensors"
        save_file({"weight": weight, "bias": bias}, path, {"embedding": loaded.embedding})
        heads.append((label, mark, _digest(path)))
    return TestHeads(encoder, tuple(heads))


def fit(
    positive: NDArray[np.float32], negative: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weight (d,) and bias (1,) of the ridge regression to +LOGIT and -LOGIT, both classes counting alike."""
    vectors = np.concatenate([positive, negative]).astype(np.float64)
    share = np.repeat([0.5 / len(positive), 0.5 / len(negative)], [len(positive), len(negative)])
    target = np.repeat([LOGIT, -LOGIT], [len(positive), len(negative)])
    centre, middle = share @ vectors, float(share @ target)
    shifted = vectors - centre
    spread = (shifted * share[:, None]).T @ shifted
    ridge = RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
    weight = np.linalg.solve(spread + ridge, (shifted * share[:, None]).T @ (target - middle))
    return weight.astype(np.float32), np.array([middle - weight @ centre], dtype=np.float32)


def _write_encoder(folder: Path) -> str:
    """Write the visual half of a model with seeded random weights, in open_clip's naming."""
    import torch
    from safetensors.torch import save_file

    open_clip = import_open_clip()
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model = open_clip.CLIP(MODEL["embed_dim"], MODEL["vision_cfg"], MODEL["text_cfg"])
    state = {name: value.contiguous() for name, value in model.state_dict().items() if name.startswith("visual.")}
    save_file(state, folder / "encoder.safetensors")
    return _digest(folder / "encoder.safetensors")


def _embedder(folder: Path, encoder: str) -> Encoded:
    """Return the encoder filter as it is loaded on a worker, but without heads."""
    built = tower(configured(str(folder / "model.json")), folder / "encoder.safetensors")
    return Encoded("encoder", f"{built.name}/{built.dimension}@{encoder[:12]}", built, ())


def _photographs() -> list[NDArray[np.uint8]]:
    """Return ordinary views as they are and in border mode, for the heads to tell apart from what was drawn."""
    views = Views(SEED).every()
    images = [next(views).image for _ in range(PHOTOGRAPHS // 2)]
    return [np.asarray(each) for image in images for each in (image, bordered(image))]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
