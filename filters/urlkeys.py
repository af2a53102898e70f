"""The key of a compiled URL list: a secret that lies elsewhere than the list."""

import hashlib
import os
import secrets
import stat
from pathlib import Path

from filters.listsource import ListSource, refusal
from filters.urltables import KEY_BYTES

LEAST_CHARACTERS = 32  # of the secret; 64 hex digits are what is made here
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def list_key(source: ListSource) -> bytes:
    """Return the 32 bytes of the key that `key` names by variable or file; ListError, which quotes nothing, without it.

    The file is one line that nobody but its owner can read.
    """
    kind, place = _named(source)
    if kind == "env":
        return _derived(source, os.environ.get(place, ""))
    try:
        mode = Path(place).stat().st_mode
        text = Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(
            source, f"the file of its `key` cannot be read ({type(error).__name__}). Bring it, or build the list again"
        ) from None
    if mode & _OTHERS:
        raise refusal(source, "the file of its `key` can be read by others than its owner. Set its mode to 0600")
    return _derived(source, text)


def made_key(source: ListSource) -> bytes:
    """Return the key as `list_key` does, after making its file where there is none."""
    kind, place = _named(source)
    if kind == "file":
        try:
            Path(place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
        except FileExistsError:
            pass
        except OSError as error:
            why = f"the file of its `key` cannot be made ({type(error).__name__}). Correct `key`"
            raise refusal(source, why) from None
    return list_key(source)


def fingerprint(key: bytes) -> str:
    """Return what tells this key from another, and nothing else."""
    return hashlib.blake2b(b"shardwall: which key", digest_size=16, key=key).hexdigest()


def _named(source: ListSource) -> tuple[str, str]:
    kind, _, place = source.key.partition(":")
    if kind not in ("env", "file") or not place:
        raise refusal(
            source, 'a compiled list of URLs needs a `key`, named by "file:PATH" or "env:NAME". Keep it off the folder'
        )
    if kind == "file" and Path(source.path).resolve() in Path(place).resolve().parents:
        raise refusal(source, "its `key` lies in the folder of the list, for whoever copies it. Keep it elsewhere")
    return kind, place


def _derived(source: ListSource, text: str) -> bytes:
    secret = text.strip()
    if len(secret) < LEAST_CHARACTERS or not secret.isascii() or not secret.isprintable():
        raise refusal(source, f"its `key` is not one line of at least {LEAST_CHARACTERS} ASCII characters. Correct it")
    return hashlib.sha256(secret.encode()).digest()
