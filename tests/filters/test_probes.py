import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch
from torch import nn

from filters.errors import ModelError
from filters.heads import Head, HeadSource
from filters.probes import Layer, Probe, load_probe

ON = "tiny/4@0123456789ab"
WEIGHT, BIAS = np.array([[1.0, -2.0, 0.5, 0.0]], dtype=np.float32), np.array([0.25], dtype=np.float32)
EMBEDDING = np.array([0.5, 0.5, 0.5, 0.5], dtype=np.float32)


def source(path: Path, fitted_on: str = "") -> HeadSource:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return HeadSource("codeword-alpha", str(path), digest, fitted_on)


def stored(path: Path, metadata: dict[str, str] | None, **tensors: Any) -> HeadSource:
    save_file(tensors, path, metadata)
    return source(path)


def test_a_score_is_the_logistic_function_of_the_weighted_embedding(tmp_path: Path) -> None:
    head = load_probe(stored(tmp_path / "a.safetensors", {"embedding": ON}, weight=WEIGHT, bias=BIAS), ON, 4)
    assert head.score(EMBEDDING) == pytest.approx(1 / (1 + math.exp(-(0.5 - 1 + 0.25 + 0.25))))
    assert head.label == "codeword-alpha"
    assert len(head.source) == 12


def test_a_flat_and_a_one_row_weight_are_the_same_head(tmp_path: Path) -> None:
    flat = stored(tmp_path / "flat.safetensors", {"embedding": ON}, weight=WEIGHT[0].copy(), bias=BIAS)
    row = stored(tmp_path / "row.safetensors", {"embedding": ON}, weight=WEIGHT, bias=BIAS)
    assert load_probe(flat, ON, 4).score(EMBEDDING) == load_probe(row, ON, 4).score(EMBEDDING)


@given(st.floats(-1e6, 1e6, width=32))
def test_every_logit_has_a_score_between_nought_and_one(bias: float) -> None:
    layer = Layer(np.zeros((1, 2), np.float32), np.array([bias], np.float32), bent=False)
    score = Head("codeword-alpha", "", Probe((layer,))).score(np.array([0, 1], np.float32))
    assert 0 <= score <= 1
    assert (score > 0.5) == (bias > 0) or abs(bias) < 1e-12


# The layouts of LAION's detectors, as src/models.py of https://github.com/LAION-AI/CLIP-based-NSFW-Detector states them
# (21072a2, read 2026-11-22); built here from torch's own layers, with random weights.


class Keras(nn.Module):
    """Their ViT-B-32 (widths 32, 32) and ViT-L-14 (64, 512, 256) detectors, converted from Keras."""

    def __init__(self, dimension: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.norm = nn.Module()
        self.norm.register_buffer("mean", torch.randn(dimension) * 0.1)
        self.norm.register_buffer("variance", torch.rand(dimension) + 0.01)
        sizes = [dimension, *widths, 1]
        for number in range(1, len(sizes)):
            setattr(self, f"linear_{number}", nn.Linear(sizes[number - 1], sizes[number]))
        self.count = len(sizes) - 1

    def forward(self, x: Any) -> Any:
        x = (x - self.norm.mean) / (self.norm.variance.sqrt() + 1e-10)  # type: ignore[operator]
        for number in range(1, self.count):
            x = torch.relu(getattr(self, f"linear_{number}")(x))
        return torch.sigmoid(getattr(self, f"linear_{self.count}")(x))


class Sequential(nn.Module):
    """Their ViT-H-14 detector: no ReLU between the last two layers, and the output as it is."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        sizes = [dimension, 1024, 2048, 1024, 256, 128]
        bent = [
            layer
            for number in range(1, len(sizes))
            for layer in (nn.Linear(sizes[number - 1], sizes[number]), nn.ReLU(), nn.Dropout(0.2))
        ]
        self.layers = nn.Sequential(*bent, nn.Linear(128, 16), nn.Linear(16, 1))

    def forward(self, x: Any) -> Any:
        return self.layers(x)


@pytest.mark.parametrize("kind", ["b32", "l14", "h14"])
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_detector_of_laion_scores_as_their_own_layers_do(tmp_path: Path, kind: str, ending: str) -> None:
    torch.manual_seed(3)
    dimension = {"b32": 512, "l14": 768, "h14": 1024}[kind]
    widths = {"b32": (32, 32), "l14": (64, 512, 256)}
    theirs = (Sequential(dimension) if kind == "h14" else Keras(dimension, widths[kind])).eval()
    for layer in (each for each in theirs.modules() if isinstance(each, nn.Linear)):
        nn.init.kaiming_normal_(layer.weight)  # so that scores differ, and not all lie at an end
        nn.init.zeros_(layer.bias)
    file = tmp_path / f"detector{ending}"
    if ending == ".pth":
        torch.save(theirs.state_dict(), file)
    else:
        save_torch(theirs.state_dict(), file)
    name = f"some-model/{dimension}"
    ours = load_probe(source(file, fitted_on=name), f"{name}@0123456789ab", dimension)
    shown = nn.functional.normalize(torch.randn(12, dimension), dim=1)
    with torch.inference_mode():
        wanted = theirs(shown)[:, 0].clamp(0, 1).numpy()
    found = [ours.score(each.numpy()) for each in shown]
    assert np.allclose(found, wanted, atol=2e-5)
    assert np.ptp(found) > 0.005


def test_a_detector_whose_embedding_nobody_names_is_refused(tmp_path: Path) -> None:
    torch.save(Keras(4, (3,)).state_dict(), tmp_path / "a.pth")
    for fitted_on in ("", "other/4", "tiny/5", "tiny"):
        with pytest.raises(ModelError, match=r'not on tiny/4@.*fitted_on = "tiny/4"'):
            load_probe(source(tmp_path / "a.pth", fitted_on), ON, 4)
    assert load_probe(source(tmp_path / "a.pth", "tiny/4"), ON, 4).label == "codeword-alpha"


@pytest.mark.parametrize(
    ("tensors", "metadata", "why"),
    [
        ({"weight": WEIGHT, "bias": BIAS}, {"embedding": "tiny/4@ffffffffffff"}, "fitted on tiny/4@ffffffffffff, not"),
        ({"weight": WEIGHT, "bias": BIAS}, None, "fitted on an unnamed embedding"),
        ({"weight": WEIGHT[:, :3].copy(), "bias": BIAS}, {"embedding": ON}, "has 4 numbers"),
        ({"weight": np.vstack([WEIGHT, WEIGHT]), "bias": np.zeros(2)}, {"embedding": ON}, "does not fit"),
        ({"weight": WEIGHT, "bias": np.zeros(2)}, {"embedding": ON}, "cannot be read"),
        ({"weight": WEIGHT, "bias": np.array([np.nan])}, {"embedding": ON}, "not numbers"),
        ({"weight": np.full((1, 4), np.inf), "bias": BIAS}, {"embedding": ON}, "not numbers"),
        ({"weight": WEIGHT}, {"embedding": ON}, "cannot be read"),
        ({"linear_1.weight": WEIGHT, "layers.0.bias": BIAS}, {"embedding": ON}, "cannot be read"),
        ({"linear_1.weight": WEIGHT}, {"embedding": ON}, "cannot be read"),
        ({"norm.mean": BIAS, "norm.variance": BIAS}, {"embedding": ON}, "cannot be read"),
        (
            {"linear_1.weight": WEIGHT, "linear_1.bias": BIAS, "norm.mean": BIAS, "norm.variance": BIAS},
            {"embedding": ON},
            "cannot be read",
        ),
    ],
    ids=["other-checkpoint", "unnamed", "short", "two-scores", "two-biases", "nan", "infinite", "no-bias", "mixed",
         "half-a-layer", "norm-alone", "norm-of-another-size"],
)  # fmt: skip
def test_a_probe_that_does_not_fit_is_refused(
    tmp_path: Path, tensors: dict[str, Any], metadata: dict[str, str] | None, why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        load_probe(stored(tmp_path / "bad.safetensors", metadata, **tensors), ON, 4)


def test_a_head_with_another_digest_or_a_pickle_is_refused(tmp_path: Path) -> None:
    head = stored(tmp_path / "good.safetensors", {"embedding": ON}, weight=WEIGHT, bias=BIAS)
    with pytest.raises(ModelError, match="not the pinned ones"):
        load_probe(HeadSource(head.label, head.path, "0" * 64), ON, 4)
    pickled = tmp_path / "head.pkl"
    pickled.write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelError, match="a pickle"):
        load_probe(source(pickled), ON, 4)


def test_a_pickle_that_is_called_safetensors_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "head.safetensors"
    file.write_bytes(b"\x80\x04N." * 9)
    with pytest.raises(ModelError, match="cannot be read"):
        load_probe(source(file), ON, 4)
