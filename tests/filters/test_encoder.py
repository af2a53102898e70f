import json
import math
import pickle
import re
import socket
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from filters.encoder import ClipEncoder, Encoded
from filters.errors import ModelError, PolicyError
from filters.finding import Finding, examine
from filters.heads import Head, HeadSource
from filters.minors import FacesAndAge
from filters.rasters import Raster, Rasters
from filters.towers import import_open_clip
from manifests.evidence import EVIDENCE_SCHEMA
from tests.filters.photos import ASTRONAUT, CAT, COFFEE, EVERY, pixels, plain, showing
from tests.filters.tiny import DIMENSION, MODEL, digest, encoder, head, whole_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clip")
    whole_model(made)
    return made


@pytest.fixture(scope="module")
def parameters(folder: Path) -> ClipEncoder:
    return encoder(folder, head(folder, "codeword-alpha", 1), head(folder, "codeword-beta", 2))


@pytest.fixture(scope="module")
def loaded(parameters: ClipEncoder) -> Encoded:
    return parameters.load()


def test_embeddings_are_those_of_open_clip_itself(tmp_path: Path, loaded: Encoded) -> None:
    model, open_clip = whole_model(tmp_path), import_open_clip()
    transform = open_clip.image_transform(64, is_train=False)
    photos = [pixels(photo) for photo in EVERY]
    with torch.inference_mode():
        stacked = torch.stack([transform(Image.fromarray(photo)) for photo in photos])
        theirs = model.encode_image(stacked, normalize=True).numpy()
    ours = loaded.embed(photos)
    assert ours.shape == (len(EVERY), DIMENSION)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() < 0.003  # a pixel may differ by one part of 255
    assert np.abs(theirs - theirs.mean(axis=0)).max() > 0.01  # the pictures are told apart


def test_a_score_is_the_head_over_the_embedding(folder: Path, loaded: Encoded) -> None:
    photo = pixels(ASTRONAUT)
    stored = load_file(folder / "codeword-beta.safetensors")
    logit = float(stored["weight"].double() @ torch.from_numpy(loaded.embed([photo])[0]).double() + stored["bias"])
    [[alpha, beta]] = loaded(showing(photo))
    assert (alpha.label, beta.label) == ("codeword-alpha", "codeword-beta")
    assert beta.value == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)
    assert beta.source == digest(folder / "codeword-beta.safetensors")[:12]
    assert beta.form == "as stored"


def test_neighbours_in_the_batch_do_not_matter(loaded: Encoded) -> None:
    shown = [pixels(photo) for photo in EVERY] + [plain(40, 50)]
    together = loaded.embed(shown)
    for order in (list(range(len(shown)))[::-1], [3, 1, 7, 0, 2, 6, 5, 4]):
        assert np.array_equal(loaded.embed([shown[each] for each in order]), together[order])
    assert all(np.array_equal(loaded.embed([each])[0], row) for each, row in zip(shown, together, strict=True))
    assert list(loaded(showing(*shown))) == [loaded(showing(each))[0] for each in shown]


def test_the_highest_score_of_all_pictures_counts_and_says_which(loaded: Encoded) -> None:
    photos = [pixels(photo)[:300, :300] for photo in (ASTRONAUT, COFFEE, CAT)]
    alone = [loaded(showing(photo))[0] for photo in photos]
    [together] = loaded(showing(Rasters(tuple(Raster(photo, f"frame {n}") for n, photo in enumerate(photos)))))
    for number, finding in enumerate(together):
        values = [findings[number].value or 0.0 for findings in alone]
        assert finding.value == max(values)
        assert finding.form == f"frame {values.index(max(values))}"


def test_what_lies_at_the_end_of_a_wide_picture_is_seen(folder: Path, loaded: Encoded) -> None:
    photo, background = pixels(ASTRONAUT)[:300, :300], plain(300, 300)
    towards, away = loaded.embed([photo, background])
    file = folder / "codeword-delta.safetensors"
    tensors = {"weight": torch.from_numpy(50 * (towards - away)), "bias": torch.zeros(1)}
    save_file(tensors, file, {"embedding": loaded.embedding})
    finds_it = encoder(folder, HeadSource("codeword-delta", str(file), digest(file))).load()
    [[alone], [nothing], [at_the_end]] = finds_it(
        showing(photo, background, np.hstack([*[background] * 4, photo]))
    )  # fmt: skip
    assert alone.value is not None
    assert nothing.value is not None
    assert alone.value - nothing.value > 0.1
    assert (at_the_end.value, at_the_end.form) == (alone.value, "as stored, square 9 of 9")


def test_a_good_score_does_not_hide_one_that_is_not_a_number(loaded: Encoded, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.9, math.nan, 0.8, 0.1, 0.2, 0.3])
    monkeypatch.setattr(Head, "score", lambda head, embedding: next(scores))
    pictures = Rasters(tuple(Raster(plain(9, 9), f"frame {number}") for number in range(3)))
    [[alpha, beta]] = loaded(showing(pictures))
    assert alpha.value is not None
    assert math.isnan(alpha.value)
    assert (beta.value, beta.form) == (0.3, "frame 2")


def test_a_strip_is_not_enlarged_without_end(loaded: Encoded) -> None:
    [[alpha, beta, rest]] = loaded(showing(plain(3, 60_000)))
    assert alpha.value is not None
    assert beta.value is not None
    assert rest.unexamined == "picture too long to examine"


def test_a_sample_without_a_picture_is_unexamined(loaded: Encoded) -> None:
    assert list(loaded(showing(Rasters()))) == [(Finding("encoder", "unexamined", unexamined="no image"),)]


def test_a_sample_that_was_seen_in_part_is_scored_and_unexamined(loaded: Encoded) -> None:
    partly = Rasters((Raster(plain(30, 30), "frame 0"),), unexamined="more than 64 frames")
    [[alpha, _, rest]] = loaded(showing(partly))
    assert alpha.value is not None
    assert rest.unexamined == "more than 64 frames"


def test_an_empty_batch_has_no_answers(loaded: Encoded) -> None:
    assert list(loaded(showing())) == []
    assert loaded.embed([]).shape == (0, DIMENSION)


@pytest.mark.parametrize("broken", [math.nan, 0.0], ids=["nan", "nought"])
def test_weights_that_give_no_number_leave_every_sample_unexamined(folder: Path, tmp_path: Path, broken: float) -> None:
    stored = load_file(folder / "tiny.safetensors")
    save_file({**stored, "visual.proj": stored["visual.proj"] * 0 + broken}, tmp_path / "tiny.safetensors")
    (tmp_path / "tiny.json").write_text(json.dumps(MODEL))
    parameters = encoder(tmp_path, head(tmp_path, "codeword-alpha", 1))
    [sample] = examine(showing(plain(50, 50)), [(parameters, parameters.load())], b"key")
    assert [(each.value, bool(each.unexamined)) for each in sample.findings] == [(None, True)]


def test_nothing_is_downloaded(parameters: ClipEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    parameters.load()


def test_without_a_checkpoint_it_refuses_to_run(folder: Path) -> None:
    bare = ClipEncoder(heads=(head(folder, "codeword-alpha", 1),))
    for attempt in (bare.load, bare.materials):
        with pytest.raises(ModelError, match="never a download inside a run"):
            attempt()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sha256": ""}, "no digest is pinned"),
        ({"sha256": "0" * 64}, "not the pinned ones"),
        ({"checkpoint": "gone.safetensors"}, "cannot be read"),
        ({"checkpoint": "open_clip_pytorch_model.bin"}, "cannot be read"),
        ({"checkpoint": "open_clip_pytorch_model.pkl"}, "a pickle"),
        ({"checkpoint": "model.onnx"}, "not ONNX"),
        ({"model": "ViT-B-33"}, "no model ViT-B-33"),
        ({"model": "gone.json"}, "cannot be read"),
        ({"model": "ViT-L-14"}, "different transforms"),
        ({"model": "ViT-L-14", "pretrained": "openia"}, "nearest: openai"),
    ],
    ids=lambda value: next(iter(value.items()))[1] if isinstance(value, dict) else None,
)
def test_a_model_that_is_not_in_place_is_refused(parameters: ClipEncoder, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ModelError, match=why):
        replace(parameters, **changed).load()


def test_a_head_of_another_encoder_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="fitted on ViT-B-32/512"):
        encoder(folder, head(folder, "codeword-gamma", 3, "ViT-B-32/512@000000000000")).load()
    with pytest.raises(ModelError, match="embedding has 64 numbers"):
        encoder(folder, head(folder, "codeword-gamma", 3, dimension=512)).load()


def test_an_encoder_without_a_head_or_with_two_of_one_name_is_refused(folder: Path) -> None:
    for heads in ((), (head(folder, "codeword-alpha", 1),) * 2, (head(folder, "unexamined", 4),)):
        for attempt in (encoder(folder, *heads).load, encoder(folder, *heads).materials):
            with pytest.raises(PolicyError, match="head"):
                attempt()


def test_it_pickles_and_names_its_weights(parameters: ClipEncoder, folder: Path) -> None:
    assert pickle.loads(pickle.dumps(parameters)) == parameters
    assert (parameters.conclusive, parameters.labels) == ((), ("codeword-alpha", "codeword-beta", "unexamined"))
    materials = parameters.materials()
    assert [each.name for each in materials] == [
        "tiny", "tiny configuration", "head codeword-alpha", "head codeword-beta",
    ]  # fmt: skip
    files = ("tiny.safetensors", "tiny.json", "codeword-alpha.safetensors", "codeword-beta.safetensors")
    assert [each.sha256 for each in materials] == [digest(folder / file) for file in files]
    assert materials[0].calibrated is False


def test_the_embedding_is_named_after_model_dimension_and_checkpoint(loaded: Encoded, folder: Path) -> None:
    assert loaded.embedding == f"tiny/64@{digest(folder / 'tiny.safetensors')[:12]}"


def test_no_embedding_of_anything_and_nobodys_identity_is_stored(parameters: ClipEncoder, loaded: Encoded) -> None:
    minors = FacesAndAge()
    [sample] = examine(showing(pixels(ASTRONAUT)), [(minors, minors.load()), (parameters, loaded)], b"key")
    assert {finding.filter for finding in sample.findings} == {"minors", "encoder"}
    for finding in sample.findings:
        assert all(isinstance(value, str | float | None) for value in astuple(finding))
    vectors = re.compile(r"list<\w+: (half)?(float|double)|binary|tensor")
    assert not vectors.search(str(EVIDENCE_SCHEMA.field("findings").type))
    assert vectors.search(str(pa.list_(pa.float32())))  # or the line above would hold for anything
