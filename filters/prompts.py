"""Zero-shot heads: classes described by phrases, each in several wordings, and how likely a picture is one of them.

A prompt file is text, changed only together with its version:

    version: 1
    templates:
      a photo of {}
    teenager:
      a teenager
      a teenage boy
    adult:
      an adult

Each phrase is a class of open_clip's own classifier, in every wording of the templates; a score is the sum of the
softmax over all phrases that belong to the classes of a head. Lines that begin with # are remarks.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.errors import ModelError
from filters.finding import Material
from filters.heads import HeadSource
from filters.towers import nearest

SHIPPED = Path(__file__).parent.parent / "policies" / "prompts"
VERSION, TEMPLATES = "version", "templates"


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompt file, read: `classes` are its phrases by the class that they belong to."""

    name: str
    version: str
    sha256: str
    templates: tuple[str, ...] = field(repr=False)
    classes: Mapping[str, tuple[str, ...]] = field(repr=False)

    def material(self) -> Material:
        """Return how the manifest records it."""
        return Material("weights", f"prompts {self.name}", f"version {self.version}", self.sha256, calibrated=False)


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """The score of some of the phrases: `directions` (d, phrases) of length 1, `scale` of the logits."""

    directions: NDArray[np.float32] = field(repr=False)
    scale: float
    counted: tuple[bool, ...]

    def logits(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the logit of each phrase for a normalised embedding (d,)."""
        found: NDArray[np.float64] = self.scale * (embedding.astype(np.float64) @ self.directions)
        return found

    def __call__(self, embedding: NDArray[np.float32]) -> float:
        """Return the share 0..1 of the counted phrases in the softmax over all."""
        logits = self.logits(embedding)
        shares = np.exp(logits - logits.max())
        return float(shares[list(self.counted)].sum() / shares.sum())


def shipped() -> tuple[str, ...]:
    """Return the names of the prompt files that come with the product."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.txt")))


def read_prompts(head: HeadSource) -> PromptFile:
    """Return the prompt file of a head, or raise ModelError."""
    path = Path(head.prompts)
    if path.suffix != ".txt":
        if head.prompts not in shipped():
            raise ModelError(
                f"the head {head.label} has prompts that are not shipped: {head.prompts}"
                f"{nearest(head.prompts, list(shipped()))}. There are {', '.join(shipped())}, or give a file (.txt)."
            )
        path = SHIPPED / f"{head.prompts}.txt"
    try:
        read = path.read_bytes()
        found = _parsed(path.stem, hashlib.sha256(read).hexdigest(), read.decode())
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"the prompts {path.name} cannot be read ({type(error).__name__}). Put a text file there, in UTF-8."
        ) from None
    if head.sha256 and head.sha256.strip().lower() != found.sha256:
        raise ModelError(
            f"the prompts {path.name} are not the pinned ones: their SHA-256 begins {found.sha256[:12]}, not "
            f"{head.sha256[:12].lower()}. Get the pinned file, or pin this one after reading it."
        )
    for name in head.classes:
        if name not in found.classes:
            raise ModelError(
                f"the prompts {path.name} have no class {name}{nearest(name, list(found.classes))}. They have "
                f"{', '.join(found.classes)}."
            )
    if set(head.classes) == set(found.classes):
        raise ModelError(f"the head {head.label} counts every class of its prompts, so all score 1. Leave some out.")
    return found


def _parsed(name: str, sha256: str, text: str) -> PromptFile:
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if line[0].isspace() and current is not None:
            current.append(word)
            continue
        title, colon, value = word.partition(":")
        if line[0].isspace() or not colon or title in sections:
            raise ModelError(
                f"the prompts {name}.txt cannot be used: line {number} is no new section (`name:`) and no indented "
                "phrase under one. Correct it there."
            )
        current = sections[title] = [value.strip()] if value.strip() else []
    version, templates = sections.pop(VERSION, []), tuple(sections.pop(TEMPLATES, []))
    empty = [title for title, phrases in sections.items() if not phrases]
    if len(version) != 1 or not templates or not all(each.count("{}") == 1 for each in templates):
        why = "it needs `version: N`, and `templates:` with lines that hold {} once"
    elif len(sections) < 2 or empty:
        why = "it needs two classes or more, each with a phrase"
    else:
        return PromptFile(name, version[0], sha256, templates, {each: tuple(set_) for each, set_ in sections.items()})
    raise ModelError(f"the prompts {name}.txt cannot be used: {why}. Correct it.")
