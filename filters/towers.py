"""A CLIP model: its configuration, its checkpoint, its transform, its image half. Nothing is downloaded."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filters.checkpoints import tensors
from filters.engines import Network, network
from filters.errors import ModelError
from filters.precision import FP32, Precision
from filters.preprocess import Preprocess, preprocess

PREPROCESS = ("mean", "std", "interpolation", "resize_mode")
# open_clip builds both halves of a model; the text half is not used here, so it is as small as can be.
NO_TEXT = {"context_length": 1, "vocab_size": 1, "width": 8, "heads": 1, "layers": 1}
BUILD_ERRORS = (TypeError, KeyError, ValueError, AttributeError, AssertionError, RuntimeError, ImportError, OSError)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A model's name, the tag of its pretrained weights, and its configuration file where it has one of its own.

    `text` is that file's JSON, and `sha256` its hex digest; both are empty for a model that open_clip knows by name.
    """

    name: str
    text: str = field(default="", repr=False)
    sha256: str = ""
    pretrained: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """What open_clip is told of a model, and the part of the transform that is not left to open_clip's default."""

    name: str
    model: Mapping[str, Any] = field(repr=False)
    transform: Mapping[str, Any]

    @property
    def vision(self) -> dict[str, Any]:
        """The configuration of the image half, without any download."""
        return {**self.model["vision_cfg"], "timm_model_pretrained": False}


@dataclass(frozen=True, slots=True)
class Tower:
    """An image encoder, loaded: `preprocess` makes pictures into its input, `network` those into embeddings."""

    name: str
    dimension: int
    precision: Precision
    preprocess: Preprocess
    network: Network = field(repr=False)


def configured(model: str, pretrained: str = "") -> Configuration:
    """Return the configuration of a model named by open_clip, or of a JSON file of open_clip's format."""
    if not model.endswith(".json"):
        return Configuration(model, pretrained=pretrained)
    try:
        read = Path(model).read_bytes()
        return Configuration(Path(model).stem, read.decode(), hashlib.sha256(read).hexdigest())
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"the model configuration {Path(model).name} cannot be read ({type(error).__name__}). Give the path of a "
            "JSON file of open_clip, or a name from open_clip.list_models()."
        ) from None


def tower(configuration: Configuration, checkpoint: Path, precision: Precision = FP32) -> Tower:
    """Build the image encoder and fill it from a checked weight file, or raise ModelError."""
    import torch

    open_clip = import_open_clip()
    torch.set_num_threads(1)
    told = described(configuration)
    try:
        gelu = bool(told.model.get("quick_gelu"))
        built = open_clip.CLIP(told.model["embed_dim"], told.vision, NO_TEXT, quick_gelu=gelu).visual
        shown = preprocess(told.vision.get("image_size", 224), told.transform, open_clip)
        dimension = int(told.model["embed_dim"])
    except BUILD_ERRORS as error:
        raise ModelError(
            f"the model {told.name} cannot be built ({type(error).__name__}). Give a configuration that "
            "open_clip builds without a download."
        ) from None
    image_half = tensors(checkpoint, lambda name: name.startswith("visual."))
    fill(built, {name.removeprefix("visual."): value for name, value in image_half.items()}, checkpoint, told.name)
    return Tower(told.name, dimension, precision, shown, network(built, precision, shown.size))


def fill(built: Any, values: Mapping[str, Any], checkpoint: Path, name: str) -> None:
    """Fill a module with exactly these tensors, or raise ModelError."""
    try:
        built.load_state_dict(values)
    except (RuntimeError, TypeError) as error:
        raise ModelError(
            f"the checkpoint {checkpoint.name} does not fit {name} ({type(error).__name__}). Give a file of this model "
            "in open_clip's naming (visual.*)."
        ) from None


def described(configuration: Configuration) -> Described:
    """Return what a configuration says, or raise ModelError."""
    if not configuration.sha256:
        return _known(configuration, import_open_clip())
    try:
        given = json.loads(configuration.text)
        model, transform = given.get("model_cfg", given), given.get("preprocess_cfg", {})
        return Described(configuration.name, dict(model), _chosen(transform))
    except (ValueError, AttributeError, TypeError) as error:
        raise ModelError(
            f"the model configuration {configuration.name} is not one of open_clip ({type(error).__name__}). Give a "
            'JSON file with "embed_dim" and "vision_cfg", or with "model_cfg" and "preprocess_cfg".'
        ) from None


def _known(configuration: Configuration, open_clip: Any) -> Described:
    """Return the description of a model that open_clip knows by name."""
    name, tag = configuration.name, configuration.pretrained
    if name not in open_clip.list_models():
        near = nearest(name, open_clip.list_models())
        raise ModelError(f"open_clip has no model {name}{near}. Give a name from open_clip.list_models().")
    model = open_clip.get_model_config(name)
    if not tag:
        return Described(name, model, _usual(name, open_clip))
    known = open_clip.get_pretrained_cfg(name, tag)
    if not known:
        tags = open_clip.list_pretrained_tags_by_model(name)
        raise ModelError(
            f"open_clip has no weights {tag} of the model {name}{nearest(tag, tags)}. It has "
            f"{', '.join(tags) or 'none'}; `shardwall weights list {name}` tells them."
        )
    other = f"{name}-quickgelu"  # where both are there, open_clip only warns, and the embeddings are wrong
    if known.get("quick_gelu") and not model.get("quick_gelu") and other in open_clip.list_models():
        raise ModelError(f"the weights {tag} do not go with {name}: they were trained as {other}. Name that model.")
    return Described(name, model, _chosen(known))


def _usual(name: str, open_clip: Any) -> dict[str, Any]:
    """Return the transform that every published checkpoint of the model shares, or raise ModelError."""
    tags = open_clip.list_pretrained_tags_by_model(name)
    found = [_chosen(open_clip.get_pretrained_cfg(name, tag)) for tag in tags]
    if any(each != found[0] for each in found):
        raise ModelError(
            f"the model {name} has checkpoints with different transforms, so the right one is not known. Give the tag "
            'of yours as `pretrained` ("openai", for example), or its open_clip_config.json as the model.'
        )
    return found[0] if found else {}


def _chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in PREPROCESS if given.get(key) is not None}


def nearest(word: str, known: list[str]) -> str:
    """Return " (nearest: x)" for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (nearest: {close[0]})" if close else ""


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
