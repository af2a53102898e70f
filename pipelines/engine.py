"""Beam's own options, taken strictly: what Beam would only warn about is refused here."""

import difflib
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from itertools import pairwise
from typing import Any

from filters.errors import PolicyError


def beam_options(arguments: Sequence[str]) -> Any:
    """Return PipelineOptions for the arguments after `--`, or raise PolicyError for what Beam cannot take.

    Without a runner: FnApiRunner, in memory, as many threads as there are processors. It is named because Beam's own
    default first tries to download a binary.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    if stray := [word for before, word in pairwise(("=", *arguments)) if word[0:1] != "-" and _complete(before)]:
        raise PolicyError(f"Beam cannot take {len(stray)} of its arguments: give each as --name=value.")
    known = _parsed([])
    if unknown := _unknown(arguments, known):
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f" Did you mean --{near[0]}?" if near else ""
        raise PolicyError(f"Beam cannot take --{unknown[0]}: it has no such option.{hint}")
    if runner := _parsed(arguments)["runner"]:
        _refuse_missing(str(runner))
        return PipelineOptions(list(arguments))
    threads = f"--direct_num_workers={os.cpu_count() or 1}"
    return PipelineOptions(["--runner=FnApiRunner", "--direct_running_mode=in_memory", threads, *arguments])


def workers(options: Any) -> int:
    """Return how many workers the options ask for: what shards are dealt out to."""
    wanted = options.get_all_options()
    return int(wanted.get("direct_num_workers") or wanted.get("max_num_workers") or os.cpu_count() or 1)


def _complete(word: str) -> bool:
    """Tell whether a word leaves no room for a value behind it."""
    return "=" in word or not word.startswith("-")


def _unknown(arguments: Sequence[str], known: Mapping[str, Any]) -> list[str]:
    named = {word[2:].partition("=")[0] for word in arguments if word.startswith("--")}
    dashed = sorted(name for name in named if "-" in name)  # Beam would take it for the one with "_", and drop both
    return dashed or sorted(_parsed(arguments).keys() - known.keys())


def _parsed(arguments: Sequence[str]) -> Mapping[str, Any]:
    from apache_beam.options.pipeline_options import PipelineOptions

    told = io.StringIO()
    try:
        with redirect_stderr(told):
            options: Mapping[str, Any] = PipelineOptions(list(arguments)).get_all_options(retain_unknown_options=True)
    except SystemExit as ended:
        if not ended.code:  # it was asked for help and gave it
            raise
        why = told.getvalue().strip().rpartition("error: ")[2]  # all before it lists every option of Beam
        raise PolicyError(f"Beam cannot take its arguments: {why}.") from None
    if any((options[name] or 0) < 0 for name in ("direct_num_workers", "max_num_workers", "num_workers")):
        raise PolicyError("Beam cannot take a negative number of workers. Give 1 or more, or 0 for one per processor.")
    return options


def _refuse_missing(runner: str) -> None:
    from apache_beam.runners.runner import create_runner

    try:
        create_runner(runner)
    except Exception:  # noqa: BLE001 - each runner has errors of its own
        raise PolicyError(
            f"Beam cannot run on {runner}: it has no such runner, or the packages of that one are not installed. "
            "`shardwall doctor` tells which there are."
        ) from None
