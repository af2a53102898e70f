"""Planted addresses: one blocklist, and the ways in which a listed address can be spelled.

Every host lies under .test or is a documentation address (RFC 2606, RFC 5737), so none of them exists.
"""

from collections.abc import Iterator
from dataclasses import replace

from pipelines.demo.rows import KEPT, WITHHELD, Plant, Row
from pipelines.demo.studio import Mode, Studio

FILTER = "urls"
LISTED_URLS = (
    "http://media.listed.test/gallery/photo-17.jpg",
    "all-listed.test/",
    "b\u00fccher-listed.test/",
    "http://192.0.2.17/pictures/9.jpg",
    "http://pages.listed.test/albums/4/",
)
OPTED_OUT = "opted-out.test"  # a host whose owner wants no picture of it used
OPT_OUTS = (f"{OPTED_OUT}/",)
ADULT_SITE = "adult-host.test"  # a host of grown-up material in this demonstration only
ADULT_SITES = (f"{ADULT_SITE}/",)

SPELLINGS: tuple[tuple[str, str], ...] = (
    ("as listed", "http://media.listed.test/gallery/photo-17.jpg"),
    ("other scheme", "https://media.listed.test/gallery/photo-17.jpg"),
    ("no scheme", "media.listed.test/gallery/photo-17.jpg"),
    ("upper case", "HTTP://Media.LISTED.Test/gallery/photo-17.jpg"),
    ("trailing dot", "http://media.listed.test./gallery/photo-17.jpg"),
    ("userinfo", "http://www.example.com:secret@media.listed.test/gallery/photo-17.jpg"),
    ("port", "http://media.listed.test:8080/gallery/photo-17.jpg"),
    ("dot segments", "http://media.listed.test/other/.././gallery/./photo-17.jpg"),
    ("doubled slashes", "http://media.listed.test//gallery///photo-17.jpg"),
    ("percent-encoded path", "http://media.listed.test/g%61llery/%70hoto-17%2Ejpg"),
    ("percent-encoded twice", "http://media.listed.test/gallery/%2570hoto-17.jpg"),
    ("percent-encoded host", "http://media.%6Cisted.test/gallery/photo-17.jpg"),
    ("query and fragment", "http://media.listed.test/gallery/photo-17.jpg?width=640#top"),
    ("backslashes", "http:\\\\media.listed.test\\gallery\\photo-17.jpg"),
    ("tab inside", "http://media.lis\tted.test/gallery/photo-17.jpg"),
    ("full-width host", "http://\uff4d\uff45\uff44\uff49\uff41.listed.test/gallery/photo-17.jpg"),
    ("ideographic full stop", "http://media\u3002listed\u3002test/gallery/photo-17.jpg"),
    ("soft hyphen in the host", "http://media.lis\u00adted.test/gallery/photo-17.jpg"),
    ("subdomain of a listed domain", "https://cdn.eu.all-listed.test/2024/image.png"),
    ("domain in Punycode", "https://xn--bcher-listed-dlb.test/page/1.jpg"),
    ("domain in Unicode, upper case", "https://B\u00dcCHER-LISTED.test/page/2.jpg"),
    ("IPv4 as one number", "http://3221226001/pictures/9.jpg"),
    ("IPv4 in octal", "http://0300.0.02.021/pictures/9.jpg"),
    ("IPv4 in hexadecimal", "http://0xC0.0x0.0x2.0x11/pictures/9.jpg"),
    ("below a listed folder", "http://pages.listed.test/albums/4/large/31.jpg"),
    ("carried by a redirector", "https://redirect.example.com/to?u=http%3A%2F%2Fall-listed.test%2Fa.jpg"),
)
LOOKALIKES: tuple[tuple[str, str], ...] = (
    ("longer name", "http://not-all-listed.test/gallery/photo-17.jpg"),
    ("listed host as a prefix", "http://media.listed.test.example.com/gallery/photo-17.jpg"),
    ("longer file name", "http://media.listed.test/gallery/photo-170.jpg"),
    ("sibling host", "http://press.listed.test/gallery/photo-17.jpg"),
    ("neighbouring IPv4", "http://192.0.2.18/pictures/9.jpg"),
)


def planted_urls(studio: Studio, mode: Mode) -> Iterator[Row]:
    """Yield a row for each spelling, for listed pages and captions, for lookalikes and for an unreadable address."""
    for case, url in SPELLINGS:
        yield replace(studio.row(studio.view(), mode, Plant(f"listed URL: {case}", WITHHELD, FILTER)), url=url)
    page = studio.row(studio.view(), mode, Plant("listed URL: the page it was found on", WITHHELD, FILTER))
    yield replace(page, columns={**page.columns, "page_url": "https://www.all-listed.test/story.html"})
    text = studio.row(studio.view(), mode, Plant("listed URL: named in the caption", WITHHELD, FILTER))
    yield replace(text, caption=f"{text.caption}, from www.all-listed.test/a")
    for case, url in LOOKALIKES:
        yield replace(studio.row(studio.thing(), mode, Plant(f"URL that is not listed: {case}", KEPT, "")), url=url)
    unreadable = studio.row(studio.view(), mode, Plant("URL that nobody can read", WITHHELD, FILTER))
    yield replace(unreadable, url="http://[2001:db8::zz]/image.jpg")
