"""open_clip's training loader, as a program apart: it needs webdataset 0.2.86, which it must find before any other."""

import hashlib
import io
import json
import sys
import tarfile
from importlib import import_module
from pathlib import Path
from typing import Any

PEERS = Path(sys.prefix) / "peers"
Transform = Any


def main() -> None:
    """Read jobs from standard input as JSON, and answer each on the last line of standard output."""
    sys.path.insert(0, str(PEERS))
    from filters.towers import import_open_clip

    open_clip = import_open_clip()
    transform = open_clip.image_transform(224, is_train=False)
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    answers = [read(job, transform, tokenizer) for job in json.load(sys.stdin)]
    print(json.dumps({"webdataset": import_module("webdataset").__version__, "answers": answers}))


def read(job: dict[str, Any], transform: Transform, tokenizer: Transform) -> dict[str, Any]:
    """Train for one epoch but for the model: return the size that the loader expects and the keys of what it read.

    A sample is known by its tensors alone: they must be those of picture and caption of one sample of the source.
    """
    data = import_module("open_clip_train.data")
    size = data.get_dataset_size(job["shards"])
    words = ["--train-data", job["shards"], "--dataset-type", "webdataset", "--workers", "0"]
    args = import_module("open_clip_train.params").parse_args([*words, "--batch-size", str(job["batch"])])
    args.world_size, args.distributed = 1, False
    try:
        loader = data.get_data(args, (transform, transform), epoch=0, tokenizer=tokenizer)["train"].dataloader
    except RuntimeError as error:
        return {"size": size, "error": str(error)}
    known = source(Path(job["source"]), transform, tokenizer)
    batches = list(loader)
    rows = [mark(image, text) for images, texts in batches for image, text in zip(images, texts, strict=True)]
    shapes = [[list(images.shape), list(texts.shape)] for images, texts in batches]
    return {"size": size, "num_samples": loader.num_samples, "shapes": shapes, "keys": [known.get(row) for row in rows]}


def source(folder: Path, transform: Transform, tokenizer: Transform) -> dict[str, str]:
    """Return the key of every sample of a corpus by the mark of its tensors."""
    from PIL import Image

    files = {}
    for path in folder.glob("*.tar"):
        with tarfile.open(path) as tar:
            files.update({info.name: tar.extractfile(info).read() for info in tar})  # type: ignore[union-attr]
    captions = {name.removesuffix(".txt"): text.decode() for name, text in files.items() if name.endswith(".txt")}
    images = {name.partition(".")[0]: data for name, data in files.items() if not name.endswith((".txt", ".json"))}
    return {
        mark(transform(Image.open(io.BytesIO(images[key])).convert("RGB")), tokenizer(text)[0]): key
        for key, text in captions.items()
    }


def mark(image: Any, text: Any) -> str:
    """Return a digest of the two tensors of a sample."""
    return hashlib.sha256(image.numpy().tobytes() + text.numpy().tobytes()).hexdigest()


if __name__ == "__main__":
    main()
