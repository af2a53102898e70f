"""Ask a list's server for a page: bounded in time and size, tried again only where that can help, never redirected."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "::1", "localhost")
BLOCK = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how much to take."""

    silence: float = 60.0  # seconds without a byte
    page: float = 300.0  # seconds for one page
    bytes: int = 64 << 20  # of one page
    tries: int = 5
    pause: float = 1.0  # seconds before the second try, twice that before the third


@dataclass(frozen=True, slots=True)
class Server:
    """The address of a service, without "/" at its end, and the headers that say who asks."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent, and the time by its own clock, None when it does not say."""

    body: bytes = field(repr=False)
    date: datetime | None = None


class StatusError(Exception):
    """A server answered with an HTTP status that trying again will not change."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class UnansweredError(Exception):
    """No whole answer came; the message says why, and quotes none of it."""


Ask = Callable[[str], Answer]  # from the path and query below the server's address


def get(server: Server, path: str) -> Answer:
    """Return the answer to a GET, or raise StatusError or UnansweredError.

    A timeout, a connection that breaks and HTTP 5xx are tried again, after pauses that double; nothing else is. A
    redirect is a StatusError: it could lead the credentials elsewhere.
    """
    patience = server.patience
    why = ""
    for attempt in range(patience.tries):
        if attempt:
            time.sleep(patience.pause * 2 ** (attempt - 1))
        try:
            return _once(server, path)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                raise StatusError(error.code) from None
            why = f"it answers with HTTP {error.code}"
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            why = _passing(error)
    raise UnansweredError(f"{why}, {patience.tries} times in a row")


def check_address(url: str) -> str:
    """Return why an address cannot be asked; empty when it can. Only this machine is asked without encryption."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "it is no URL"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        return "it does not begin with https://"
    if not host or parts.username is not None or parts.query or parts.fragment:
        return "it is more, or less, than a host and a path"
    return ""


def _once(server: Server, path: str) -> Answer:
    request = urllib.request.Request(server.url + path, headers=dict(server.headers))  # noqa: S310 - see check_address
    deadline = time.monotonic() + server.patience.page
    with _opener().open(request, timeout=server.patience.silence) as response:
        return Answer(_body(response, server.patience, deadline), _date(response.headers.get("Date")))


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirect)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""


def _body(response: http.client.HTTPResponse, patience: Patience, deadline: float) -> bytes:
    """Return the whole body; a length that is announced must be kept."""
    announced = response.length
    received = bytearray()
    while block := response.read1(BLOCK):
        received += block
        if len(received) > patience.bytes:
            raise UnansweredError(f"a page is larger than {patience.bytes} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
    if announced is not None and len(received) != announced:
        raise ConnectionError
    return bytes(received)


def _passing(error: Exception) -> str:
    """Return what went wrong where another try may help; raise UnansweredError where none would."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "it does not answer in time"
    if isinstance(reason, (ConnectionError, http.client.HTTPException)):
        return "its connection breaks"
    raise UnansweredError(f"it cannot be reached ({type(reason).__name__})") from None


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header or "").astimezone(UTC)
    except (ValueError, TypeError):
        return None
