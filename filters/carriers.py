"""Addresses without scheme that another address carries: in a query by the name of its parameter, and behind a proxy.

A word with a dot may be a host or a file, so only places are looked at where it can hardly be anything else.
"""

import re
from collections.abc import Iterator

_HOST = r"(?:[a-z0-9_\-]+\.)+[a-z][a-z0-9\-]*"
_PARAMETER = re.compile(
    rf"(?:\A|[&;])[^=&;]*(?:ur[il]|u|src|image|img|link|href|source)=({_HOST}(?=[:/?&;]|\Z)[^&;]*)", re.IGNORECASE
)
# What WordPress and AMP serve from other sites lies below the host of the site, AMP's behind "/i/s/" and the like.
_PROXIES = re.compile(r"(?:\A|\.)(?:wp\.com|ampproject\.org)\Z")
_BEHIND = re.compile(rf"/(?:[^/.]*/)*({_HOST}/.*)", re.IGNORECASE)


def without_scheme(host: str, path: str, query: str) -> Iterator[str]:
    """Yield what reads like "host/path" in the parts of a canonical address."""
    for found in _PARAMETER.finditer(query):
        yield found[1]
    if _PROXIES.search(host) and (behind := _BEHIND.match(path)):
        yield behind[1] + (f"?{query}" if query else "")
        yield behind[1]
