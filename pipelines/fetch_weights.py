"""Download the weights of an open_clip model from its hub: the only place that does, and never inside a run.

The hub's own client asks, so its mirror (HF_ENDPOINT), its login and HF_HUB_OFFLINE hold.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from filters.errors import ModelError
from filters.towers import configured, described, import_open_clip
from pipelines.commit import sha256_of

HUB = "hf-hub:"
# As open_clip looks for them, safetensors first (open_clip/pretrained.py, 3.3.0).
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
CONFIGURATION = "open_clip_config.json"
DIGEST = re.compile(r"[0-9a-f]{64}")
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Weights that lie on this machine now: what a policy says of them."""

    model: str
    pretrained: str
    checkpoint: Path
    sha256: str

    def lines(self) -> list[str]:
        """Return the keys of the `[[filters]]` table, one a line."""
        tag = [f'pretrained = "{self.pretrained}"'] if self.pretrained else []
        return [f'model = "{self.model}"', *tag, f'checkpoint = "{self.checkpoint}"', f'sha256 = "{self.sha256}"']


@dataclass(frozen=True, slots=True)
class Place:
    """A repository of the hub, the files that would do in order, and where to put them (None: the user's cache)."""

    repository: str
    files: tuple[str, ...]
    folder: Path | None


def fetch_weights(model: str, tag: str = "", folder: Path | None = None, pinned: str = "") -> Fetched:
    """Download what `model` and `tag` name and check it, or raise ModelError; what came is kept for the next call.

    `model` is open_clip's name, or "hf-hub:owner/name", whose configuration is downloaded as well. `pinned` is the hex
    digest that a policy asks for.
    """
    if model.startswith(HUB):
        repository = model.removeprefix(HUB)
        path = str(_download(Place(repository, (CONFIGURATION,), folder), ""))
        described(configured(path))
        file = _download(Place(repository, WEIGHTS, folder), pinned)
        return Fetched(path, "", file, sha256_of(file))
    if not tag:
        raise ModelError(f"the weights of {model} cannot be fetched without a tag. It has {_tags(model)}.")
    described(configured(model, tag))
    repository, files = _source(model, tag)
    file = _download(Place(repository, files, folder), pinned)
    return Fetched(model, tag, file, sha256_of(file))


def _tags(model: str) -> str:
    described_model = configured(model)
    open_clip = import_open_clip()
    if model not in open_clip.list_models():
        described(described_model)  # raises, with the nearest name
    return ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none that are published"


def _source(model: str, tag: str) -> tuple[str, tuple[str, ...]]:
    """Return repository and files of a tag: open_clip writes "owner/name/file", or "owner/name/" for the usual ones."""
    place = import_open_clip().get_pretrained_cfg(model, tag).get("hf_hub", "")
    repository, _, file = place.rpartition("/")
    if not repository:
        raise ModelError(f"the weights {tag} of {model} are on no hub. Download them by hand, and pin their digest.")
    safe = [f"{file.rpartition('.')[0]}.safetensors"] if file.endswith((".bin", ".pth")) else []
    return repository, (*safe, file) if file else WEIGHTS


def _download(place: Place, pinned: str) -> Path:
    """Return the first of the files that the repository has, downloaded and checked."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import RemoteEntryNotFoundError

    for file in place.files:
        try:
            url = hf_hub_url(place.repository, file)
            known = get_hf_file_metadata(url)
            got = _got(place, file, url, known)
        except RemoteEntryNotFoundError:
            continue
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001 - the client has errors of its own, and of two libraries below it
            raise _told(place.repository, file, error) from None
        _check(got, known.etag or "", pinned)
        return got
    raise ModelError(
        f"{place.repository} holds none of {', '.join(place.files)}. Download its weights by hand, and pin them."
    )


def _got(place: Place, file: str, url: str, known: Any) -> Path:
    """Download a file whole, going on where an earlier call broke off; the client's own download begins anew."""
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    folder = (place.folder or cache() / place.repository.replace("/", "--")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    target, etag = folder / file, str(known.etag or "")
    if DIGEST.fullmatch(etag) and target.exists() and sha256_of(target) == etag:
        return target
    part = folder / f".{file}.{hashlib.sha256(etag.encode()).hexdigest()[:12]}.part"
    headers = build_hf_headers()
    if urlsplit(known.location).netloc != urlsplit(url).netloc:  # a signed address elsewhere: the login is not for it
        headers.pop("authorization", None)
    with part.open("ab") as stream:
        _alone(stream, file)
        have = stream.tell()
        _refuse_if_full(folder, file, (known.size or 0) - have)
        http_get(known.location, stream, resume_size=have, headers=headers, expected_size=known.size)
        os.fsync(stream.fileno())
        part.replace(target)
    return target


def cache() -> Path:
    """Return the folder below which weights are put where none is named: shardwall/weights in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shardwall" / "weights"


def _alone(stream: BinaryIO, file: str) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ModelError(f"{file} is being fetched by another call. Wait for it to end.") from None


def _refuse_if_full(folder: Path, file: str, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise ModelError(
            f"{file} cannot be stored: {wanted >> 20} MB are wanted and {free >> 20} MB are free. Make room, or give "
            "--folder with another disk."
        )


def _check(file: Path, announced: str, pinned: str) -> None:
    """Compare with the digest that the hub announces for large files, and with the one that is asked for."""
    actual = sha256_of(file)
    for wanted, whose in ((announced, "the hub announces"), (pinned.strip().lower(), "the policy pins")):
        if DIGEST.fullmatch(wanted) and wanted != actual:
            if whose == "the hub announces":
                file.unlink()
            raise ModelError(
                f"the weights {file.name} are not the ones that {whose}: their SHA-256 begins {actual[:12]}, not "
                f"{wanted[:12]}. Fetch them again; if that does not help, ask who publishes them."
            )


def _told(repository: str, file: str, error: Exception) -> ModelError:
    """Return a sentence of ours about what the client says; its own messages quote addresses."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, RepositoryNotFoundError

    again = "What came is kept: give the same command again"
    if isinstance(error, HFValidationError):
        return ModelError(f"{repository} is no name of a repository. Give hf-hub:owner/name.")
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(
            f"the hub shows no repository {repository}: it is gone, or asks for a login. Log in with the hub's own "
            "client (`hf auth login`) where it does."
        )
    if isinstance(error, OfflineModeIsEnabled):
        return ModelError(f"{file} cannot be fetched: HF_HUB_OFFLINE is set. Unset it, or fetch on another machine.")
    if isinstance(error, HfHubHTTPError):
        status = _status(error)
        return ModelError(f"{file} cannot be fetched: the hub answers with HTTP {status}. {again} later.")
    if isinstance(error, OSError) and error.errno in FULL:
        return ModelError(f"{file} cannot be stored: the disk is full. Make room, or give --folder. {again}.")
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR):
        return ModelError(f"{file} cannot be stored: {error.strerror}. Give --folder with one that can be written.")
    return ModelError(
        f"{file} cannot be fetched from {repository}: the hub cannot be reached, or broke off "
        f"({type(error).__name__}). {again}, or download it by hand."
    )


def _status(error: Any) -> object:
    return getattr(getattr(error, "response", None), "status_code", "an error")
