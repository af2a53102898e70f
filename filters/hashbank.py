"""Our own hash bank: a file that only ever grows, of entries added and withdrawn, by whom and when.

One JSON object a line:

    {"do": "add", "at": "2026-11-21T10:00:00Z", "by": "reviewer 3", "algorithm": "pdq", "value": "<hex>",
     "category": "opt-out", "classification": "consent withdrawn"}

"do" is "add" or "withdraw". Category and classification may be left out; the category is then that of the list. An
entry is one value in one category: who withdraws it says both again.
"""

import json
from collections.abc import Iterator

from filters.listupdates import NO_TIME, Update, instant

_NEEDED = ("do", "at", "by", "algorithm", "value")
_KNOWN = frozenset({*_NEEDED, "category", "classification"})
_ACTS = {"add": False, "withdraw": True}  # do -> withdrawn


def updates(content: bytes, _: str) -> Iterator[Update]:
    """Yield what each line says; blank lines say nothing."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield _update(number, line)


def _update(number: int, line: bytes) -> Update:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return Update(number, wrong="that are no JSON")
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said.values()):
        return Update(number, wrong="that are no object of texts")
    if not said.keys() <= _KNOWN or not all(said.get(name, "").strip() for name in _NEEDED):
        return Update(number, wrong=f"without {', '.join(_NEEDED)}, or with more than the hash bank knows")
    when = instant(said["at"])
    if said["do"] not in _ACTS or when is None:
        return Update(number, wrong='whose "do" is not add or withdraw' if when is not None else NO_TIME)
    gone, category = _ACTS[said["do"]], said.get("category", "").strip()
    algorithm, value = said["algorithm"].strip().lower(), said["value"].strip().lower()
    return Update(
        line=number,
        entry=f"{category} {algorithm} {value}",
        when=when,
        gone=gone,
        hashes=() if gone else ((algorithm, value),),
        classification=said.get("classification", "").strip(),
        category=category,
    )
