"""Print, as JSON, the PDQ hashes that python-threatexchange makes of files; runs in an environment that has it.

    python threatexchange_hashes.py none|rotations|unletterbox FILE...

One hash or none of each file as it lies; then besides, in a list of their own, those of its eight rotations, or of the
picture with its black borders taken off, both as the command line of threatexchange does it.
"""

import json
import sys
from pathlib import Path

from threatexchange.content_type.photo import PhotoContent
from threatexchange.signal_type.pdq.signal import PdqSignal

BLACK = 15  # levels: the default of `threatexchange hash --preprocess unletterbox`


def hashed(data: bytes) -> list[str]:
    """The hash of a file, or none: it raises for modes that it does not know."""
    try:
        found = PdqSignal.hash_from_bytes(data)
    except Exception:  # noqa: BLE001 - whatever it raises, it has no hash
        return []
    return [found] if found else []


def prepared(path: Path, how: str) -> list[str]:
    """The hashes of the picture once it was prepared, of those that can be made."""
    try:
        if how == "rotations":
            return [
                each for data in PhotoContent.all_simple_rotations(path.read_bytes()).values() for each in hashed(data)
            ]
        return hashed(PhotoContent.unletterbox(path, BLACK)) if how == "unletterbox" else []
    except Exception:  # noqa: BLE001 - whatever it raises, it has no hash
        return []


def main() -> None:
    how, *names = sys.argv[1:]
    files = [Path(name) for name in names]
    bare = [hashed(path.read_bytes()) for path in files]
    json.dump([bare, [prepared(path, how) for path in files]], sys.stdout)


if __name__ == "__main__":
    main()
