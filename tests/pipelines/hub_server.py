"""An HTTP server on this machine that plays a model hub as far as its client asks, and misbehaves on request.

Made after what huggingface_hub 2.4.0 asks for: HEAD and GET of /owner/name/resolve/main/file, with X-Repo-Commit, ETag
(for large files the SHA-256) and ranges. The real hub was not at hand.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(slots=True)
class Hub:
    """What it holds by path ("owner/name/file"), how it misbehaves, and what it was asked: (method, path, range)."""

    files: dict[str, bytes]
    breaks_at: int = 0  # bytes of a body after which it hangs up, once; 0 for never
    etag: str = ""  # announced instead of the digest
    status: int = 0  # answered to everything
    missing: str = "EntryNotFound"
    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def hub(held: Hub) -> Iterator[Hub]:
    """Run the server; `held.url` is its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = self.path.lstrip("/").replace("/resolve/main/", "/").replace(f"/resolve/{COMMIT}/", "/")
            asked = self.headers.get("Range", "")
            held.asked.append((self.command, path, asked))
            data = held.files.get(path)
            if held.status or data is None:
                self.send_response(held.status or 404)
                if held.status in (0, 403):
                    self.send_header("X-Error-Code", held.missing)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(data) - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("ETag", f'"{held.etag or hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                end = start + held.breaks_at if held.breaks_at else len(data)
                held.breaks_at = 0
                self.wfile.write(data[start:end])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
