"""Planted ties: samples that share bytes, a picture or a page, where one carries what the other must inherit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from filters.policy import MINOR
from pipelines.demo.captions import ADULT_WORD, MINOR_WORD
from pipelines.demo.photos import View
from pipelines.demo.rows import KEPT, MINORS, TIES, WITHHELD, Plant, Row
from pipelines.demo.studio import Mode, Studio
from pipelines.demo.urls import ADULT_SITE, OPTED_OUT


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows that are tied, to be put in different shards."""

    first: Row
    second: Row


def planted_ties(studio: Studio, mode: Mode) -> Iterator[Pair]:
    """Yield pairs tied by bytes, by likeness and by page; in each, one side's evidence meets the other's."""
    both = Plant("same bytes, adult evidence here and minor evidence there", WITHHELD, TIES)
    first = studio.row(studio.face(), mode, both)
    yield Pair(_adult_site(first), _minor_word(replace(_copy(studio, first), plant=both)))
    near = Plant("same picture in another encoding, adult evidence here and minor evidence there", WITHHELD, TIES)
    view = studio.face()
    yield Pair(_adult_word(studio.row(view, mode, near)), _minor_word(studio.row(_smaller(view), mode, near)))
    page = Plant("same page, adult evidence here and minor evidence there", WITHHELD, TIES)
    first, second = studio.row(studio.face(), mode, page), studio.row(studio.thing(), mode, page)
    first, second = _adult_word(first), _minor_word(second)
    yield Pair(_on(first, "https://news.example.org/story"), _on(second, "HTTPS://News.Example.ORG:443/a/../story"))
    heir = Plant("same bytes, minor evidence on the other only", MINORS, MINOR)
    first = studio.row(studio.thing(), mode, Plant("minor evidence: caption", MINORS, "captions"))
    yield Pair(_minor_word(first), replace(_copy(studio, first), plant=heir))
    listed = Plant("same page as a listed picture", WITHHELD, TIES)
    first = studio.row(studio.view(), mode, Plant("listed URL: on a page with others", WITHHELD, "urls"))
    second = studio.row(studio.thing(), mode, listed)
    first = replace(first, url="https://all-listed.test/on-a-page.jpg")
    yield Pair(_on(first, "https://news.example.org/other"), _on(second, "https://news.example.org/other#picture"))
    yield from _opt_outs(studio, mode)


def _opt_outs(studio: Studio, mode: Mode) -> Iterator[Pair]:
    """Yield an opted-out picture with a copy of it, which shares its lot, and one with a page-mate, which does not."""
    out = Plant("opted-out URL", WITHHELD, "urls")
    first = studio.row(studio.thing(), mode, out)
    copy = replace(_copy(studio, first), plant=Plant("same bytes as an opted-out picture", WITHHELD, TIES))
    yield Pair(replace(first, url=f"https://{OPTED_OUT}/1.jpg"), copy)
    first = studio.row(studio.thing(), mode, out)
    mate = studio.row(studio.thing(), mode, Plant("same page as an opted-out picture", KEPT, ""))
    first = replace(first, url=f"https://{OPTED_OUT}/2.jpg")
    yield Pair(_on(first, "https://news.example.org/third"), _on(mate, "https://news.example.org/third"))


def _copy(studio: Studio, row: Row) -> Row:
    """Return a row with the same file, found at another address."""
    other = studio.row(studio.thing(), "as downloaded")
    return replace(row, url=other.url, caption=other.caption, columns=other.columns)


def _smaller(view: View) -> View:
    size = round(view.image.width * 0.7), round(view.image.height * 0.7)
    return replace(view, pixels=np.asarray(view.image.resize(size, Image.Resampling.BILINEAR)))


def _adult_site(row: Row) -> Row:
    return replace(row, url=f"https://{ADULT_SITE}/{row.sha256[:12]}.jpg")


def _adult_word(row: Row) -> Row:
    return replace(row, caption=f"{row.caption} {ADULT_WORD}")


def _minor_word(row: Row) -> Row:
    return replace(row, caption=f"{row.caption} {MINOR_WORD}")


def _on(row: Row, page: str) -> Row:
    return replace(row, columns={**row.columns, "page_url": page})
