"""End a run whose worker process died: Beam's `multi_processing` mode would wait for it for ever."""

import _thread
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from filters.errors import ShardError

WORKER_DIED = "Worker subprocess exited"  # apache_beam 2.77, sdk_worker_main's keeper, raised in a thread of its own


@contextmanager
def worker_deaths_end_the_run() -> Iterator[None]:
    """Raise ShardError in the main thread as soon as Beam notices that a worker process is gone."""
    died = threading.Event()
    before = threading.excepthook

    def hook(told: threading.ExceptHookArgs) -> None:
        if WORKER_DIED in str(told.exc_value):
            died.set()
            _thread.interrupt_main()

    threading.excepthook = hook
    try:
        yield
    except KeyboardInterrupt:
        if not died.is_set():
            raise
        message = "A worker process died. Start the run again with the same words: what is finished is kept."
        raise ShardError(message) from None
    finally:
        threading.excepthook = before
