from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

import filters.engines
from filters.engines import AT_ONCE, network
from filters.errors import ModelError
from filters.precision import Precision
from filters.preprocess import preprocess
from filters.towers import configured, described, import_open_clip
from tests.filters.photos import EVERY, pixels

LEAST = 0.995  # cosine to fp32 once what all pictures share is taken off: the hard measure
VISION = {"image_size": 64, "layers": 4, "width": 128, "head_width": 32, "patch_size": 16}


def visual(**changed: Any) -> Any:
    torch.manual_seed(5)
    made = import_open_clip().CLIP(64, {**VISION, **changed}, {"context_length": 1, "vocab_size": 1, "width": 8,
                                                              "heads": 1, "layers": 1}).visual.eval()  # fmt: skip
    for parameter in made.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.08)
    return made


@pytest.fixture(scope="module")
def shown() -> Any:
    return preprocess(64, {}, import_open_clip())([pixels(photo) for photo in EVERY])


def cosine(ours: Any, theirs: Any) -> float:
    """The least cosine, once the mean over the pictures is taken off."""
    ours, theirs = (normalize(torch.as_tensor(each).double(), dim=1) for each in (ours, theirs))
    middle = theirs.mean(dim=0)
    return float((normalize(ours - middle, dim=1) * normalize(theirs - middle, dim=1)).sum(1).min())


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_a_fast_precision_is_faithful_to_fp32(precision: Precision, shown: Any) -> None:
    exact = network(visual(), "fp32", (64, 64))(shown)
    fast = network(visual(), precision, (64, 64))(shown)
    assert fast.dtype == np.float32
    assert not np.array_equal(fast, exact)
    assert cosine(fast, exact) > LEAST
    # What a head makes of it: the score of a probe with logits in -8..8 moves by less than a twentieth.
    units = [normalize(torch.from_numpy(each), dim=1).double() for each in (exact, fast)]
    weight = torch.randn(64, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    before, after = (torch.sigmoid(4 * each @ weight) for each in units)
    assert float((before - after).abs().max()) < 0.05


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_neighbours_and_places_in_a_call_do_not_matter(precision: Precision, shown: Any) -> None:
    run = network(visual(), precision, (64, 64))
    whole = run(shown)
    order = torch.randperm(len(shown), generator=torch.Generator().manual_seed(2))
    assert np.array_equal(run(shown[order]), whole[order.numpy()])
    others = shown.flip(0).clone()
    others[3] = shown[1]
    assert np.array_equal(run(others)[3], whole[1])


def test_a_real_size_model_is_faithful_as_well() -> None:
    told = described(configured("ViT-B-32"))
    torch.manual_seed(6)
    made = import_open_clip().CLIP(512, {**told.vision, "layers": 3}, {"context_length": 1, "vocab_size": 1, "width": 8,
                                                                      "heads": 1, "layers": 1}).visual  # fmt: skip
    photos = preprocess(224, {}, import_open_clip())([pixels(photo) for photo in EVERY])
    exact = network(made, "fp32", (224, 224))(photos)
    assert cosine(network(made, "int8", (224, 224))(photos), exact) > LEAST
    assert cosine(network(made, "bf16", (224, 224))(photos), exact) > LEAST


@pytest.mark.parametrize("attentional", [{"attentional_pool": True, "attn_pooler_queries": 4, "attn_pooler_heads": 2},
                                         {"layers": [1, 1, 1, 1], "width": 32}], ids=["coca", "resnet"])  # fmt: skip
def test_what_int8_does_not_know_is_left_as_it_is(attentional: dict[str, Any], shown: Any) -> None:
    exact = network(visual(**attentional), "fp32", (64, 64))(shown)
    assert cosine(network(visual(**attentional), "int8", (64, 64))(shown), exact) > 0.98


def test_a_network_whose_weights_do_not_bear_a_precision_is_refused() -> None:
    made = visual()
    with torch.no_grad():  # one feature, which nothing uses, is so large that rounding loses all others
        for block in made.transformer.resblocks:
            block.ln_2.weight[0], block.mlp.c_fc.weight[:, 0] = 1e5, 0
    with pytest.raises(ModelError, match=r"cannot compute at int8.*cosine"):
        network(made, "int8", (64, 64))


def test_layers_that_do_not_allow_it_are_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> Any:
        raise RuntimeError("expected scalar type")

    monkeypatch.setattr(filters.engines, "_in_whole_numbers", fail)
    with pytest.raises(ModelError, match="layers do not allow it"):
        network(visual(), "int8", (64, 64))


def test_every_precision_has_a_number_of_pictures_for_one_call() -> None:
    assert set(AT_ONCE) == {"fp32", "bf16", "int8", "bf16-cuda"}


def test_on_a_device_pictures_are_pinned_sent_without_waiting_and_computed_in_bf16(
    monkeypatch: pytest.MonkeyPatch, shown: Any
) -> None:
    """A stand-in for the device: the calls are recorded, the arithmetic is the processor's."""
    calls: list[Any] = []
    real = torch.Tensor.to

    def to(self: Any, *given: Any, **named: Any) -> Any:
        if given[:1] == ("cuda",):
            calls.append(named)
            return self
        return real(self, *given, **named)

    def pin(self: Any) -> Any:
        calls.append("pinned")
        return self

    monkeypatch.setattr(torch.Tensor, "to", to)
    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.nn.Module, "to", _module_to(torch.nn.Module.to))
    found = network(visual(), "bf16-cuda", (64, 64))(shown)
    assert calls[-2:] == ["pinned", {"non_blocking": True}]
    assert np.array_equal(found, network(visual(), "bf16", (64, 64))(shown))


def _module_to(real: Any) -> Any:
    def to(self: Any, *given: Any, **named: Any) -> Any:
        return self if given[:1] == ("cuda",) else real(self, *given, **named)

    return to
