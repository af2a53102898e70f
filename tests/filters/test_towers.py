import builtins
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from filters.errors import ModelError
from filters.towers import NO_TEXT, Configuration, configured, described, import_open_clip, tower
from tests.filters.photos import COFFEE, pixels
from tests.filters.tiny import MODEL, whole_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clip")
    whole_model(made)
    return made


def test_open_clip_imports_beside_any_build_of_torchvision() -> None:
    assert import_open_clip() is import_open_clip()


def test_an_import_that_fails_for_another_reason_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def failing(name: str, *rest: Any) -> Any:
        if name == "open_clip":
            raise RuntimeError("out of something")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", failing)
    with pytest.raises(RuntimeError, match="out of something"):
        import_open_clip()


def test_a_hub_configuration_brings_its_own_transform(folder: Path, tmp_path: Path) -> None:
    preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    file = tmp_path / "open_clip_config.json"
    file.write_text(json.dumps({"model_cfg": MODEL, "preprocess_cfg": preprocess}))
    built = tower(configured(str(file)), folder / "tiny.safetensors")
    assert (built.name, built.dimension, built.preprocess.crops) == ("open_clip_config", 64, False)
    photo = Image.fromarray(pixels(COFFEE))
    squashed = np.asarray(photo.resize((64, 64), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    wanted = (squashed.transpose(2, 0, 1) - 0.5) / 0.25
    assert np.abs(built.preprocess([np.asarray(photo)])[0].numpy() - wanted).max() < 2.1 / 255 / 0.25


def test_a_plain_configuration_takes_the_usual_transform_which_crops(folder: Path) -> None:
    built = tower(configured(str(folder / "tiny.json")), folder / "tiny.safetensors")
    assert built.preprocess.crops
    assert tuple(built.preprocess([pixels(COFFEE)]).shape) == (1, 3, 64, 64)


def test_a_name_stands_for_itself_and_a_file_for_its_stem(folder: Path) -> None:
    assert configured("ViT-B-32") == Configuration("ViT-B-32")
    assert configured(str(folder / "tiny.json")).name == "tiny"


def test_a_half_precision_checkpoint_is_run_in_single(folder: Path, tmp_path: Path) -> None:
    stored = {key: value.half() if value.is_floating_point() else value for key, value in
              load_file(folder / "tiny.safetensors").items()}  # fmt: skip
    save_file(stored, tmp_path / "half.safetensors")
    built = tower(configured(str(folder / "tiny.json")), tmp_path / "half.safetensors")
    shown = built.preprocess([pixels(COFFEE)])
    full = tower(configured(str(folder / "tiny.json")), folder / "tiny.safetensors")
    assert np.allclose(built.network(shown), full.network(shown), rtol=0.05, atol=0.1)


@pytest.mark.parametrize("change", ["missing", "surplus", "shape", "broken"])
def test_a_checkpoint_that_does_not_fit_exactly_is_refused(folder: Path, tmp_path: Path, change: str) -> None:
    stored = load_file(folder / "tiny.safetensors")
    file = tmp_path / "other.safetensors"
    if change == "missing":
        del stored["visual.proj"]
    if change == "surplus":
        stored["visual.extra"] = stored["visual.proj"].clone()
    if change == "shape":
        stored["visual.proj"] = stored["visual.proj"][:, :32].clone()
    save_file(stored, file)
    if change == "broken":
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ModelError, match="cannot be read" if change == "broken" else "does not fit"):
        tower(configured(str(folder / "tiny.json")), file)


def test_a_torch_checkpoint_is_read_as_training_scripts_wrap_it(folder: Path, tmp_path: Path) -> None:
    stored = load_file(folder / "tiny.safetensors")
    shown = torch.randn(2, 3, 64, 64)
    full = tower(configured(str(folder / "tiny.json")), folder / "tiny.safetensors").network(shown)
    wrapped: list[Any] = [
        stored,
        {"state_dict": {f"module.{name}": value for name, value in stored.items()}, "epoch": 3},
        {"model": stored},
    ]
    for number, content in enumerate(wrapped):
        file = tmp_path / f"{number}.pt"
        torch.save(content, file)
        assert np.array_equal(tower(configured(str(folder / "tiny.json")), file).network(shown), full)


class Touch:
    """What leaves a file behind when a pickle of it is opened without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(folder: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    torch.save({"visual.proj": Touch(trap)}, tmp_path / "a.pt")
    (tmp_path / "b.bin").write_bytes(pickle.dumps(Touch(trap)))
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "c.pt"))  # type: ignore[no-untyped-call]
    torch.save([torch.zeros(2)], tmp_path / "d.pt")
    (tmp_path / "e.pt").write_bytes(b"")
    for name in ("a.pt", "b.bin", "c.pt", "d.pt", "e.pt"):
        with pytest.raises(ModelError, match=r"more than tensors|hold more"):
            tower(configured(str(folder / "tiny.json")), tmp_path / name)
    assert not trap.exists()
    torch.load(tmp_path / "a.pt", weights_only=False)
    assert trap.exists()  # or the test would hold for a pickle that does nothing


@pytest.mark.parametrize(
    ("model", "tag", "why"),
    [
        ("ViT-L-14", "", "give the tag|Give the tag"),
        ("ViT-L-14", "opena", r"no weights opena of the model ViT-L-14 \(nearest: openai\)"),
        ("ViT-L-14", "openai", "trained as ViT-L-14-quickgelu"),
        ("ViT-B-31", "openai", r"no model ViT-B-31 \(nearest: ViT-B-32\)"),
    ],
)
def test_a_model_and_a_tag_that_do_not_go_together_are_refused(model: str, tag: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        described(configured(model, tag))


def test_the_tag_of_the_weights_says_which_transform_they_want() -> None:
    assert described(configured("ViT-L-14", "laion2b_s32b_b82k")).transform["mean"] == (0.5, 0.5, 0.5)
    assert described(configured("ViT-L-14-quickgelu", "openai")).transform["mean"][0] == pytest.approx(0.4815, abs=1e-4)


FAMILIES = ["RN50", "ViT-B-32", "ViT-B-32-256", "coca_ViT-B-32", "convnext_base", "ViT-B-16-SigLIP", "EVA02-B-16",
            "MobileCLIP2-S0", "ViTamin-S", "roberta-ViT-B-32", "PE-Core-T-16-384", "ViT-B-16-plus"]  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_of_open_clip_has_an_image_half_that_builds_without_a_download(name: str) -> None:
    told, open_clip = described(configured(name)), import_open_clip()
    with torch.device("meta"):
        built = open_clip.CLIP(told.model["embed_dim"], told.vision, NO_TEXT).visual
        whole = open_clip.model._build_vision_tower(told.model["embed_dim"], told.vision)
    assert set(built.state_dict()) == set(whole.state_dict())


@pytest.mark.parametrize(
    "text",
    ["[1]", "{", '{"embed_dim": 64}', '{"embed_dim": 64, "vision_cfg": {"size": 1}}', '{"model_cfg": 5}', '"text"',
     '{"embed_dim": 64, "vision_cfg": {"timm_model_name": "vit_base", "timm_model_pretrained": true}}'],
)  # fmt: skip
def test_a_configuration_that_open_clip_cannot_build_is_refused(folder: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.json"
    file.write_text(text)
    with pytest.raises(ModelError, match="odd"):
        tower(configured(str(file)), folder / "tiny.safetensors")


def test_a_configuration_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="cannot be read"):
        configured(str(tmp_path / "odd.json"))
