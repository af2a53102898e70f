"""What every filter of the registry keeps to. A new filter joins by a benign instance of it in READY."""

import dataclasses
import hashlib
import io
import json
import math
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file

from filters import FILTERS, filter_class
from filters.adult import OpenNsfw
from filters.captions import CaptionTerms
from filters.digests import DigestMatch
from filters.finding import FINGERPRINTS, PIXELS, Examine, Filter, Finding, examine, looks_at
from filters.fingerprints import fingerprints
from filters.lists import ListSource
from filters.minors import FacesAndAge
from filters.perceptual import PerceptualMatch
from filters.plugged import PluggedMatch
from filters.policy import UNEXAMINED
from filters.rasters import NO_IMAGE, Limits, rasters
from filters.sample import Batch, Sample
from filters.urls import UrlBlocklist
from tests.corpora import LISTED_URL, LISTED_WORD, drawing
from tests.filters.gradients import HASH, PLUGIN
from tests.filters.photos import ASTRONAUT, file
from tests.filters.tiny import MODEL, encoder, head, whole_model

KNOWN = drawing(900)
KEY = b"key of a test"


def listing(folder: Path, kind: Any, category: str, entry: str, algorithm: str = "") -> ListSource:
    """Write a list of one entry and return what a policy says of it."""
    path = folder / f"{category}.txt"
    path.write_text(f"hash\n{entry}\n" if algorithm else f"{entry}\n")
    columns = (("value", "hash"), ("algorithm", f"={algorithm}")) if algorithm else ()
    return ListSource(category, str(path), kind, category, columns=columns)


def urls(folder: Path) -> Filter:
    return UrlBlocklist(lists=(listing(folder, "urls", "listed-address", LISTED_URL),))


def digests(folder: Path) -> Filter:
    known = hashlib.sha256(KNOWN).hexdigest()
    return DigestMatch(lists=(listing(folder, "hashes", "listed-file", known, "sha256"),))


def perceptual(folder: Path) -> Filter:
    prints = fingerprints((KNOWN,), {}, rasters((KNOWN,), {}, Limits()))
    known = next(each.value.hex() for each in prints if each.kind == "pdq")
    return PerceptualMatch(lists=(listing(folder, "hashes", "listed-view", known, "pdq"),))


def plugged(folder: Path) -> Filter:
    known = HASH.hash(np.asarray(Image.open(io.BytesIO(KNOWN)).convert("RGB")))
    return PluggedMatch(
        hash="gradients", lists=(listing(folder, "hashes", "listed-shape", (known or b"").hex(), "gradients"),)
    )


def captions(folder: Path) -> Filter:
    return CaptionTerms(lists=(listing(folder, "terms", "listed-word", LISTED_WORD),))


def tiny_encoder(folder: Path) -> Filter:
    whole_model(folder)
    return encoder(folder, head(folder, "codeword-beta", 1), head(folder, "codeword-gamma", 2))


def broken_encoder(folder: Path) -> Filter:
    whole_model(folder)
    stored = load_file(folder / "tiny.safetensors")
    save_file({**stored, "visual.proj": stored["visual.proj"] * math.nan}, folder / "tiny.safetensors")
    (folder / "tiny.json").write_text(json.dumps(MODEL))
    return encoder(folder, head(folder, "codeword-beta", 1))


@dataclass(frozen=True)
class Ready:
    """How to make a filter: `looks` says that it decodes pictures, `broken` makes one whose weights are not numbers."""

    make: Callable[[Path], Filter]
    looks: bool = False
    broken: Callable[[Path], Filter] | None = None


READY = {
    "urls": Ready(urls),
    "digests": Ready(digests),
    "perceptual": Ready(perceptual, looks=True),
    "plugged": Ready(plugged, looks=True),
    "captions": Ready(captions),
    "minors": Ready(lambda _: FacesAndAge(), looks=True),
    "adult": Ready(lambda _: OpenNsfw(), looks=True),
    "encoder": Ready(tiny_encoder, looks=True, broken=broken_encoder),
}


@dataclass(frozen=True)
class Loaded:
    """A filter and the function that it loads into."""

    name: str
    parameters: Filter
    run: Examine

    def answers(self, *samples: Sample) -> list[tuple[Finding, ...]]:
        return list(self.run(Batch(samples)))

    def chain(self, *samples: Sample) -> list[tuple[Finding, ...]]:
        return [each.findings for each in examine(Batch(samples), [(self.parameters, self.run)], KEY)]


@pytest.fixture(scope="module", autouse=True)
def _installed() -> Iterator[None]:
    """Install the plug-in for these tests alone: others ask what happens without it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PLUGIN)
        yield


@pytest.fixture(scope="module", params=FILTERS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    parameters = READY[request.param].make(tmp_path_factory.mktemp(request.param))
    return Loaded(request.param, parameters, parameters.load())


def sample(number: int, *images: bytes, text: str = "a drawing", url: str = "http://ok.test/1") -> Sample:
    return Sample("00000", f"{number:04d}", images, (text,), (url,), {"url": url, "caption": text})


def animation() -> bytes:
    frames = [Image.open(io.BytesIO(drawing(seed))) for seed in (1, 2)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()


def mixed() -> list[Sample]:
    """Samples of every kind: what each filter finds, what it does not, and what nobody can look at."""
    return [
        sample(0, drawing(1)),
        sample(1, KNOWN),
        sample(2, b"no picture at all"),
        sample(3, file(ASTRONAUT).read_bytes()),
        sample(4),
        sample(5, drawing(2), text=f"says {LISTED_WORD}", url=LISTED_URL),
        sample(6, drawing(3)[:-200], url="http://[broken"),
        sample(7, animation()),
        sample(8, drawing(4), drawing(5)),
        Sample("00000", "0009", (drawing(6, 40),)),
    ]


def test_every_filter_of_the_registry_is_held_to_the_contract() -> None:
    assert list(READY) == list(FILTERS)


def test_it_is_a_frozen_dataclass_that_bears_its_registered_name(loaded: Loaded) -> None:
    assert type(loaded.parameters) is filter_class(loaded.name)
    assert loaded.parameters.name == loaded.name
    params = type(loaded.parameters).__dataclass_params__  # type: ignore[attr-defined]
    assert dataclasses.is_dataclass(loaded.parameters)
    assert params.frozen


def test_one_that_needs_a_picture_says_what_it_looks_at_and_no_other_does(loaded: Loaded) -> None:
    """So that a corpus of addresses leaves out those with nothing to look at, and no others."""
    (found,) = loaded.answers(sample(0))
    without = any(each.unexamined == NO_IMAGE for each in found)
    assert looks_at(loaded.parameters) in ((PIXELS, FINGERPRINTS) if without else ("",))


def test_its_parameters_survive_a_pickle(loaded: Loaded) -> None:
    again = pickle.loads(pickle.dumps(loaded.parameters))
    assert again == loaded.parameters
    assert hash(again) == hash(loaded.parameters)
    assert again.materials() == loaded.parameters.materials()


def test_what_it_rests_on_is_named_with_a_digest(loaded: Loaded) -> None:
    materials = loaded.parameters.materials()
    assert materials
    assert all(each.kind in ("list", "weights", "plug-in") and len(each.sha256) == 64 for each in materials)


def test_an_empty_batch_has_no_answers(loaded: Loaded) -> None:
    assert loaded.answers() == []


def test_neighbours_do_not_matter(loaded: Loaded) -> None:
    samples = mixed()
    together = loaded.answers(*samples)
    assert [loaded.answers(each)[0] for each in samples] == together
    assert loaded.answers(*reversed(samples)) == together[::-1]
    half = Batch(samples).take([7, 1, 3])
    assert list(loaded.run(half)) == [together[7], together[1], together[3]]


def test_findings_bear_its_name_and_labels_that_it_declares(loaded: Loaded) -> None:
    findings = [finding for answer in loaded.answers(*mixed()) for finding in answer]
    found = {finding.label for finding in findings if not finding.unexamined}
    assert {finding.filter for finding in findings} == {loaded.name}
    assert found  # or the next line would hold for a filter that finds nothing
    assert found <= set(loaded.parameters.labels)
    assert set(loaded.parameters.conclusive) <= set(loaded.parameters.labels)
    assert all(finding.label in (*loaded.parameters.labels, UNEXAMINED) for finding in findings)


UNDECODABLE = [
    b"",
    b"no picture at all",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"\x89PNG\r\n\x1a\n" + bytes(40),
    drawing(1)[:600],
]


def test_an_undecodable_image_is_never_examined_and_clean(loaded: Loaded) -> None:
    samples = [sample(number, image) for number, image in enumerate(UNDECODABLE)]
    assert all(any(finding.unexamined for finding in answer) for answer in loaded.chain(*samples))
    if READY[loaded.name].looks:
        assert all(any(finding.unexamined for finding in answer) for answer in loaded.answers(*samples))


def test_a_sample_without_an_image_is_never_examined_and_clean(loaded: Loaded) -> None:
    [answer] = loaded.chain(sample(0))
    assert any(finding.unexamined for finding in answer)


def hurt(change: tuple[int, bytes]) -> bytes:
    """Return a drawing with some bytes written over others."""
    data, (place, bytes_) = bytearray(drawing(7, 48)), change
    data[place % len(data) : place % len(data) + len(bytes_)] = bytes_
    return bytes(data)


images = st.lists(
    st.binary(max_size=200) | st.builds(hurt, st.tuples(st.integers(0), st.binary(max_size=8))), max_size=2
)
strings = st.text(st.characters(), max_size=40) | st.sampled_from([LISTED_URL, LISTED_WORD, "http://[", "//", "\ud800"])
metas = st.dictionaries(
    st.sampled_from(["url", "caption", "md5", "sha256", "width"]), strings | st.integers() | st.floats()
)


@given(st.lists(st.tuples(images, st.lists(strings, max_size=2), st.lists(strings, max_size=2), metas), max_size=2))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_answered_and_never_raised(loaded: Loaded, given_samples: Sequence[tuple[Any, ...]]) -> None:
    samples = [
        Sample("00000", str(number), tuple(files), tuple(texts), tuple(addresses), meta)
        for number, (files, texts, addresses, meta) in enumerate(given_samples)
    ]
    answers = loaded.answers(*samples)
    assert len(answers) == len(samples)
    assert all(finding.filter == loaded.name for answer in answers for finding in answer)


class NotNumbers:
    """An onnxruntime session whose every answer is not a number."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def run(self, *given: Any) -> list[Any]:
        return [np.full_like(answer, math.nan) for answer in self._real.run(*given)]


def test_a_model_that_gives_no_number_has_examined_nothing(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if all(material.kind != "weights" for material in loaded.parameters.materials()):
        return  # no model
    for module in [module for name, module in sys.modules.items() if name.startswith("filters.")]:
        if real := getattr(module, "session", None):
            monkeypatch.setattr(module, "session", lambda model, real=real: NotNumbers(real(model)))
    broken = (READY[loaded.name].broken or READY[loaded.name].make)(tmp_path)
    shown = sample(0, file(ASTRONAUT).read_bytes())
    [answer] = Loaded(loaded.name, broken, broken.load()).chain(shown)
    assert [(finding.value, bool(finding.unexamined)) for finding in answer] == [(None, True)] * len(answer)
    assert answer
    [sound] = loaded.chain(shown)
    assert not any(finding.unexamined for finding in sound)
