"""Write the demonstration: a corpus with planted cases, its lists, its policy, and what to expect of a run."""

import json
from pathlib import Path

from filters.errors import ShardError
from pipelines.demo.check import as_json
from pipelines.demo.head import write_heads
from pipelines.demo.plan import write_shards
from pipelines.demo.sources import write_lists, write_policy


def write_demo(folder: Path) -> None:
    """Write shards/, lists/, weights/, policy.toml and planted.json, or raise ShardError where shards lie already.

    On one machine the same bytes come out every time. Everything in it is benign: photographs that installed packages
    ship, drawn patterns, coded words, and addresses that do not exist.
    """
    if any(folder.glob("shards/*")):
        raise ShardError(f"{folder} cannot take the demonstration: shards lie there already. Give a new folder.")
    for name in ("shards", "lists", "weights"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    placed, entries = write_shards(folder / "shards")
    write_lists(folder / "lists", entries)
    write_policy(folder / "policy.toml", write_heads(folder / "weights"))
    planted = as_json((each.shard, each.key, each.row.plant) for each in placed if each.row.plant)
    (folder / "planted.json").write_text(json.dumps(planted, indent=2) + "\n", encoding="utf-8")
