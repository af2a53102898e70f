import hashlib
import json
import math
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize

from filters.encoder import ClipEncoder, Encoded
from filters.errors import ModelError
from filters.heads import HeadSource
from filters.prompts import SHIPPED, read_prompts, shipped
from filters.texts import text_tower
from filters.towers import configured, import_open_clip
from tests.filters.photos import ASTRONAUT, EVERY, pixels, plain, showing
from tests.filters.tiny import digest

# Small, but for open_clip's own tokenizer, whose vocabulary it must have.
MODEL = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
SHAPES = """# Drawn shapes, for a test.
version: 7

templates:
  a picture of {}
  a drawing of {}

round:
  a circle
  an ellipse
angular:
  a square
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("prompts")
    torch.manual_seed(11)
    model = import_open_clip().CLIP(**MODEL).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, made / "small.safetensors")
    (made / "small.json").write_text(json.dumps(MODEL))
    (made / "shapes.txt").write_text(SHAPES)
    return made


def head(folder: Path, *classes: str, label: str = "codeword-round") -> HeadSource:
    return HeadSource(label, prompts=str(folder / "shapes.txt"), classes=classes)


def encoder(folder: Path, *heads: HeadSource) -> ClipEncoder:
    checkpoint = folder / "small.safetensors"
    return ClipEncoder(
        model=str(folder / "small.json"),
        checkpoint=str(checkpoint),
        sha256=digest(checkpoint),
        heads=heads,
        precision="fp32",
    )


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Encoded:
    return encoder(folder, head(folder, "round"), head(folder, "angular", label="codeword-angular")).load()


def test_logits_are_those_of_open_clips_own_zero_shot_example(folder: Path, loaded: Encoded) -> None:
    """As its README and tutorial do it: encode each wording, normalise, average, normalise; then 100 * image @ text."""
    open_clip = import_open_clip()
    model = open_clip.CLIP(**MODEL).eval()
    model.load_state_dict(load_file(folder / "small.safetensors"))
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    templates = ("a picture of {}", "a drawing of {}")
    names = ("a circle", "an ellipse", "a square")
    weights = []
    with torch.no_grad():
        for name in names:
            texts = model.encode_text(tokenizer([template.format(name) for template in templates]))
            mean = normalize(texts, dim=-1).mean(dim=0)
            weights.append(mean / mean.norm())
        transform = open_clip.image_transform(64, is_train=False)
        shown = torch.stack([transform(Image.fromarray(pixels(photo))) for photo in EVERY])
        images = model.encode_image(shown, normalize=True)
        theirs = (model.logit_scale.exp() * images @ torch.stack(weights, dim=1)).numpy()
    ours: Any = loaded._heads[0].judge
    embedded = loaded.embed([pixels(photo) for photo in EVERY])
    assert np.allclose([ours.logits(each) for each in images.numpy()], theirs, atol=1e-4)
    assert np.allclose([ours.logits(each) for each in embedded], theirs, atol=0.15)  # a pixel may be off by a part
    assert np.ptp(theirs, axis=1).min() > 0.1
    shares = torch.softmax(torch.from_numpy(theirs), dim=1).numpy()
    [findings] = loaded(showing(pixels(ASTRONAUT)[:400, :400]))
    assert sum(finding.value or 0 for finding in findings) == pytest.approx(1, abs=1e-4)
    scores = [loaded._heads[0].score(each) for each in images.numpy()]
    assert np.allclose(scores, shares[:, 0] + shares[:, 1], atol=1e-5)


def test_prompts_are_read_and_encoded_without_a_connection(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    encoder(folder, HeadSource("a", prompts="minors", classes=("child",))).load()


def test_a_score_is_the_same_whatever_its_neighbours(loaded: Encoded) -> None:
    shown = [pixels(photo) for photo in EVERY] + [plain(40, 50)]
    together = loaded(showing(*shown))
    assert [loaded(showing(each))[0] for each in shown] == list(together)


def test_what_is_recorded_is_name_version_and_digest_of_the_prompts(folder: Path) -> None:
    parameters = encoder(folder, head(folder, "round"), head(folder, "angular", label="b"))
    [material] = [each for each in parameters.materials() if each.name.startswith("prompts")]
    assert (material.name, material.version, material.calibrated) == ("prompts shapes", "version 7", False)
    assert material.sha256 == hashlib.sha256(SHAPES.encode()).hexdigest()
    [[finding, _]] = parameters.load()(showing(plain(50, 50)))
    assert finding.source == material.sha256[:12]


def test_a_pinned_prompt_file_must_be_that_file(folder: Path) -> None:
    pinned = replace(head(folder, "round"), sha256=digest(folder / "shapes.txt").upper())
    assert read_prompts(pinned).version == "7"
    with pytest.raises(ModelError, match="not the pinned ones"):
        read_prompts(replace(pinned, sha256="0" * 64))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SHAPES.replace("version: 7", ""), "needs `version"),
        (SHAPES.replace("{}", "{} {}"), "hold {} once"),
        (SHAPES.partition("angular")[0], "two classes"),
        (SHAPES + "empty:\n", "two classes"),
        (SHAPES + "no colon\n", "line 13"),
        (SHAPES + "round:\n  again\n", "line 13"),
        ("  a circle\n" + SHAPES, "line 1"),
        ("", "needs `version"),
    ],
    ids=["no-version", "two-places", "one-class", "empty-class", "no-colon", "twice", "indented", "nothing"],
)
def test_a_prompt_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "shapes.txt").write_text(text)
    with pytest.raises(ModelError, match=why):
        read_prompts(head(tmp_path, "round"))


def test_prompts_that_are_not_there_are_refused_with_the_nearest_name(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"minor \(nearest: minors\)"):
        read_prompts(HeadSource("a", prompts="minor", classes=("child",)))
    with pytest.raises(ModelError, match="cannot be read"):
        read_prompts(head(tmp_path, "round"))
    with pytest.raises(ModelError, match=r"no class rund \(nearest: round\)"):
        read_prompts(head(folder, "rund"))
    with pytest.raises(ModelError, match="counts every class"):
        read_prompts(head(folder, "round", "angular"))
    (tmp_path / "shapes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="cannot be read"):
        read_prompts(head(tmp_path, "round"))


def test_a_checkpoint_without_its_text_half_is_refused(folder: Path, tmp_path: Path) -> None:
    stored = load_file(folder / "small.safetensors")
    save_file({name: value for name, value in stored.items() if name.startswith("visual.")}, tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="text half"):
        text_tower(configured(str(folder / "small.json")), tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["ViT-B-16-SigLIP", "roberta-ViT-B-32", "nllb-clip-base"])
def test_a_model_whose_tokenizer_is_a_download_reads_no_prompts(name: str, folder: Path) -> None:
    with pytest.raises(ModelError, match="its tokenizer is a download"):
        text_tower(configured(name), folder / "small.safetensors")


def test_the_shipped_prompts_are_sound() -> None:
    assert shipped() == ("adult", "minors")
    for name in shipped():
        text = (SHIPPED / f"{name}.txt").read_text(encoding="utf-8")
        found = read_prompts(HeadSource("a", prompts=name, classes=("nobody",)))
        phrases = [phrase for each in found.classes.values() for phrase in each]
        assert len(phrases) == len(set(phrases)) > 10
        assert len(found.templates) > 3
        assert not math.isnan(int(found.version))
        assert text.startswith("#")


MINORS = ("infant", "toddler", "child", "adolescent", "teenager", "drawn-minor", "rendered-minor")
DEGREES = ("nobody", "clothed", "lightly-clothed", "medical", "art", "underwear", "partial-nudity", "nudity",
           "sexual-activity")  # fmt: skip


def test_minors_go_from_infant_to_teenager_drawn_and_rendered_too_and_adult_content_goes_by_degrees() -> None:
    minors = read_prompts(HeadSource("minor", prompts="minors", classes=MINORS))
    adult = read_prompts(HeadSource("adult", prompts="adult", classes=DEGREES[-2:]))
    assert tuple(minors.classes)[: len(MINORS)] == MINORS
    assert tuple(adult.classes) == DEGREES


def test_the_words_about_minors_and_those_about_adult_content_are_never_in_one_file() -> None:
    words = {name: (SHIPPED / f"{name}.txt").read_text(encoding="utf-8").casefold() for name in shipped()}
    assert not [word for word in ("nud", "sex", "undress", "porn", "lingerie", "underwear") if word in words["minors"]]
    young = ("child", "teen", "infant", "baby", "girl", "boy", "toddler", "minor", "school")
    assert not [word for word in young if word in words["adult"]]
