"""What is said of an error that has no sentence of its own: never its message, which could quote content."""

import traceback
from pathlib import Path


def sentence(error: BaseException) -> str:
    """Return why something failed and what to do; of the system's errors with the file that they are about."""
    if isinstance(error, OSError) and error.strerror:
        about = f"{error.filename} cannot be used" if error.filename else "The work cannot go on"
        return f"{about}: {error.strerror}. Mend that, then give the same command again."
    if isinstance(error, MemoryError):
        return "The work cannot go on: there is not enough memory. Give fewer workers, then the same command again."
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"An unexpected {type(error).__name__}{place}. This is a fault of Shardwall: report it."
