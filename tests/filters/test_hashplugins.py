"""A hash is plugged in by an entry point that an installed package has, and one that cannot be used is refused."""

import shutil
import sys
from pathlib import Path

import pytest

from filters.errors import ModelError
from filters.hashplugins import length_of, plug_in, plug_in_material, plugged_in
from tests.filters.gradients import PLUGIN

FINE = """
class Fine:
    name = "codeword"
    length = 16
    default_distance = 3
    def hash(self, pixels): return bytes(16)
    def distance(self, query, entries): return entries[:, 0]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are installed into."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("codeword_")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def install(folder: Path, package: str, code: str, name: str = "codeword", offered: str = "HASH") -> None:
    (folder / f"{package}.py").write_text(code)
    about = folder / f"{package}-2.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.1\n")
    (about / "entry_points.txt").write_text(f"[shardwall.hashes]\n{name} = {package}:{offered}\n")
    (about / "RECORD").write_text(f"{package}.py,,\n{package}-2.1.dist-info/METADATA,,\n")


def test_a_hash_is_found_by_its_entry_point(folder: Path) -> None:
    install(folder, "codeword_one", FINE + "HASH = Fine()")
    assert plug_in("codeword").name == "codeword"
    assert length_of("codeword") == 16
    assert plugged_in()["codeword"] == "codeword_one 2.1, 16 bytes, up to 3"


def test_a_manifest_names_the_package_its_version_and_what_its_files_hold(folder: Path) -> None:
    install(folder, "codeword_two", FINE + "HASH = Fine()")
    material = plug_in_material("codeword")
    assert (material.kind, material.name, material.version) == ("plug-in", "codeword", "codeword_two 2.1")
    assert len(material.sha256) == 64
    (folder / "codeword_two.py").write_text(FINE + "HASH = Fine() ")
    assert plug_in_material("codeword").sha256 != material.sha256


def test_a_package_without_a_record_is_told_by_its_module(folder: Path) -> None:
    install(folder, "codeword_three", FINE + "HASH = Fine()")
    (folder / "codeword_three-2.1.dist-info" / "RECORD").unlink()
    before = plug_in_material("codeword").sha256
    (folder / "codeword_three.py").write_text(FINE + "HASH = Fine() ")
    assert plug_in_material("codeword").sha256 != before


def test_a_hash_that_nobody_offers_is_refused_with_what_to_do(folder: Path) -> None:
    install(folder, "codeword_four", FINE + "HASH = Fine()")
    with pytest.raises(ModelError, match=r"'photodna' cannot be used: an installed package .* Installed are codeword"):
        plug_in("photodna")
    assert length_of("photodna") is None


@pytest.mark.parametrize("name", ["", "PhotoDNA", "0f" * 16, "photo dna", "x" * 40])
def test_what_is_no_name_is_refused_unquoted(name: str) -> None:
    """A value may be pasted where a name belongs."""
    with pytest.raises(ModelError, match="no name") as caught:
        plug_in(name)
    assert not name or name not in str(caught.value)
    assert length_of(name) is None


WRONG = {
    "raise OSError('codeword-secret')": r"cannot be loaded \(OSError\)",
    "import sys; sys.exit('codeword-secret')": r"cannot be loaded \(SystemExit\)",
    "": r"cannot be loaded \(AttributeError\)",
    "HASH = None": r"cannot be loaded \(AttributeError\)",
    FINE + "HASH = Fine(); HASH.name = 'other'": "another name than its entry point",
    FINE + "HASH = Fine(); HASH.length = 4": "no number of 8 to 4096 bytes",
    FINE + "HASH = Fine(); HASH.length = 16.0": "no number of 8 to 4096 bytes",
    FINE + "HASH = Fine(); HASH.length = True": "no number of 8 to 4096 bytes",
    FINE + "HASH = Fine(); HASH.default_distance = -1": "its default distance is no distance",
    FINE + "HASH = Fine(); HASH.default_distance = float('nan')": "its default distance is no distance",
    FINE + "HASH = Fine(); HASH.distance = 3": "no hash or no distance that can be called",
}


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_cannot_serve_as_a_hash_is_refused_with_its_package(folder: Path, number: int) -> None:
    code, told = list(WRONG.items())[number]
    install(folder, f"codeword_wrong{number}", code)
    with pytest.raises(ModelError, match=told) as caught:
        plug_in("codeword")
    assert f"Mend or reinstall codeword_wrong{number} 2.1" in str(caught.value)
    assert "codeword-secret" not in str(caught.value)
    assert length_of("codeword") is None


def test_no_package_takes_the_name_of_a_hash_that_shardwall_has(folder: Path) -> None:
    install(folder, "codeword_pdq", FINE + "HASH = Fine(); HASH.name = 'pdq'", name="pdq")
    with pytest.raises(ModelError, match="Shardwall has it already, in the filters digests and perceptual"):
        plug_in("pdq")
    assert "Shardwall has it already" in plugged_in()["pdq"]


def test_two_packages_that_offer_one_hash_are_refused(folder: Path) -> None:
    for package in ("codeword_a", "codeword_b"):
        install(folder, package, FINE + "HASH = Fine()")
    with pytest.raises(ModelError, match="2 packages offer it"):
        plug_in("codeword")
    shutil.rmtree(folder / "codeword_b-2.1.dist-info")
    assert plug_in("codeword").length == 16


def test_the_package_of_the_tests_is_a_hash_of_the_length_of_photodna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLUGIN)
    assert (length_of("gradients"), plug_in("gradients").length) == (144, 144)
