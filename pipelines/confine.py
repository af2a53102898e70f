"""What a process that parses hostile bytes denies itself; by itself, as each such process waits for its imports."""

import resource
import signal
from pathlib import Path


def confine(memory_bytes: int) -> None:
    """Let this process take so much more memory, and write no file."""
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + memory_bytes, in_use + memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
