"""Captions and pictures in which nobody's age can be told, through a run with the shipped terms and models."""

from pathlib import Path

import pytest

from filters.config import load_policy
from pipelines.clean import clean
from tests.corpora import Given, drawing, write_shard
from tests.pipelines.test_clean import ONE, decisions

POLICY = """
extends = "partition"
name = "captions and faces"
without = ["urls", "digests", "perceptual"]

[[lists]]
name = "coded"
path = "coded.csv"
kind = "terms"
category = "grooming"
categories = ["advertising", "sextortion", "ncii", "solicitation"]
columns = { value = "term", category = "category" }
"""
CODED = """term,category
codeword-advert,advertising
codeword-groom,grooming
codeword-extort,sextortion
codeword-offer,ncii
codeword-solicit,solicitation
"""
CAPTIONS = {
    "plain": ("a red square", "general"),
    "newborn": ("a newborn in a blanket", "minors"),
    "newborn-hidden": ("a n e w b o r n in a blanket", "minors"),
    "age": ("a girl, 7 years old", "minors"),
    "nude": ("nude woman, oil on canvas", "withheld"),  # nobody's age can be told
    "both": ("a newborn, n s f w", "withheld"),
    "named": ("Jo Example, 7 years old, a girl", "withheld"),
    "advertising": ("see codeword-advert", "withheld"),
    "grooming": ("see c0dew0rd-gr00m", "withheld"),
    "sextortion": ("see CODEWORD\u2011EXTORT", "withheld"),
    "ncii": ("see codeword\u200b-offer", "withheld"),
    "solicitation": ("see c.o.d.e.w.o.r.d.s.o.l.i.c.i.t", "withheld"),
}


@pytest.fixture(name="placed", scope="module")
def fixture_placed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("captions")
    for part in ("in", "policy"):
        (folder / part).mkdir()
    samples = [
        Given(f"{number:04d}", drawing(700 + number), text) for number, (text, _) in enumerate(CAPTIONS.values())
    ]
    write_shard(folder / "in" / "00000.tar", samples)
    (folder / "policy" / "coded.csv").write_text(CODED)
    path = folder / "policy" / "policy.toml"
    path.write_text(POLICY)
    clean(str(folder / "in"), folder / "out", load_policy(path), ONE)
    return {name: each.partition for name, each in zip(CAPTIONS, decisions(folder / "out"), strict=True)}


@pytest.mark.parametrize("name", CAPTIONS)
def test_a_caption_joins_what_the_picture_shows(placed: dict[str, str], name: str) -> None:
    assert placed[name] == CAPTIONS[name][1]
