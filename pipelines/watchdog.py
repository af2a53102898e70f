"""End a run whose worker process died: Beam's `multi_processing` mode would wait for it for ever."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from filters.errors import ShardError

WORKER_DIED = "Worker subprocess exited"  # apache_beam 2.77, sdk_worker_main's keeper, raised in a thread of its own
WORKER = b"sdk_worker_main"
AGAIN = 0.2  # seconds until workers are looked for once more: one may have been about to start
INTERRUPTED_EVERY = 50  # looks, which is ten seconds


@contextmanager
def worker_deaths_end_the_run() -> Iterator[None]:
    """Raise ShardError in the main thread as soon as Beam notices that a worker process is gone."""
    died, over = threading.Lock(), threading.Event()
    before = threading.excepthook

    def hook(told: threading.ExceptHookArgs) -> None:
        if WORKER_DIED in str(told.exc_value) and died.acquire(blocking=False):
            threading.Thread(target=_end, args=(over,), daemon=True).start()

    threading.excepthook = hook
    try:
        yield
    except KeyboardInterrupt:
        if not died.locked():
            raise
        message = "A worker process died. Start the run again with the same words: what is finished is kept."
        raise ShardError(message) from None
    finally:
        over.set()
        threading.excepthook = before


def _end(over: threading.Event) -> None:
    """Interrupt the main thread and kill the other workers until the run is over.

    On its way out Beam joins each worker, and they wait for work; and where it starts one it may swallow an interrupt.
    """
    for turn in count():
        if turn % INTERRUPTED_EVERY == 0:  # unlike _thread.interrupt_main this wakes a thread that waits for a lock
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        for pid in _descendants(os.getpid()):
            with suppress(OSError):
                if WORKER in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
        if over.wait(AGAIN):
            return


def _descendants(pid: int) -> list[int]:
    """Return the processes that `pid` has started, and those that they have; none where there is no /proc."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            found.extend(map(int, (task / "children").read_text().split()))
    return [each for child in found for each in (child, *_descendants(child))]
