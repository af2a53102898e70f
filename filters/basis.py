"""What the values of a filter rest on: the weights and prompts behind a label, and the settings that change a score."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import PurePath
from typing import Any

from filters.finding import Filter, Material
from filters.measured import RestsOn

CALIBRATION = "calibration"  # the kind of its material
NOT_OF_A_MODEL = frozenset({"list", CALIBRATION})
OTHERWISE_KNOWN = frozenset({"lists", "heads", "checkpoint", "path", "prompts"})  # materials have these, by digest


def rests_on(each: Filter, materials: Sequence[Material], label: str = "") -> tuple[RestsOn, ...]:
    """Return what the values of a filter under a label come from: its weights, prompts and settings, not its lists.

    Of heads over one embedding only those of the label count; without a label all do.
    """
    heads: Sequence[Any] = getattr(each, "heads", ())
    own = [head for head in heads if not label or head.label == label]
    strange = {name for head in heads if head not in own for name in _names(head)}
    strange -= {name for head in own for name in _names(head)}
    settings = {**_settings(each), "heads": [_settings(head) for head in own]}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
    found = (RestsOn(m.kind, m.name, m.sha256, m.version) for m in materials if m.kind not in NOT_OF_A_MODEL)
    return (*(m for m in found if m.name not in strange), RestsOn("settings", each.name, digest))


def _settings(parameters: Any) -> dict[str, Any]:
    """Return the parameters that change a value and are in no material; where a file lies changes none."""
    recorded = [field.name for field in fields(parameters) if field.metadata.get("recorded", True)]
    values = asdict(parameters)
    return {name: _placeless(values[name]) for name in recorded if name not in OTHERWISE_KNOWN}


def _names(head: Any) -> set[str]:
    """Return what the materials of a head may be called."""
    prompts, scorer = str(getattr(head, "prompts", "")), str(getattr(head, "scorer", ""))
    named = {f"prompts {form}" for form in (prompts, PurePath(prompts).name, PurePath(prompts).stem)}
    return {f"head {head.label}", *(named if prompts else ()), *((f"scorer {scorer}",) if scorer else ())}


def _placeless(value: Any) -> Any:
    return PurePath(value).name if isinstance(value, str) and "/" in value else value
