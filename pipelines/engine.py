"""Beam's own options, taken strictly: what Beam would only warn about is refused here."""

import difflib
import io
import os
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import Any

from filters.errors import PolicyError


def beam_options(arguments: Sequence[str]) -> Any:
    """Return PipelineOptions for the arguments after `--`, or raise PolicyError for one that Beam does not know.

    Without a runner: FnApiRunner, in memory, as many threads as there are processors. It is named because Beam's own
    default first tries to download a binary.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    options = PipelineOptions(list(arguments))
    known = set(PipelineOptions([]).get_all_options())
    given = _given(options)
    if unknown := sorted(set(given) - known):
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f" Did you mean --{near[0]}?" if near else ""
        raise PolicyError(f"Beam cannot take --{unknown[0]}: it has no such option.{hint}")
    if not given.get("runner"):
        embedded = ["--runner=FnApiRunner", "--direct_running_mode=in_memory", f"--direct_num_workers={workers(options)}"]
        return PipelineOptions([*arguments, *embedded[: 2 if given.get("direct_running_mode") else 3]])
    _refuse_unknown(str(given["runner"]))
    return options


def workers(options: Any) -> int:
    """Return how many workers the options ask for: what shards are dealt out to."""
    wanted = options.get_all_options()
    return int(wanted.get("direct_num_workers") or wanted.get("max_num_workers") or os.cpu_count() or 1)
