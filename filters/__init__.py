"""Judge: pure filters over batches of samples. Never Beam, never pyarrow, never the other rooms."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filters.finding import Filter

# Every filter that a policy may name, in the order in which they always run: known material before any model.
FILTERS = {
    "urls": "filters.urls:UrlBlocklist",
    "digests": "filters.digests:DigestMatch",
    "perceptual": "filters.perceptual:PerceptualMatch",
    "plugged": "filters.plugged:PluggedMatch",
    "captions": "filters.captions:CaptionTerms",
    "minors": "filters.minors:FacesAndAge",
    "adult": "filters.adult:OpenNsfw",
    "encoder": "filters.encoder:ClipEncoder",
}

# The kind of [[lists]] that a list-driven filter reads.
LIST_KINDS = {
    "urls": "urls",
    "digests": "hashes",
    "perceptual": "hashes",
    "plugged": "hashes",
    "captions": "terms",
}


def filter_class(name: str) -> "type[Filter]":
    """Import and return the class of the filter of this name; KeyError when FILTERS does not know it."""
    module, _, class_name = FILTERS[name].partition(":")
    found: type[Filter] = getattr(import_module(module), class_name)
    return found
