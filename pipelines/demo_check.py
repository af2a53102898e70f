"""Hold the end of every planted sample against its expected end."""

import json
from pathlib import Path

from pipelines.demo.check import Tally, compare
from pipelines.explain import ends, reasons_given


def check_output(folder: Path, output: Path) -> list[Tally]:
    """Return a tally for each planted case of the corpus in `folder`, as the run in `output` decided it."""
    planted = json.loads((folder / "planted.json").read_text(encoding="utf-8"))
    decided = {(d.shard, d.key, d.index): (d.partition, reasons_given(d)) for d in ends(output)}
    return compare(planted, decided)
