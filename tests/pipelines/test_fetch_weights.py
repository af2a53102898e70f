"""The hub's own client against a server on this machine; the hub itself was not at hand, and is asked by no test."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

import pipelines.fetch_weights
from filters.errors import ModelError
from pipelines.cli import app
from pipelines.fetch_weights import fetch_weights
from tests.filters.tiny import MODEL
from tests.pipelines.hub_server import Hub, hub

REPOSITORY = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
TAG = "laion2b_s34b_b79k"
SAFE, PICKLED = f"{REPOSITORY}/open_clip_model.safetensors", f"{REPOSITORY}/open_clip_pytorch_model.bin"
CONTENT = os.urandom(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one file; the cache is in the test's folder and does not wait between tries."""
    with hub(Hub({SAFE: CONTENT})) as held:
        monkeypatch.setattr(constants, "ENDPOINT", held.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", held.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
        yield held


def test_weights_are_fetched_to_the_users_cache_and_told_as_a_policy_says_them(served: Hub, tmp_path: Path) -> None:
    done = fetch_weights("ViT-B-32", TAG)
    assert done.checkpoint.is_relative_to(tmp_path / "cache")
    assert done.checkpoint.read_bytes() == CONTENT
    assert done.lines() == [
        'model = "ViT-B-32"', f'pretrained = "{TAG}"', f'checkpoint = "{done.checkpoint}"', f'sha256 = "{DIGEST}"',
    ]  # fmt: skip
    assert fetch_weights("ViT-B-32", TAG) == done
    asked = [path for method, path, _ in served.asked if method == "GET" and not path.startswith("api/")]
    assert asked == [SAFE]  # and not once more


def test_weights_are_fetched_to_a_folder_that_is_named(served: Hub, tmp_path: Path) -> None:
    done = fetch_weights("ViT-B-32", TAG, tmp_path / "weights")
    assert done.checkpoint == tmp_path / "weights" / "open_clip_model.safetensors"
    assert done.sha256 == DIGEST


def test_the_torch_file_is_taken_only_where_there_are_no_safetensors(served: Hub) -> None:
    served.files[PICKLED] = b"torch"
    assert fetch_weights("ViT-B-32", TAG).checkpoint.suffix == ".safetensors"
    del served.files[SAFE]
    assert fetch_weights("ViT-B-32", TAG).checkpoint.name == "open_clip_pytorch_model.bin"


def test_a_repository_is_fetched_with_its_configuration(served: Hub) -> None:
    configuration = json.dumps({"model_cfg": MODEL, "preprocess_cfg": {"resize_mode": "squash"}}).encode()
    served.files = {"own/model/open_clip_config.json": configuration, "own/model/open_clip_pytorch_model.bin": CONTENT}
    done = fetch_weights("hf-hub:own/model")
    assert Path(done.model).read_bytes() == configuration
    assert (done.checkpoint.name, done.sha256) == ("open_clip_pytorch_model.bin", DIGEST)


@pytest.mark.parametrize("killed", [False, True], ids=["by the client itself", "by a second call"])
def test_a_download_that_broke_off_goes_on_where_it_was(
    served: Hub, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)  # 10 MB, of which a broken one is lost
    served.breaks_at = 100_000

    def pause(_: float) -> None:
        if killed:
            raise ConnectionError

    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", pause)
    if killed:
        with pytest.raises(ModelError, match=r"broke off.*give the same command again"):
            fetch_weights("ViT-B-32", TAG)
    assert fetch_weights("ViT-B-32", TAG).sha256 == DIGEST
    ranges = [asked for method, path, asked in served.asked if method == "GET" and path == SAFE]
    assert len(ranges) == 2
    assert ranges[0] == ""
    assert int(ranges[1].removeprefix("bytes=").partition("-")[0]) > 0


def test_what_is_not_what_the_hub_announced_is_thrown_away(served: Hub, tmp_path: Path) -> None:
    served.etag = "f" * 64
    for folder in (None, tmp_path / "weights"):
        with pytest.raises(ModelError, match=rf"the hub announces.*begins {DIGEST[:12]}, not ffffffffffff"):
            fetch_weights("ViT-B-32", TAG, folder)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    served.etag = ""
    assert fetch_weights("ViT-B-32", TAG).sha256 == DIGEST


def test_what_is_not_what_the_policy_pins_is_said(served: Hub) -> None:
    with pytest.raises(ModelError, match="the policy pins"):
        fetch_weights("ViT-B-32", TAG, pinned="0" * 64)
    assert fetch_weights("ViT-B-32", TAG, pinned=DIGEST.upper()).sha256 == DIGEST


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": 503}, "HTTP 503"),
        ({"status": 500}, "HTTP 500"),
        ({"files": {}}, "holds none of open_clip_model.safetensors, open_clip_pytorch_model.bin"),
        ({"files": {}, "missing": "RepoNotFound"}, "shows no repository"),
        ({"status": 403, "missing": "GatedRepo"}, "asks for a login"),
    ],
    ids=["busy", "broken", "no-file", "no-repository", "gated"],
)
def test_a_hub_that_does_not_serve_is_told_in_a_sentence(served: Hub, change: dict[str, Any], why: str) -> None:
    for name, value in change.items():
        setattr(served, name, value)
    with pytest.raises(ModelError, match=why) as told:
        fetch_weights("ViT-B-32", TAG)
    assert "127.0.0.1" not in str(told.value)


def test_a_hub_that_cannot_be_reached_is_told_in_a_sentence(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "http://127.0.0.1:9"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", nobody + "/{repo_id}/resolve/{revision}/{filename}")
    with pytest.raises(ModelError, match="cannot be reached"):
        fetch_weights("ViT-B-32", TAG)


def test_a_client_that_is_set_offline_is_told_so(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        fetch_weights("ViT-B-32", TAG)
    assert served.asked == []


@pytest.mark.parametrize(("number", "why"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "that can be written")])
def test_a_disk_that_takes_nothing_is_told_in_a_sentence(
    served: Hub, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("huggingface_hub.file_download.http_get", fail)
    with pytest.raises(ModelError, match=why):
        fetch_weights("ViT-B-32", TAG)


def test_a_disk_that_is_too_small_is_told_before_a_byte_is_fetched(
    served: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(ModelError, match="0 MB are wanted and 0 MB are free"):
        fetch_weights("ViT-B-32", TAG)
    assert [path for method, path, _ in served.asked if method == "GET" and path == SAFE] == []


def test_two_calls_at_once_do_not_write_into_each_other(served: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    part = folder / f".open_clip_model.safetensors.{hashlib.sha256(DIGEST.encode()).hexdigest()[:12]}.part"
    with part.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="by another call"):
            fetch_weights("ViT-B-32", TAG, folder)
    assert fetch_weights("ViT-B-32", TAG, folder).sha256 == DIGEST


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("ViT-B-32", "laion2b_s34b_b79"), rf"nearest: {TAG}"),
        (("ViT-B-3", TAG), "nearest: ViT-B-32"),
        (("ViT-B-32",), "without a tag. It has openai"),
        (("ViT-B-32", "openai"), "ViT-B-32-quickgelu"),
        (("hf-hub:not a name",), "no name of a repository"),
    ],
)
def test_words_that_name_no_weights_are_told_with_the_nearest(served: Hub, words: tuple[Any, ...], why: str) -> None:
    with pytest.raises(ModelError, match=why):
        fetch_weights(words[0], *words[1:])
    assert served.asked == []


def test_the_verb_fetches_what_a_policy_names_and_compares_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def fetch(*given: Any) -> Any:
        asked.append(given)
        return pipelines.fetch_weights.Fetched("ViT-B-32", TAG, tmp_path / "a.safetensors", DIGEST)

    monkeypatch.setattr(pipelines.fetch_weights, "fetch_weights", fetch)
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'extends = "audit-only"\nname = "own"\n[[filters]]\nname = "encoder"\nmodel = "ViT-B-32"\n'
        f'pretrained = "{TAG}"\nsha256 = "{DIGEST}"\n'
    )
    told = CliRunner().invoke(app, ["weights", "fetch", str(policy)])
    assert told.exit_code == 0, told.output
    assert asked == [("ViT-B-32", TAG, None, DIGEST)]
    assert f'sha256 = "{DIGEST}"' in told.output


def test_every_published_tag_has_a_place_on_a_hub() -> None:
    from filters.towers import import_open_clip

    for model, tag in import_open_clip().list_pretrained():
        repository, files = pipelines.fetch_weights._source(model, tag)
        assert repository.count("/") == 1
        assert files[0].endswith(".safetensors")
