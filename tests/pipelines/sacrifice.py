"""Filters that do to their process what a decoder might; the examining process imports them from here."""

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from filters.finding import Examine, Finding, Material
from filters.sample import Batch

TRAP = "codeword-trap"
CLEAN = Finding("trap", "looked")


@dataclass(frozen=True, slots=True)
class Trap:
    """Does what `deed` names over a batch with a sample whose caption holds the word TRAP, and looks at all others."""

    deed: str
    name: Literal["trap"] = "trap"
    target: str = ""

    @property
    def conclusive(self) -> tuple[str, ...]:
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        return ("looked",)

    def materials(self) -> tuple[Material, ...]:
        return ()

    def load(self) -> Examine:
        deed = DEEDS[self.deed]

        def examine(batch: Batch) -> Sequence[tuple[Finding, ...]]:
            answers = [(CLEAN,)] * len(batch)
            if any(TRAP in text for sample in batch.samples for text in sample.texts):
                answers = deed(self, answers)
            return answers

        return examine


def leave(_: Trap, answers: Any) -> Any:
    os._exit(0)


def segfault(_: Trap, answers: Any) -> Any:
    return ctypes.string_at(0)


def abort(_: Trap, answers: Any) -> Any:
    os.abort()


def sleep(_: Trap, answers: Any) -> Any:
    time.sleep(3600)


def sleep_holding_the_interpreter(_: Trap, answers: Any) -> Any:
    ctypes.PyDLL(None).sleep(3600)


def sleep_through_the_alarm(_: Trap, answers: Any) -> Any:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(3600)


def dribble(_: Trap, answers: Any) -> Any:
    """Keep every pipe busy with something that never becomes a line."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    pipes = [fd for fd in range(3, 64) if Path(f"/proc/self/fd/{fd}").exists()]
    while True:
        for descriptor in pipes:
            try:
                os.write(descriptor, b" ")
            except OSError:
                pipes.remove(descriptor)
        time.sleep(0.05)


def leave_someone_behind(_: Trap, answers: Any) -> Any:
    if not os.fork():
        time.sleep(3600)
    os._exit(0)


def write_a_file(trap: Trap, answers: Any) -> Any:
    with Path(trap.target).open("wb") as file:
        file.write(b"copied content")
    return answers


def allocate(_: Trap, answers: Any) -> Any:
    np.ones(1 << 40, np.uint8)
    return answers


def fail(_: Trap, answers: Any) -> Any:
    raise RuntimeError("quotes codeword-secret")


def answer_nothing(_: Trap, answers: Any) -> Any:
    return None


def answer_too_little(_: Trap, answers: Any) -> Any:
    return answers[1:]


def answer_words(_: Trap, answers: Any) -> Any:
    return ["looked"] * len(answers)


def answer_a_label_that_is_none(_: Trap, answers: Any) -> Any:
    return [(Finding("trap", 5),)] * len(answers)  # type: ignore[arg-type]


def answer_a_value_that_is_none(_: Trap, answers: Any) -> Any:
    return [(Finding("trap", "looked", 10**400),)] * len(answers)


def answer_without_end(_: Trap, answers: Any) -> Any:
    return [(Finding("trap", "x" * (2 << 20)),)] * len(answers)


def answer_not_a_number(_: Trap, answers: Any) -> Any:
    return [(Finding("trap", "looked", float("nan")),)] * len(answers)


def talk(_: Trap, answers: Any) -> Any:
    print('{"rows": []}', flush=True)
    os.write(1, b'{"rows": []}\n')
    os.write(2, b"noise\n")
    return answers


def tell_environment(_: Trap, answers: Any) -> Any:
    told = (*(Finding("trap", name) for name in os.environ), *(Finding("trap", text) for text in os.environ.values()))
    return [told] * len(answers)


def tell_limits(_: Trap, answers: Any) -> Any:
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE, prctl(2)
    core, size = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE))
    values = {"dumpable": dumpable, "core": core, "file size": size, "session": os.getsid(0) - os.getpid()}
    return [tuple(Finding("trap", name, value) for name, value in values.items())] * len(answers)


DEEDS: dict[str, Callable[[Trap, Any], Any]] = {
    deed.__name__: deed
    for deed in (
        *(leave, segfault, abort, sleep, sleep_holding_the_interpreter, sleep_through_the_alarm, dribble),
        *(leave_someone_behind, write_a_file, allocate, fail, talk, tell_environment, tell_limits),
        *(answer_nothing, answer_too_little, answer_words, answer_a_label_that_is_none, answer_a_value_that_is_none),
        *(answer_without_end, answer_not_a_number),
    )
}
