import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filters.preprocess import Preprocess, preprocess
from filters.towers import PREPROCESS, import_open_clip
from tests.filters.photos import ASTRONAUT, CAT, COFFEE, pixels

OPEN_CLIP = import_open_clip()
PARTS = 2  # of 255: how far a pixel may be from open_clip's; most are the same


def published() -> list[tuple[object, dict[str, object]]]:
    """Every size and transform that a published checkpoint of open_clip has."""
    found: dict[str, tuple[object, dict[str, object]]] = {}
    for model, tag in OPEN_CLIP.list_pretrained():
        given_ = OPEN_CLIP.get_pretrained_cfg(model, tag)
        size = OPEN_CLIP.get_model_config(model)["vision_cfg"].get("image_size", 224)
        chosen = {key: given_[key] for key in PREPROCESS if given_.get(key) is not None}
        found[f"{size} {chosen}"] = (size, chosen)
    return list(found.values())


def parts(ours: Preprocess, picture: np.ndarray) -> np.ndarray:
    """How many parts of 255 each pixel is from open_clip's own transform of the same picture."""
    theirs = ours.slow(Image.fromarray(picture))
    difference = (ours([picture])[0] - theirs).abs()
    found: np.ndarray = (difference * torch.tensor(ours.std)[:, None, None] * 255).numpy()
    return found


PUBLISHED = published()


@pytest.mark.parametrize(("size", "chosen"), PUBLISHED, ids=[str(size) for size, _ in PUBLISHED])
def test_every_published_transform_gives_open_clips_pixels(size: int, chosen: dict[str, object]) -> None:
    ours = preprocess(size, chosen, OPEN_CLIP)
    for photo in (pixels(ASTRONAUT), pixels(COFFEE)[:, :230], pixels(CAT, 0.3)):
        off = parts(ours, photo)
        assert off.shape == (3, *ours.size)
        assert off.max() < PARTS + 0.1
        assert off.mean() < 0.1


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)).filter(lambda each: max(each) <= 2 * min(each)),
    st.sampled_from(["shortest", "squash", "longest"]),
    st.sampled_from(["bicubic", "bilinear"]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_picture_gives_open_clips_pixels(shape: tuple[int, int], mode: str, interpolation: str) -> None:
    ours = preprocess(64, {"resize_mode": mode, "interpolation": interpolation}, OPEN_CLIP)
    picture = np.random.default_rng(shape).integers(0, 256, (*shape, 3), dtype=np.uint8)
    off = parts(ours, picture)
    assert off.max() < PARTS + 0.1


def test_several_pictures_are_what_each_is_alone() -> None:
    ours = preprocess(64, {}, OPEN_CLIP)
    photos = [pixels(ASTRONAUT), pixels(COFFEE), pixels(CAT)]
    assert all(torch.equal(each, ours([photo])[0]) for each, photo in zip(ours(photos), photos, strict=True))


def test_it_says_whether_ends_are_lost() -> None:
    crops = {mode: preprocess(64, {"resize_mode": mode}, OPEN_CLIP).crops for mode in ("shortest", "squash", "longest")}
    assert crops == {"shortest": True, "squash": False, "longest": False}
