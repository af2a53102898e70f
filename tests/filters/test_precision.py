from pathlib import Path
from typing import Any

import pytest
import torch

import filters.precision
from filters.errors import ModelError
from filters.precision import Precision, of_processor, processor, settled

VIT = {"layers": 12, "width": 768}
# Flags as Linux names them: of Sapphire Rapids, of Cascade Lake; below of Alder Lake, Haswell and a Graviton.
AMX = frozenset({"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"})
OLDER = frozenset({"avx2", "avx512f", "avx512_vnni"})


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [(AMX, "bf16"), (OLDER, "int8"), (frozenset({"avx2", "avx_vnni"}), "int8"), (frozenset({"avx2"}), "fp32"),
     (frozenset({"asimd", "bf16"}), "fp32"), (AMX - {"amx_tile"}, "int8"), (frozenset(), "fp32")],
)  # fmt: skip
def test_the_processor_says_which_precision_it_is_fast_at(flags: frozenset[str], wanted: Precision) -> None:
    assert of_processor(flags, VIT) == wanted


@pytest.mark.parametrize(
    ("vision", "wanted"),
    [(VIT, "int8"), ({}, "int8"), ({"layers": [3, 4, 6, 3]}, "fp32"), ({"timm_model_name": "convnext_base"}, "fp32"),
     ({"timm_model_name": "vit_base_patch16_siglip_224"}, "int8"), ({"timm_model_name": "fastvit_mci0"}, "fp32")],
)  # fmt: skip
def test_int8_is_for_transformers_alone(vision: dict[str, Any], wanted: Precision) -> None:
    assert of_processor(OLDER, vision) == wanted


def test_the_flags_are_those_of_the_system(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni\nbugs\t: spectre\n")
    assert processor(info) == {"fpu", "avx2", "avx512_vnni"}
    assert processor(tmp_path / "none") == frozenset()


def test_a_cuda_device_is_taken_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters.precision, "processor", lambda: OLDER)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert settled("auto", VIT) == settled("bf16-cuda", VIT) == "bf16-cuda"
    assert settled("fp32", VIT) == "fp32"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert settled("auto", VIT) == "int8"
    with pytest.raises(ModelError, match="no CUDA device"):
        settled("bf16-cuda", VIT)
