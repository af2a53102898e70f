"""Move: the only room that knows Beam and opens shards."""

VERSION = "0.2.0"
