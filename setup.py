"""Package Shardwall for `pip install` and for Beam's `--setup_file` workers."""

import re
import sys
from pathlib import Path

from setuptools import Extension, setup

HERE = Path(__file__).parent
# What they return must be what the slow path returns, bit for bit: no product and sum may be rounded as one.
FLAGS = [] if sys.platform == "win32" else ["-std=c11", "-O3", "-ffp-contract=off"]


def pinned(name: str) -> list[str]:
    """Return the requirements that requirements/NAME.txt pins."""
    lines = (HERE / "requirements" / f"{name}.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


setup(
    name="shardwall",
    version=re.findall(r'VERSION = "(.+)"', (HERE / "pipelines" / "__init__.py").read_text())[0],
    description="Clean image-text training corpora for child safety before anyone trains on them.",
    python_requires=">=3.11",
    packages=["filters", "manifests", "pipelines", "pipelines.demo", "pipelines.parquet"],
    package_data={room: ["py.typed", "*.pyi"] for room in ("filters", "manifests", "pipelines")},
    ext_modules=[  # without a compiler the installation goes on, and the slow paths do their work
        Extension(f"filters.{source.stem}", [f"filters/{source.name}"], extra_compile_args=FLAGS, optional=True)
        for source in sorted((HERE / "filters").glob("_*.c"))
    ],
    install_requires=pinned("core"),
    extras_require={"demo": pinned("demo"), "test": pinned("test")},
    entry_points={"console_scripts": ["shardwall = pipelines.cli:main"]},
)
