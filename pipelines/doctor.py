"""What is installed, what a run could use, and what is missing."""

import hashlib
import importlib.util
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from filters import fastforms, hamming, pdq, termindex, urlsearch
from filters.config import profiles
from filters.errors import ShardwallError
from filters.hashplugins import plugged_in
from filters.precision import AUTO, settled
from filters.prompts import SHIPPED, shipped
from filters.scorers import installed
from filters.weights import PACKAGED, Weights
from pipelines import VERSION

PACKAGES = (
    "apache-beam", "pyarrow", "numpy", "pillow", "pdqhash", "imagehash", "webdataset", "torch", "open-clip-torch",
    "onnxruntime", "pydantic", "ada-url",
)  # fmt: skip
RUNNERS = {
    "FnApiRunner": ("", "embedded, the default"),
    "DaskRunner": ("distributed", "pip install 'apache-beam[dask]'"),
    "FlinkRunner, SparkRunner": ("", "need Beam's job server, which is a Java program: see Beam's documentation"),
}


def examine_installation() -> tuple[list[str], bool]:
    """Return lines to print, and whether the default profile's filters could load."""
    lines = [f"shardwall {VERSION}, Python {platform.python_version()}, {os.cpu_count()} processors", "", "packages"]
    healthy = True
    for name in PACKAGES:
        found = _version(name)
        healthy &= found is not None
        lines.append(f"  {name:<18} {found or 'missing: run scripts/setup'}")
    lines += ["", "embedded weights (uncalibrated)"]
    for weights in PACKAGED:
        told = _weights(weights)
        healthy &= told == "found"
        lines.append(f"  {weights.name:<18} {told}; {weights.licence}; {weights.origin}")
    lines += ["", "compiled parts; without them the same answers take longer"]
    captions = fastforms.EXTENSION and termindex.EXTENSION
    parts = {"PDQ": pdq.EXTENSION, "hash search": hamming.EXTENSION, "URL search": urlsearch.EXTENSION}
    for part, built in {**parts, "captions": captions}.items():
        lines.append(f"  {part:<18} {'built' if built else 'not built: install a C compiler and run scripts/setup'}")
    if plugged := plugged_in():
        lines += ["", "hashes that packages plug in"]
        lines += [f"  {name:<18} {told}" for name, told in plugged.items()]
    lines += ["", "encoder", *_encoder()]
    lines += ["", "runners"]
    for runner, (module, told) in RUNNERS.items():
        missing = module and importlib.util.find_spec(module) is None
        lines.append(f"  {runner:<26} {'missing: ' if missing else ''}{told}")
    return [*lines, "", f"profiles: {', '.join(profiles())}"], healthy


def materials_here() -> list[str]:
    """Return lines about what a policy may rest on and pin: embedded weights, shipped prompts, installed scorers."""
    lines = ["embedded weights"]
    lines += [f"  {each.name:<18} {each.sha256}  {_weights(each)}" for each in PACKAGED]
    lines += ["", "shipped prompts"]
    for name in shipped():
        digest = hashlib.sha256((SHIPPED / f"{name}.txt").read_bytes()).hexdigest()
        lines.append(f"  {name:<18} {digest}")
    lines += ["", "installed scorers"]
    lines += [f"  {each.name:<18} {each.sha256 or 'no digest covers its code'}  {each.package}" for each in installed()]
    return [
        *lines,
        "" if lines[-1] != "installed scorers" else "  none",
        "`shardwall weights list MODEL` tells the tags.",
    ]


def _encoder() -> list[str]:
    """Return what an encoder would compute in here, and how to get one."""
    try:
        computes: str = settled(AUTO, {})
    except ImportError:
        computes = "none: torch is missing"
    return [
        f"  precision          {computes} for a transformer, by this processor or device",
        "  weights            none install: `shardwall weights fetch` gets them before a run",
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _weights(weights: Weights) -> str:
    try:
        weights.path()
    except ShardwallError as error:
        return str(error)
    return "found"
