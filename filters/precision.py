"""In which numbers an encoder computes: what the processor is fast at, or what a policy or an earlier call says.

The same picture has not quite the same embedding at another precision, so a run settles on one before its first shard,
records it, and keeps to it on every worker and after every restart.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from filters.errors import ModelError

Precision = Literal["auto", "fp32", "bf16", "int8", "bf16-cuda"]
AUTO: Literal["auto"] = "auto"
FP32: Precision = "fp32"
BF16: Precision = "bf16"
INT8: Precision = "int8"
CUDA: Precision = "bf16-cuda"
CPUINFO = Path("/proc/cpuinfo")
VNNI = frozenset({"avx512_vnni", "avx_vnni"})


def settled(wanted: Precision, vision: Mapping[str, Any]) -> Precision:
    """Return the precision to compute at; `vision` is the `vision_cfg` of the model.

    "auto" is bf16 on a CUDA device; else bf16 where the processor has AMX, int8 for a transformer where it has VNNI,
    and fp32 otherwise. What a policy names is taken; "bf16-cuda" without a device raises ModelError.
    """
    if wanted == CUDA and not has_cuda():
        raise ModelError(
            "the encoder cannot compute at bf16-cuda: this machine has no CUDA device that torch can use. Go on where "
            'there is one, or set precision = "auto" and begin in a new folder.'
        )
    if wanted != AUTO:
        return wanted
    return CUDA if has_cuda() else of_processor(processor(), vision)


def of_processor(flags: frozenset[str], vision: Mapping[str, Any]) -> Precision:
    """Return the fastest precision that is exact enough, by the flags of a processor as Linux names them."""
    if {"amx_tile", "amx_bf16"} <= flags:
        return BF16
    return INT8 if flags & VNNI and is_transformer(vision) else FP32


def is_transformer(vision: Mapping[str, Any]) -> bool:
    """Tell whether nearly all work of an image tower is in linear layers, which is what int8 makes faster."""
    timm = vision.get("timm_model_name")
    if timm:
        return str(timm).startswith("vit_")
    return isinstance(vision.get("layers", 12), int)


def processor(info: Path = CPUINFO) -> frozenset[str]:
    """Return the flags of the processor; none where the system does not tell."""
    try:
        text = info.read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    line = next((each for each in text.splitlines() if each.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


def has_cuda() -> bool:
    """Tell whether torch can compute on a CUDA device here."""
    import torch

    return bool(torch.cuda.is_available())
