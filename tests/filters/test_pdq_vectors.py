"""PDQ, its distance and its matches are those that Meta publishes; vectors.json says where each vector comes from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filters.errors import ListError
from filters.fingerprints import fingerprints
from filters.hamming import HammingIndex, brute_force
from filters.lists import ListSource, read_hashes
from filters.pdq import dihedral, slow_dihedral
from filters.perceptual import PerceptualMatch
from filters.rasters import Limits, rasters
from filters.sample import Batch, Sample

FOLDER = Path(__file__).parent.parent / "vectors" / "pdq"
VECTORS: dict[str, Any] = json.loads((FOLDER / "vectors.json").read_text())
PICTURES = sorted(FOLDER.glob("*.jpg"))
ORIGINAL = "aaa-orig"


def row(value: str) -> Any:
    return np.frombuffer(bytes.fromhex(value), dtype=np.uint8)[None]


def distance(one: str, other: str) -> int:
    return int(brute_force(row(one), row(other), 256).distances[0])


def test_every_vector_says_where_it_comes_from() -> None:
    told = {*VECTORS["origin"]} - {"pictures"}
    assert told == {*VECTORS} - {"origin"}
    assert (FOLDER / "LICENSE-ThreatExchange.txt").read_text().startswith("BSD License")


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_published_picture_has_its_published_hash_and_the_best_quality(path: Path) -> None:
    picture = np.asarray(Image.open(path))
    for hashed in (dihedral, slow_dihedral):
        hashes, quality = hashed(picture)
        assert hashes[0].tobytes().hex() == VECTORS["bridge-mods"][path.stem]
        assert quality == 100


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_sample_that_holds_the_file_has_that_hash_among_its_fingerprints(path: Path) -> None:
    image = path.read_bytes()
    prints = fingerprints((image,), {}, rasters((image,), {}, Limits()))
    (found,) = (each for each in prints if each.kind == "pdq" and each.form == "as stored")
    assert (found.value.hex(), found.quality) == (VECTORS["bridge-mods"][path.stem], 100)


@pytest.mark.parametrize(("one", "other", "bits"), VECTORS["distances"])
def test_a_distance_is_the_published_one_in_either_order(one: str, other: str, bits: int) -> None:
    assert (distance(one, other), distance(other, one)) == (bits, bits)


def test_every_published_change_of_the_bridge_lies_within_a_match_of_the_original() -> None:
    """The folder shows what PDQ is meant to survive: blur, contrast, saturation, sharpening, shrinking, squeezing."""
    original = VECTORS["bridge-mods"][ORIGINAL]
    distances = {name: distance(original, value) for name, value in VECTORS["bridge-mods"].items()}
    assert max(distances.values()) <= 31
    assert distance(original, VECTORS["bridge-1"]) == 8  # two decoders of one file


@pytest.mark.parametrize(("query", "matches"), VECTORS["index"]["queries"])
def test_a_search_finds_what_is_published(query: str, matches: dict[str, int]) -> None:
    entries = np.concatenate([row(each) for each in VECTORS["index"]["entries"]])
    for found in (HammingIndex(entries).pairs(row(query), 31), brute_force(row(query), entries, 31)):
        pairs = zip(found.entries.tolist(), found.distances.tolist(), strict=True)
        assert dict(pairs) == {int(entry): bits for entry, bits in matches.items()}


def a_list(folder: Path, values: list[str]) -> ListSource:
    (folder / "list.txt").write_text("\n".join(values))
    return ListSource("published", str(folder / "list.txt"), "hashes", "csam", columns=(("algorithm", "=pdq"),))


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_list_of_the_published_hash_of_the_original_finds_a_changed_file(tmp_path: Path, path: Path) -> None:
    for listed in (VECTORS["bridge-mods"][ORIGINAL], VECTORS["bridge-1"]):
        filter_ = PerceptualMatch(lists=(a_list(tmp_path, [listed]),))
        ((finding,),) = list(filter_.load()(Batch([Sample("00000", "0", (path.read_bytes(),))])))
        assert finding.label == "csam"
        assert finding.form.startswith("as stored")  # nearest as it is, or at another size
        assert finding.value is not None
        assert finding.value <= distance(listed, VECTORS["bridge-mods"][path.stem])


@pytest.mark.parametrize("wrong", VECTORS["wrong"])
def test_what_is_published_as_no_hash_is_none_on_a_list(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ListError, match=r"not 64 hex digits of pdq \(line 2\)"):
        read_hashes(a_list(tmp_path, [VECTORS["bridge-1"], wrong]))
