"""A source distribution holds all that the product reads besides its modules."""

import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_source_distribution_holds_policies_compiled_parts_and_their_types(tmp_path: Path) -> None:
    words = ["setup.py", "-q", "egg_info", "--egg-base", str(tmp_path), "sdist", "--dist-dir", str(tmp_path)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    wanted = [
        *(ROOT / "filters").glob("*.c"),
        *(ROOT / "filters").glob("*.pyi"),
        *(ROOT / "requirements").glob("*.txt"),
    ]
    wanted += [path for path in (ROOT / "policies").rglob("*") if path.is_file()]
    wanted += [path for room in ("filters", "manifests", "pipelines") for path in (ROOT / room).glob("*.py*")]
    assert {str(path.relative_to(ROOT)) for path in wanted if path.suffix != ".pyc"} <= held
    assert not [name for name in held if name.endswith((".so", ".pyc")) or name.startswith("tests/vectors")]
