"""The README of a partition whose shards are tables of addresses."""

import glob
import json
from collections.abc import Mapping

from pipelines import VERSION

NOT_EXAMINED = "no picture was examined: download, then run again on the shards"


def table_card(partition: str, sizes: Mapping[str, int], contents: str, notice: str) -> str:
    """Return a README whose header makes `datasets` load the tables and nothing else; a notice stands below it."""
    filled = [glob.escape(name) for name, count in sizes.items() if count]
    files = ["*.parquet"] if filled and len(filled) == len(sizes) else filled
    listing = "\n".join(f"      - {json.dumps(name, ensure_ascii=False)}" for name in files) if files else "      []"
    total = sum(sizes.values())
    first = f"**{notice}**\n\n" if notice else ""
    return f"""---
configs:
  - config_name: default
    description: "{total} rows in tables of SHA-256 {contents}"
    data_files:
{listing}
---

{first}# Partition `{partition}`

**{NOT_EXAMINED[0].upper()}{NOT_EXAMINED[1:]}.** This corpus holds addresses and no picture. Its rows were examined
by address, text and recorded digest; filters of pictures were not applicable.

{total} rows in {len(sizes)} Parquet files, kept by Shardwall {VERSION}, in the columns, order and values of the source.

- `sizes.json`: rows per file. A file without rows has its columns all the same.

What was withheld, and why, is counted in the audit folder beside this one. "Kept" means that the filters of the policy
found nothing that this partition forbids; it is no proof that nothing is there. An address may by now lead elsewhere.
"""
