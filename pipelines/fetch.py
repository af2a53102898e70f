"""Fetch a list from its authority into its folder, and go on where an earlier call ended or was killed."""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filters.listsource import ListSource
from pipelines.fetch_folder import Folder, alone, unfetched
from pipelines.fetch_http import Answer, Ask, Patience, Server, StatusError, UnansweredError, check_address, get
from pipelines.fetch_ncmec import fetch_ncmec
from pipelines.fetch_stopncii import fetch_stopncii

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Service:
    """An authority's service: how it is fetched, where to practise, and what its two credentials become."""

    fetch: Callable[[ListSource, Folder, Ask], None]
    test_url: str  # used where the policy names none; empty where no test service is documented
    headers: Callable[[str, str], Headers]


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a call did: where it asked, how many pages it kept, and up to when the list is complete (ISO 8601, UTC)."""

    url: str
    pages: int
    complete: str


def _basic(user: str, password: str) -> Headers:
    return (("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()),)


def _functions_key(function: str, subscription: str) -> Headers:
    return (("x-functions-key", function), ("Ocp-Apim-Subscription-Key", subscription))


SERVICES = {
    "ncmec-v2": Service(fetch_ncmec, "https://exttest.cybertip.org/hashsharing", _basic),
    "stopncii-v1": Service(fetch_stopncii, "", _functions_key),
}


def fetch(source: ListSource, base: Path, patience: Patience | None = None) -> Fetch:
    """Bring a list up to the present, or raise ListError; what came until then is kept for the next call.

    `base` is the folder from which the files of `credentials` are seen: that of the policy.
    """
    service = SERVICES.get(source.format)
    if service is None:
        raise unfetched(source, f'its `format` is "{source.format}"; {" and ".join(SERVICES)} can be fetched')
    url = (source.url or service.test_url).rstrip("/")
    if not url:
        raise unfetched(source, "no test service is documented for it; name the real one as its `url`")
    if why := check_address(url):
        raise unfetched(source, f"its `url` cannot be asked: {why}; correct it")
    server = Server(url, service.headers(*_credentials(source, base)), patience or Patience())
    with alone(source):
        folder = Folder(source, url)
        _told(source, service, folder, server)
    return Fetch(url, folder.saved, folder.note.complete)


def _told(source: ListSource, service: Service, folder: Folder, server: Server) -> None:
    """Fetch, and turn what the server did into a sentence of ours: never into one of its own."""

    def ask(path: str) -> Answer:
        return get(server, path)

    try:
        service.fetch(source, folder, ask)
    except StatusError as error:
        if error.status in (401, 403):
            why = (
                f"its server refuses the credentials (HTTP {error.status}); check them, and that {server.url} is meant"
            )
            raise unfetched(source, why) from None
        raise unfetched(source, f"its server answers with HTTP {error.status}; check `url`, or try later") from None
    except UnansweredError as error:
        raise unfetched(source, f"of its server: {error}; what came is kept, so try again later") from None
    except OSError as error:
        raise unfetched(source, f"its folder cannot be written ({error.strerror}); make room, then try again") from None


def _credentials(source: ListSource, base: Path) -> tuple[str, str]:
    """Return the two secrets that the policy names by variable or file; no message quotes one, or where it lies."""
    if len(source.credentials) != 2:
        raise unfetched(source, 'its `credentials` are to be two, such as ["env:NAME", "file:PATH"]')
    first, second = (_secret(source, reference, base) for reference in source.credentials)
    return first, second


def _secret(source: ListSource, reference: str, base: Path) -> str:
    kind, _, place = reference.partition(":")
    number = source.credentials.index(reference) + 1
    if kind not in ("env", "file") or not place:
        raise unfetched(source, f'credential {number} does not begin with "env:" or "file:"; name where it is')
    try:
        secret = os.environ.get(place, "") if kind == "env" else (base / place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unfetched(source, f"credential {number} cannot be read ({type(error).__name__}); correct it") from None
    secret = secret.strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise unfetched(source, f"credential {number} is empty, or not one line of ASCII; correct it")
    return secret
