import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from filters.encoder import ClipEncoder
from filters.errors import ModelError
from filters.finding import examine
from filters.heads import HeadSource
from filters.scorers import chosen, installed, load_scorer
from tests.filters.photos import ASTRONAUT, COFFEE, pixels, showing
from tests.filters.tiny import encoder, whole_model

ON = "tiny/64@0123456789ab"
SHARPNESS = """
def sharpness(embedding, dimension):
    if dimension != 64:
        raise ValueError(embedding)
    def score(vector):
        return 0.5 + 0.5 * float(vector[0])
    return score
"""


def install(folder: Path, name: str = "sharpness", code: str = SHARPNESS, files: bool = True) -> None:
    """Lay out what pip leaves of a package of one module with one scorer."""
    module = f"scorer_of_{name}"
    (folder / f"{module}.py").write_text(code)
    about = folder / f"{module}-1.2.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(f"[shardwall.scorers]\n{name} = {module}:{name}\n")
    listed = [f"{module}.py,,", f"{about.name}/METADATA,,", f"{about.name}/RECORD,,", f"__pycache__/{module}.pyc,,"]
    (about / "RECORD").write_text("\n".join(listed[0 if files else 1 :]) + "\n")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the search path; what is imported from it is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for module in set(sys.modules) - before:
        if module.startswith("scorer_of_"):
            del sys.modules[module]


def pinned(name: str = "sharpness") -> HeadSource:
    [found] = [each for each in installed() if each.name == name]
    return HeadSource("codeword-sharp", scorer=name, sha256=found.sha256)


def test_an_installed_scorer_scores_the_embedding_of_every_picture(place: Path, tmp_path: Path) -> None:
    install(place)
    whole_model(tmp_path)
    parameters: ClipEncoder = encoder(tmp_path, pinned())
    loaded = parameters.load()
    photos = [pixels(ASTRONAUT)[:300, :300], pixels(COFFEE)[:300, :300]]
    embedded = loaded.embed(photos)
    found = [answer[0] for answer in loaded(showing(*photos))]
    assert [each.value for each in found] == [round(0.5 + 0.5 * float(vector[0]), 5) for vector in embedded]
    assert {each.source for each in found} == {pinned().sha256[:12]}
    [material] = [each for each in parameters.materials() if each.name == "scorer sharpness"]
    assert (material.version, material.sha256) == ("scorer_of_sharpness 1.2", pinned().sha256)


def test_a_scorer_is_not_imported_before_a_policy_names_it(place: Path) -> None:
    install(place, code="raise SystemExit")
    assert [each.name for each in installed()] == ["sharpness"]
    assert "scorer_of_sharpness" not in sys.modules


def test_the_digest_is_over_the_code_and_not_over_what_the_installer_leaves(place: Path) -> None:
    install(place)
    before = pinned().sha256
    (place / "scorer_of_sharpness-1.2.dist-info" / "INSTALLER").write_text("somebody")
    assert pinned().sha256 == before
    install(place, code=SHARPNESS + "#")
    assert pinned().sha256 != before


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (HeadSource("a", scorer="sharpnes"), r"no installed package brings it \(nearest: sharpness\)"),
        (HeadSource("a", scorer="sharpness"), "no digest is pinned"),
        (HeadSource("a", scorer="sharpness", sha256="0" * 64), "not the pinned one"),
    ],
)
def test_a_scorer_that_is_not_the_pinned_one_is_refused(place: Path, head: HeadSource, why: str) -> None:
    install(place)
    with pytest.raises(ModelError, match=why):
        chosen(head)


def test_a_scorer_whose_code_no_digest_covers_is_refused(place: Path) -> None:
    install(place, files=False)
    with pytest.raises(ModelError, match="no digest covers it"):
        chosen(HeadSource("a", scorer="sharpness", sha256="0" * 64))


def test_a_scorer_that_two_packages_bring_is_refused(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(place)
    (tmp_path / "other").mkdir()
    install(tmp_path / "other")
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    with pytest.raises(ModelError, match="two packages"):
        chosen(HeadSource("a", scorer="sharpness", sha256="0" * 64))


@pytest.mark.parametrize(
    "code", ["raise RuntimeError", "sharpness = None", "", "def sharpness(a, b): raise ValueError"]
)
def test_a_scorer_that_cannot_be_loaded_is_told_in_a_sentence(place: Path, code: str) -> None:
    install(place, code=code)
    with pytest.raises(ModelError, match="cannot be loaded for tiny/64"):
        load_scorer(pinned(), ON, 64)


@pytest.mark.parametrize(
    "body", ["return 2.0", "return float('nan')", "return None", "raise KeyError('x')", "return 'much'"]
)
def test_a_scorer_that_gives_no_score_leaves_its_sample_unexamined(place: Path, tmp_path: Path, body: str) -> None:
    install(
        place, code=f"def sharpness(embedding, dimension):\n    def score(vector):\n        {body}\n    return score"
    )
    whole_model(tmp_path)
    parameters = encoder(tmp_path, pinned())
    [sample] = examine(showing(pixels(COFFEE)), [(parameters, parameters.load())], b"key")
    assert [bool(each.unexamined) for each in sample.findings] == [True]


def test_what_a_scorer_does_to_its_vector_is_its_own_affair(place: Path) -> None:
    spoiling = "def sharpness(e, d):\n    def score(v):\n        v[:] = 0\n        return 0.5\n    return score"
    install(place, code=spoiling)
    vector = np.array([1.0] + [0.0] * 63, dtype=np.float32)
    head = load_scorer(pinned(), ON, 64)
    assert head.score(vector) == head.score(vector) == 0.5
    assert not math.isclose(float(vector[0]), 0)
