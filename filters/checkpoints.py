"""The tensors of a checked weight file: safetensors, or a torch file of which nothing but tensors is read."""

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filters.errors import ModelError

TORCH = (".pt", ".pth", ".bin", ".ckpt")
WRAPPERS = ("state_dict", "model_state_dict", "model")  # where training scripts put the tensors
PARALLEL = re.compile(r"^(?:module\.|_orig_mod\.)+")  # what training on several devices, or compiled, puts before names


def tensors(file: Path, wanted: Callable[[str], bool]) -> dict[str, Any]:
    """Return the torch tensors whose name is wanted, or raise ModelError."""
    found = _torch(file) if file.suffix.lower() in TORCH else _safetensors(file, wanted)
    named = {PARALLEL.sub("", name): value for name, value in found.items()}
    return {name: value for name, value in named.items() if wanted(name)}


def metadata(file: Path) -> dict[str, str]:
    """Return what a safetensors file says of itself; a torch file says nothing."""
    if file.suffix.lower() in TORCH:
        return {}
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as stored:
            return dict(stored.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise _unread(file, error) from None


def _safetensors(file: Path, wanted: Callable[[str], bool]) -> Mapping[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as stored:
            names = list(stored.keys())
            return {name: stored.get_tensor(name) for name in names if wanted(PARALLEL.sub("", name))}
    except (SafetensorError, OSError) as error:
        raise _unread(file, error) from None


def _torch(file: Path) -> Mapping[str, Any]:
    import pickle

    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch would tell about the file, the error below tells
            found = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, TypeError, KeyError, OSError) as error:
        raise _unread(file, error) from None
    while isinstance(found, Mapping) and (inner := next((found[key] for key in WRAPPERS if key in found), None)):
        found = inner
    if not isinstance(found, Mapping) or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise ModelError(
            f"the weights {file.name} cannot be used: they hold more than tensors by name. Convert them to safetensors."
        )
    return {str(name): value for name, value in found.items()}


def _unread(file: Path, error: Exception) -> ModelError:
    pickled = file.suffix.lower() in TORCH
    told = (
        "it holds more than tensors, and that is never run (pickled objects, or TorchScript)"
        if pickled
        else "it is no whole safetensors file"
    )
    return ModelError(
        f"the weights {file.name} cannot be read ({type(error).__name__}): {told}. Get the file again, or convert its "
        "tensors to safetensors."
    )
