import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from filters.errors import ModelError
from filters.towers import Configuration, configured, import_open_clip, tower
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
    assert (built.name, built.dimension, built.crops) == ("open_clip_config", 64, False)
    photo = Image.fromarray(pixels(COFFEE))
    squashed = np.asarray(photo.resize((64, 64), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    assert np.allclose(built.transform(photo).numpy(), (squashed.transpose(2, 0, 1) - 0.5) / 0.25, atol=1e-5)


def test_a_plain_configuration_takes_the_usual_transform_which_crops(folder: Path) -> None:
    built = tower(configured(str(folder / "tiny.json")), folder / "tiny.safetensors")
    assert built.crops
    assert tuple(built.transform(Image.fromarray(pixels(COFFEE))).shape) == (3, 64, 64)


def test_a_name_stands_for_itself_and_a_file_for_its_stem(folder: Path) -> None:
    assert configured("ViT-B-32") == Configuration("ViT-B-32")
    assert configured(str(folder / "tiny.json")).name == "tiny"


def test_a_half_precision_checkpoint_is_run_in_single(folder: Path, tmp_path: Path) -> None:
    stored = {key: value.half() if value.is_floating_point() else value for key, value in
              load_file(folder / "tiny.safetensors").items()}  # fmt: skip
    save_file(stored, tmp_path / "half.safetensors")
    built = tower(configured(str(folder / "tiny.json")), tmp_path / "half.safetensors")
    shown = built.transform(Image.fromarray(pixels(COFFEE)))[None]
    full = tower(configured(str(folder / "tiny.json")), folder / "tiny.safetensors")
    assert np.allclose(built.network(shown).detach().numpy(), full.network(shown).detach().numpy(), rtol=0.05, atol=0.1)


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
    with pytest.raises(ModelError, match="does not fit"):
        tower(configured(str(folder / "tiny.json")), file)


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
