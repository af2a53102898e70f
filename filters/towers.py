"""The image half of a CLIP model: its configuration, its checkpoint, its transform. Nothing is downloaded."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filters.errors import ModelError

PREPROCESS = ("mean", "std", "interpolation", "resize_mode")
# open_clip builds both halves of a model; the text half is never used, so it is as small as can be.
NO_TEXT = {"context_length": 1, "vocab_size": 1, "width": 8, "heads": 1, "layers": 1}
BUILD_ERRORS = (TypeError, KeyError, ValueError, AttributeError, AssertionError, RuntimeError, ImportError, OSError)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A model's name, and its configuration file where it has one of its own.

    `text` is that file's JSON, and `sha256` its hex digest; both are empty for a model that open_clip knows by name.
    """

    name: str
    text: str = field(default="", repr=False)
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Tower:
    """An image encoder, loaded: `transform` makes a picture into its input, `network` a batch into embeddings.

    `crops` says that the transform leaves out the ends of a picture that is not square.
    """

    name: str
    dimension: int
    crops: bool
    transform: Callable[[Any], Any]
    network: Callable[[Any], Any]


def configured(model: str) -> Configuration:
    """Return the configuration of a model named by open_clip, or of a JSON file of open_clip's format."""
    if not model.endswith(".json"):
        return Configuration(model)
    try:
        read = Path(model).read_bytes()
        return Configuration(Path(model).stem, read.decode(), hashlib.sha256(read).hexdigest())
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"the model configuration {Path(model).name} cannot be read ({type(error).__name__}). Give the path of a "
            "JSON file of open_clip, or a name from open_clip.list_models()."
        ) from None


def tower(configuration: Configuration, checkpoint: Path) -> Tower:
    """Build the image encoder and fill it from a checked safetensors file, or raise ModelError."""
    import torch

    open_clip = import_open_clip()
    torch.set_num_threads(1)
    model, preprocess = _described(configuration, open_clip)
    try:
        vision = {**model["vision_cfg"], "timm_model_pretrained": False}
        built = open_clip.CLIP(model["embed_dim"], vision, NO_TEXT, quick_gelu=bool(model.get("quick_gelu"))).visual
        transform = open_clip.image_transform(vision.get("image_size", 224), is_train=False, **preprocess)
    except BUILD_ERRORS as error:
        raise ModelError(
            f"the model {configuration.name} cannot be built ({type(error).__name__}). Give a configuration that "
            "open_clip builds without a download."
        ) from None
    _fill(built, checkpoint, configuration.name)
    crops = preprocess.get("resize_mode") in (None, "shortest")
    return Tower(configuration.name, int(model["embed_dim"]), crops, transform, built.float().eval())


def _fill(built: Any, checkpoint: Path, name: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(checkpoint, framework="pt") as stored:
            image_half = {key[7:]: stored.get_tensor(key) for key in stored.keys() if key.startswith("visual.")}  # noqa: SIM118
        built.load_state_dict(image_half)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ModelError(
            f"the checkpoint {checkpoint.name} does not fit the image encoder of {name} ({type(error).__name__}). Give "
            "a safetensors file of this model in open_clip's naming (visual.*)."
        ) from None


def _described(configuration: Configuration, open_clip: Any) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Return the model's description, and the part of the transform that it does not leave to open_clip's default."""
    if not configuration.sha256:
        model = (
            open_clip.get_model_config(configuration.name) if configuration.name in open_clip.list_models() else None
        )
        if model is None:
            raise ModelError(f"open_clip has no model {configuration.name}. Give a name from open_clip.list_models().")
        return model, _usual(configuration.name, open_clip)
    try:
        given = json.loads(configuration.text)
        model, preprocess = given.get("model_cfg", given), given.get("preprocess_cfg", {})
        return dict(model), {key: preprocess[key] for key in PREPROCESS if preprocess.get(key) is not None}
    except (ValueError, AttributeError, TypeError) as error:
        raise ModelError(
            f"the model configuration {configuration.name} is not one of open_clip ({type(error).__name__}). Give a "
            'JSON file with "embed_dim" and "vision_cfg", or with "model_cfg" and "preprocess_cfg".'
        ) from None


def _usual(name: str, open_clip: Any) -> dict[str, Any]:
    """Return the transform that every published checkpoint of the model shares, or raise ModelError."""
    tags = open_clip.list_pretrained_tags_by_model(name)
    known = [open_clip.get_pretrained_cfg(name, tag) for tag in tags]
    found = [{key: each[key] for key in PREPROCESS if each.get(key) is not None} for each in known]
    if any(each != found[0] for each in found):
        raise ModelError(
            f"the model {name} has checkpoints with different transforms, so the right one is not known. Give the path "
            "of its open_clip_config.json as the model, with model_cfg and preprocess_cfg."
        )
    return found[0] if found else {}


_operators: list[Any] = []  # what is declared stays so only while it is referenced


def import_open_clip() -> Any:
    """Import open_clip, also where a CUDA build of torchvision lies beside a CPU build of torch.

    There the import stops at "operator torchvision::nms does not exist" (torchvision 0.28.0, 2026-11-21). Declaring the
    two operators that it looks for is enough; neither is ever called here.
    """
    try:
        import open_clip
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        import torch

        library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _operators.append(library)
        import open_clip
    return open_clip
