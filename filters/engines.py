"""An image tower made to compute at a precision: bf16 or int8 weights on a processor, bf16 on a CUDA device.

int8: every linear layer of a transformer block, and the cutting into patches. Weights are rounded once, per output;
activations per token, so that a picture is rounded alike in any batch. Products are summed as whole numbers, which is
exact on every processor.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.errors import ModelError
from filters.precision import BF16, CUDA, FP32, INT8, Precision

FAITHFUL = 0.99  # least cosine between an embedding at a precision and at fp32; below, the weights do not bear it
PROBES = 4  # pictures to measure that on
# Pictures in one call of the network, always: the last digits of an embedding depend on the size of the batch, not on
# the neighbours or the place in it. On one thread more is hardly faster and wastes more on the last few.
AT_ONCE: dict[Precision, int] = {FP32: 4, BF16: 8, INT8: 8, CUDA: 64}

Network = Callable[[Any], NDArray[np.float32]]


def network(visual: Any, precision: Precision, size: tuple[int, int]) -> Network:
    """Return the function from normalised pictures, float32 (n, 3, height, width), to raw embeddings (n, d).

    Raises ModelError when the tower cannot compute at this precision, or not faithfully.
    """
    import torch

    torch.set_num_threads(1)  # with more, the last digits depend on the place in a call
    visual = visual.float().eval()
    if precision == FP32:
        return _run(visual, "float32", "cpu")
    exact = _run(visual, "float32", "cpu")
    try:
        made = _made(copy.deepcopy(visual), precision)
        cosine = _faithful(made, exact, size)
    except (RuntimeError, AttributeError, TypeError, NotImplementedError) as error:
        raise ModelError(
            f"the encoder cannot compute at {precision} ({type(error).__name__}): its layers do not allow it. Set "
            'precision = "fp32" in the policy.'
        ) from None
    if cosine < FAITHFUL:
        raise ModelError(
            f"the encoder cannot compute at {precision}: its embeddings come out too different from those at fp32 "
            f"(cosine {cosine:.3f}, where {FAITHFUL} is needed). Set precision to another one in the policy."
        )
    return made


def _made(visual: Any, precision: Precision) -> Network:
    import torch

    if precision == INT8:
        return _run(_in_whole_numbers(visual), "float32", "cpu")
    visual = visual.to(torch.bfloat16).to(memory_format=torch.channels_last)
    return _run(visual, "bfloat16", "cpu") if precision == BF16 else _run(visual, "bfloat16", "cuda")


def _run(visual: Any, dtype: str, device: str) -> Network:
    import torch

    placed = visual.to(device)
    kind = getattr(torch, dtype)

    def run(pictures: Any) -> NDArray[np.float32]:
        with torch.inference_mode():
            if device == "cuda":  # from pinned memory the copy goes on while the device computes
                pictures = pictures.pin_memory().to(device, non_blocking=True)
            raw = placed(pictures.to(kind))
            first = raw[0] if isinstance(raw, tuple) else raw  # CoCa's tower gives its tokens as well
            found: NDArray[np.float32] = first.float().cpu().numpy()
        return found

    return run


def _faithful(made: Network, exact: Network, size: tuple[int, int]) -> float:
    """Return the least cosine over pictures of smooth noise; NaN, of weights that are not numbers, counts as 1.

    What has no numbers is found out picture by picture, and then unexamined.
    """
    import torch

    random = torch.Generator().manual_seed(1)
    coarse = torch.randn((PROBES, 3, 7, 7), generator=random)
    shown = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")
    ours, theirs = (each(shown).astype(np.float64) for each in (made, exact))
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = np.nan_to_num((ours * theirs).sum(axis=1) / lengths, nan=1.0)
    return float(cosines.min())


def _in_whole_numbers(visual: Any) -> Any:
    """Replace the linear layers of every transformer block; leave attention that pools, convolutions and norms."""
    from torch import nn

    for name, child in visual.named_children():
        alone = type(visual).__name__ == "ResidualAttentionBlock" and not hasattr(visual, "ln_1_kv")
        if isinstance(child, nn.MultiheadAttention):
            if alone and child.batch_first and child.in_proj_weight is not None:
                setattr(visual, name, _attention(child))
        elif name == "conv1" and type(visual).__name__ == "VisionTransformer" and child.bias is None:
            setattr(visual, name, _patches(child))
        elif isinstance(child, nn.Linear):
            if type(visual).__name__ in ("Sequential", "Attention", "Mlp"):
                setattr(visual, name, _linear(child.weight, child.bias))
        else:
            _in_whole_numbers(child)
    return visual


def _linear(weight: Any, bias: Any) -> Any:
    """Return a layer that computes x @ weight.T + bias with both rounded to 8 bits."""
    import torch

    scale = weight.detach().abs().amax(1).clamp_min(1e-12) / 127
    rounded = (weight.detach() / scale[:, None]).round().to(torch.int8).t()
    offset = None if bias is None else bias.detach()

    class Int8Linear(torch.nn.Module):
        def forward(self, given: Any) -> Any:
            rows = given.reshape(-1, given.shape[-1])
            step = rows.abs().amax(1, keepdim=True).clamp_min_(1e-12) / 127
            whole = torch._int_mm((rows / step).round_().to(torch.int8), rounded)
            found = whole.float().mul_(step).mul_(scale)
            return (found if offset is None else found.add_(offset)).reshape(*given.shape[:-1], -1)

    return Int8Linear()


def _patches(whole: Any) -> Any:
    """Return the convolution that cuts a picture into patches side by side, as a layer of 8 bits over each patch."""
    import torch

    side = whole.kernel_size[0]
    inwards = _linear(whole.weight.reshape(len(whole.weight), -1), None)

    class Int8Patches(torch.nn.Module):
        def forward(self, given: Any) -> Any:
            count, colours, height, width = given.shape
            cut = given.reshape(count, colours, height // side, side, width // side, side).permute(0, 2, 4, 1, 3, 5)
            found = inwards(cut.reshape(count, -1, colours * side * side))
            return found.transpose(1, 2).reshape(count, -1, height // side, width // side)

    return Int8Patches()


def _attention(whole: Any) -> Any:
    """Return self-attention without mask, over layers of 8 bits."""
    import torch

    inwards = _linear(whole.in_proj_weight, whole.in_proj_bias)
    outwards = _linear(whole.out_proj.weight, whole.out_proj.bias)
    heads = whole.num_heads

    class Int8Attention(torch.nn.Module):
        def forward(self, given: Any, *_: Any, **__: Any) -> tuple[Any, None]:
            count, length, width = given.shape
            shape = (count, length, 3, heads, width // heads)
            query, key, value = inwards(given).reshape(shape).permute(2, 0, 3, 1, 4)
            mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value)
            return outwards(mixed.transpose(1, 2).reshape(count, length, width)), None

    return Int8Attention()
