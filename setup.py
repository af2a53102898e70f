"""Package Shardwall for `pip install` and for Beam's `--setup_file` workers."""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent


def pinned(name: str) -> list[str]:
    """Return the requirements that requirements/NAME.txt pins."""
    lines = (HERE / "requirements" / f"{name}.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


setup(
    name="shardwall",
    version=re.findall(r'VERSION = "(.+)"', (HERE / "pipelines" / "__init__.py").read_text())[0],
    description="Clean image-text training corpora for child safety before anyone trains on them.",
    python_requires=">=3.11",
    packages=["filters", "manifests", "pipelines", "pipelines.demo"],
    package_data={room: ["py.typed"] for room in ("filters", "manifests", "pipelines")},
    install_requires=pinned("core"),
    extras_require={"demo": pinned("demo"), "test": pinned("test")},
    entry_points={"console_scripts": ["shardwall = pipelines.cli:main"]},
)
