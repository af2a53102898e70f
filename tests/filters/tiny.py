"""A CLIP model of a few thousand random weights, fixed by a seed, and heads over it: enough to run, knows nothing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from filters.encoder import ClipEncoder
from filters.heads import HeadSource
from filters.towers import import_open_clip

DIMENSION = 64
MODEL = {
    "embed_dim": DIMENSION,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 32},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1},
}


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def whole_model(folder: Path) -> Any:
    """The model as open_clip itself builds it, its checkpoint and configuration written to `folder`."""
    open_clip = import_open_clip()
    torch.manual_seed(20261121)
    model = open_clip.CLIP(**MODEL).eval()
    for parameter in model.visual.parameters():  # larger than at the start of training, so that pictures differ
        torch.nn.init.normal_(parameter, std=0.2)
    save_torch({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "tiny.safetensors")
    (folder / "tiny.json").write_text(json.dumps(MODEL))
    return model


def head(folder: Path, label: str, seed: int, embedding: str = "", dimension: int = DIMENSION) -> HeadSource:
    """A head of random weights, fitted, it says, on the checkpoint in `folder`."""
    random = np.random.default_rng(seed)
    on = embedding or f"tiny/{DIMENSION}@{digest(folder / 'tiny.safetensors')[:12]}"
    file = folder / f"{label}.safetensors"
    weight, bias = random.normal(size=dimension).astype(np.float32), random.normal(size=1).astype(np.float32)
    save_file({"weight": weight, "bias": bias}, file, {"embedding": on})
    return HeadSource(label, str(file), digest(file))


def encoder(folder: Path, *heads: HeadSource) -> ClipEncoder:
    """The filter over what lies in `folder`."""
    checkpoint = folder / "tiny.safetensors"
    return ClipEncoder(
        model=str(folder / "tiny.json"),
        checkpoint=str(checkpoint),
        sha256=digest(checkpoint),
        heads=heads,
        precision="fp32",  # so that what is tested does not depend on the machine
    )
