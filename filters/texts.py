"""The whole of a CLIP model, its text half above all: it turns the phrases of a prompt file into directions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.checkpoints import tensors
from filters.errors import ModelError
from filters.heads import Head, HeadSource
from filters.prompts import PromptFile, ZeroShot
from filters.towers import BUILD_ERRORS, Configuration, described, fill, import_open_clip


@dataclass(frozen=True, slots=True)
class TextTower:
    """A whole model with its tokenizer, to turn phrases into directions."""

    model: Any = field(repr=False)
    tokenizer: Any = field(repr=False)

    def directions(self, prompts: PromptFile) -> NDArray[np.float32]:
        """Return the direction of each phrase, (d, phrases), as open_clip's build_zero_shot_classifier finds it."""
        phrases = [phrase for each in prompts.classes.values() for phrase in each]
        made = import_open_clip().build_zero_shot_classifier(self.model, self.tokenizer, phrases, prompts.templates)
        found: NDArray[np.float32] = made.float().numpy()
        return found

    def head(self, source: HeadSource, prompts: PromptFile) -> Head:
        """Return the head of a label over a prompt file."""
        counted = tuple(name in source.classes for name, phrases in prompts.classes.items() for _ in phrases)
        scale = float(self.model.logit_scale.detach().exp())
        judge = ZeroShot(self.directions(prompts), scale, counted)
        return Head(source.label, prompts.sha256[:12], judge)


def text_tower(configuration: Configuration, checkpoint: Path) -> TextTower:
    """Build the whole model and fill it from a checked weight file, or raise ModelError."""
    import torch

    open_clip = import_open_clip()
    torch.set_num_threads(1)
    told = described(configuration)
    model = {**told.model, "vision_cfg": told.vision}
    text = dict(model.get("text_cfg", {}))
    if text.get("hf_tokenizer_name") or text.get("hf_model_name") or "siglip" in told.name.lower():
        raise ModelError(
            f"the model {told.name} cannot read prompts here: its tokenizer is a download of its own. Use a model with "
            "open_clip's tokenizer for prompts, or a probe for this one."
        )
    try:
        custom = model.pop("custom_text", False)
        own_text = open_clip.CoCa if "multimodal_cfg" in model else open_clip.CustomTextCLIP
        kind = own_text if custom else open_clip.CLIP
        built = kind(**model).eval()
        tokenizer = open_clip.SimpleTokenizer(
            context_length=text.get("context_length", 77), **text.get("tokenizer_kwargs", {})
        )
    except BUILD_ERRORS as error:
        raise ModelError(
            f"the model {told.name} cannot be built whole ({type(error).__name__}), as prompts need it. Use a probe."
        ) from None
    fill(built, _named(built, tensors(checkpoint, lambda _: True)), checkpoint, f"{told.name}, text half and all")
    return TextTower(built, tokenizer)


def _named(built: Any, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tensors, without the buffers that older releases of open_clip stored besides the weights."""
    known = built.state_dict()
    return {name: value for name, value in stored.items() if name in known or not name.endswith("position_ids")}
