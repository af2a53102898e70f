"""A live bar on a terminal, one JSON line every few seconds elsewhere.

Runners report metrics only when they are done, so each shard in work replaces a small file, and this reads them.
"""

import json
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filters.errors import ShardwallError, error_of
from pipelines.commit import write_json
from pipelines.layout import Layout

FAILURES = "failures"
INTERVAL = 0.5  # seconds between two writes of a shard, and between two looks
LINE_INTERVAL = 5.0  # seconds between two JSON lines


@dataclass(slots=True)
class ShardProgress:
    """What one shard in work tells the outside, at most every half second."""

    path: Path
    _next: float = field(default=0.0)

    def tell(self, **counts: int) -> None:
        """Replace the shard's file with these counts, unless it was replaced a moment ago."""
        if time.monotonic() < self._next:
            return
        self.finish(**counts)

    def finish(self, **counts: int) -> None:
        """Replace the shard's file with these counts."""
        temporary = self.path.with_suffix(".new")
        with suppress(OSError):  # progress is a courtesy: a full disk shows where it matters
            temporary.write_text(json.dumps(counts))
            temporary.replace(self.path)
        self._next = time.monotonic() + INTERVAL


class Watch:
    """Shows the progress of a run while it lasts."""

    def __init__(self, folder: Path, shards: int, stream: Any = None) -> None:
        self._folder, self._shards = folder, shards
        self._stream = stream or sys.stderr
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._started = time.monotonic()

    def __enter__(self) -> "Watch":
        """Begin to show."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show the last state and end."""
        self._stop.set()
        self._thread.join()

    def totals(self) -> dict[str, Any]:
        """Return shards examined and separated, samples kept and withheld so far, samples per second, seconds left."""
        steps = [_counts(path) for path in sorted(self._folder.glob("*.json"))]
        sums = {name: sum(step.get(name, 0) for step in steps) for name in ("samples", "kept", "withheld")}
        share = sum(_share(step) for step in steps) / self._shards
        seconds = time.monotonic() - self._started
        left = round(seconds * (1 - share) / share) if share > 0.02 else None
        rate = round(sums["samples"] / seconds, 1) if seconds > 0 else 0.0
        examined = sum("of" in step and step["samples"] == step["of"] for step in steps)
        separated = sum("kept" in step for step in steps)
        told = {"shards": self._shards, "examined": examined, "separated": separated, **sums}
        return {**told, "samples_per_second": rate, "seconds_left": left, "share": round(share, 3)}

    def _show(self) -> None:
        terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        with suppress(OSError, ValueError):  # nobody reads it any more
            (self._bar if terminal else self._lines)()

    def _lines(self) -> None:
        while not self._stop.wait(LINE_INTERVAL):
            self._line()
        self._line()

    def _line(self) -> None:
        self._stream.write(json.dumps({"progress": self.totals()}) + "\n")
        self._stream.flush()

    def _bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        text = TextColumn("{task.fields[told]}")
        with Progress(BarColumn(), text, console=Console(file=self._stream), transient=True) as bar:
            task = bar.add_task("clean", total=1.0, told="starting")
            while not self._stop.wait(INTERVAL):
                now = self.totals()
                left = f", {now['seconds_left']} s left" if now["seconds_left"] is not None else ""
                told = (
                    f"{now['examined']}/{now['shards']} shards, {now['samples']} samples, "
                    f"{now['samples_per_second']}/s, kept {now['kept']}, withheld {now['withheld']}{left}"
                )
                bar.update(task, completed=now["share"], told=told)


def _share(step: dict[str, int]) -> float:
    """Return how much of a shard's work a step stands for: nearly all of it is examination."""
    return 0.05 if "kept" in step else 0.95 * step.get("samples", 0) / max(step.get("of", 0), 1)


def note_failures(layout: Layout, facts: list[dict[str, Any]]) -> bool:
    """Leave the sentences of failed shards where the command line finds them; tell whether there are any.

    A fact that has `failed`, the sentence, may have `error`, the name of its class.
    """
    failures = [[str(each.get("error", "")), str(each["failed"])] for each in facts if "failed" in each]
    if failures:
        write_json(layout.progress / FAILURES, {"failures": failures})
    return bool(failures)


def read_failures(layout: Layout) -> list[ShardwallError]:
    """Return why shards could not be finished, as the errors that were met."""
    path = layout.progress / FAILURES
    noted = json.loads(path.read_text())["failures"] if path.exists() else []
    return [error_of(kind, told) for kind, told in noted]


def clear_progress(layout: Layout) -> None:
    """Forget what was only of interest while the run lasted."""
    for path in layout.progress.iterdir():
        path.unlink(missing_ok=True)


def _counts(path: Path) -> dict[str, int]:
    try:
        counts = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return counts if isinstance(counts, dict) else {}
