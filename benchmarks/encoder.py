"""How fast is the encoder's scan? Beside open_clip used as its README shows, and beside the floor of its parts.

Every row begins with the same JPEG files and ends with a score a picture, on one thread, with random weights:
- naive: Pillow, open_clip's own transform, fp32, eager, one picture or one batch at a time, a linear head;
- floor: each part alone at the precision chosen here, with nothing around it: Pillow decodes, torch resizes bytes, the
  network runs in full batches, one product for the head;
- ours: what the filter does, from samples to findings, by any head of the policy.
Counts processor time. The rounds take turns, and the median of each counts, so that other work on the machine matters
less. Run: python benchmarks/encoder.py
"""

import hashlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from corpora import photo, table  # type: ignore[import-not-found]
from PIL import Image
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from filters.encoder import ClipEncoder, Encoded
from filters.engines import AT_ONCE
from filters.heads import HeadSource
from filters.precision import AUTO, processor, settled
from filters.rasters import Limits, rasters
from filters.sample import Batch, Sample
from filters.towers import configured, described, import_open_clip, tower

MODEL, SIDE, COUNT, ROUNDS = "ViT-B-32", 512, 24, 3
BATCH = 16  # samples, as the examining process gets them
KNOWN = ("amx_bf16", "avx512_bf16", "avx512_vnni", "avx2")

Work = Callable[[], Any]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def encoder(folder: Path) -> ClipEncoder:
    """Write random weights and a head of random weights, and return the filter over them."""
    torch.manual_seed(1)
    model = import_open_clip().create_model(MODEL, pretrained=None)
    checkpoint, probe = folder / "model.safetensors", folder / "head.safetensors"
    state = {name: value.contiguous() for name, value in model.visual.state_dict(prefix="visual.").items()}
    save_torch(state, checkpoint)
    weight = np.random.default_rng(1).normal(size=512).astype(np.float32)
    name = f"{MODEL}/512@{digest(checkpoint)[:12]}"
    save_file({"weight": weight, "bias": np.zeros(1, np.float32)}, probe, {"embedding": name})
    head = HeadSource("random", str(probe), digest(probe))
    return ClipEncoder(model=MODEL, checkpoint=str(checkpoint), sha256=digest(checkpoint), heads=(head,))


def naive(parameters: ClipEncoder, files: list[bytes], at_once: int) -> Work:
    """Return the work of a plain script over open_clip."""
    open_clip = import_open_clip()
    model = open_clip.create_model(MODEL, pretrained=None).eval()
    model.visual.load_state_dict(
        {n.removeprefix("visual."): v for n, v in _tensors(parameters.checkpoint).items()}, strict=True
    )
    transform = open_clip.image_transform(model.visual.image_size, is_train=False)
    weight = torch.from_numpy(np.random.default_rng(1).normal(size=512).astype(np.float32))

    def run() -> list[float]:
        scores: list[float] = []
        with torch.no_grad():
            for start in range(0, len(files), at_once):
                shown = [transform(Image.open(io.BytesIO(file))) for file in files[start : start + at_once]]
                found = model.encode_image(torch.stack(shown), normalize=True)
                scores += torch.sigmoid(found @ weight).tolist()
        return scores

    return run


def _tensors(path: str) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(path))


def ours(loaded: Encoded, files: list[bytes]) -> Work:
    """Return the work of the filter, decoding included."""

    def run() -> list[float]:
        scores: list[float] = []
        for start in range(0, len(files), BATCH):
            batch = Batch([Sample("00000", str(n), (file,)) for n, file in enumerate(files[start : start + BATCH])])
            scores += [float(findings[0].value or 0) for findings in loaded(batch)]
        return scores

    return run


def floor(parameters: ClipEncoder, files: list[bytes]) -> dict[str, Work]:
    """Return each part alone: the sum is what no arrangement of these parts can be faster than."""
    built = tower(configured(MODEL), Path(parameters.checkpoint), settled(AUTO, described(configured(MODEL)).vision))
    pixels = [np.array(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
    shown = built.preprocess(pixels)
    at_once = AT_ONCE[built.precision]
    batches = [shown[start : start + at_once] for start in range(0, len(shown), at_once)]
    vectors = np.ones((len(files), built.dimension), dtype=np.float32)
    return {
        "decode (Pillow)": lambda: [Image.open(io.BytesIO(file)).convert("RGB").load() for file in files],
        "resize, normalise": lambda: built.preprocess(pixels),
        f"network ({built.precision})": lambda: [built.network(each) for each in batches],
        "head": lambda: vectors @ vectors[0],
    }


def rounds(works: dict[str, Work]) -> dict[str, float]:
    """Return the median processor time of each work over rounds that take turns, in seconds."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(ROUNDS + 1):
        for name, work in works.items():
            start = time.process_time()
            work()
            if number:  # the first round warms up
                found[name].append(time.process_time() - start)
    return {name: median(times) for name, times in found.items()}


def faithful(parameters: ClipEncoder, files: list[bytes]) -> tuple[float, float]:
    """Return the least cosine to fp32, as it is and once what all pictures share is taken off."""
    from dataclasses import replace

    pixels = [rasters((file,), {}, Limits()).rasters[0].pixels for file in files[:16]]
    fast, exact = (replace(parameters, precision=each).load().embed(pixels) for each in (AUTO, "fp32"))
    middle = exact.mean(axis=0)
    return cosine(fast, exact), cosine(fast - middle, exact - middle)


def cosine(ours_: Any, theirs: Any) -> float:
    lengths = np.linalg.norm(ours_, axis=1) * np.linalg.norm(theirs, axis=1)
    return float(((ours_ * theirs).sum(axis=1) / lengths).min())


def main() -> None:
    """Print a row per script and part."""
    torch.set_num_threads(1)
    files = [photo(number, SIDE, 0) for number in range(COUNT)]
    with TemporaryDirectory() as name:
        parameters = encoder(Path(name))
        loaded = parameters.load()
        parts = floor(parameters, files)
        scripts = {
            "naive, one at a time": naive(parameters, files, 1),
            "naive, batches of 24": naive(parameters, files, 24),
            "ours": ours(loaded, files),
        }
        found = rounds({**scripts, **parts})
        least, centred = faithful(parameters, files)
    whole = sum(found[part] for part in parts)
    flags = ", ".join(flag for flag in KNOWN if flag in processor()) or "none of those that matter"
    print(f"{COUNT} JPEG pictures of {SIDE} x {SIDE}, {MODEL}, random weights, one thread; processor: {flags}")
    print(f"precision {loaded.precision}: cosine to fp32 at least {least:.4f}, centred {centred:.4f}\n")
    rows: list[tuple[object, ...]] = [(f"floor: {part}", 1000 * found[part] / COUNT, "", "") for part in parts]
    rows += [
        (row, 1000 * t / COUNT, round(COUNT / t, 1), round(whole / t, 2))
        for row, t in (("floor", whole), *((script, found[script]) for script in scripts))
    ]
    table(("", "ms a picture", "pictures/s", "of the floor"), rows)
    for script in ("naive, one at a time", "naive, batches of 24"):
        print(f"ours is {found[script] / found['ours']:.2f} times as fast as {script}")


main()
