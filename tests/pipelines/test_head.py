"""`shardwall head embed` and `shardwall head fit`, on dark and light fields under a test encoder."""

import csv
import io
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from filters.encoder import ClipEncoder
from filters.errors import ModelError, PolicyError
from filters.heads import HeadSource
from filters.probes import load_probe
from filters.rasters import Limits, rasters
from pipelines.cli import app
from pipelines.embed import Embeddings, read, write
from pipelines.fit import LEAST, fit
from tests.corpora import Given, drawing, write_policy, write_shard
from tests.filters.tiny import digest, encoder, head, whole_model

COUNT = 2 * LEAST + 10
LISTED = drawing(5000)


def picture(number: int) -> bytes:
    """A grey field with some grain, dark or, for an odd number, light."""
    random = np.random.default_rng(number)
    field = random.integers(180, 230) if number % 2 else random.integers(20, 70)
    grain = random.integers(-20, 21, (80, 80, 3))
    stream = io.BytesIO()
    Image.fromarray((field + grain).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def table(parameters: ClipEncoder) -> str:
    """The encoder as a policy says it."""
    [probe] = parameters.heads
    return (
        f'\n[[filters]]\nname = "encoder"\nmodel = "{parameters.model}"\ncheckpoint = "{parameters.checkpoint}"\n'
        f'sha256 = "{parameters.sha256}"\nprecision = "fp32"\n'
        f'heads = [{{ label = "{probe.label}", path = "{probe.path}", sha256 = "{probe.sha256}" }}]\n'
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of small and large shapes with a listed one and one that no decoder takes, and its embeddings."""
    made = tmp_path_factory.mktemp("head")
    samples = [Given(f"{n:04d}", picture(n)) for n in range(COUNT)]
    (made / "in").mkdir()
    write_shard(made / "in" / "00000.tar", samples[: COUNT // 2])
    odd = [Given("8888", LISTED), Given("9999", b"\xff\xd8\xff")]
    write_shard(made / "in" / "00001.tar", [*samples[COUNT // 2 :], *odd])
    whole_model(made)
    policy = write_policy(made, listed=[LISTED], more=table(encoder(made, head(made, "codeword-alpha", 1))))
    told = CliRunner().invoke(app, ["head", "embed", str(policy), str(made / "in"), str(made / "out.npz")])
    assert told.exit_code == 0, (told.output, told.exception)
    assert f"{COUNT} embeddings; 2 samples have none" in told.output
    return made


def labelled(path: Path, rows: Sequence[tuple[Any, ...]], columns: str = "key,label") -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns.split(","), *rows])
    return path


def halves() -> list[tuple[Any, ...]]:
    return [(f"{n:04d}", n % 2) for n in range(COUNT)]


def test_embeddings_are_those_of_the_filter_by_shard_and_key(folder: Path) -> None:
    have = read(folder / "out.npz")
    assert have.name == f"tiny/64@{digest(folder / 'tiny.safetensors')[:12]}"
    assert have.precision == "fp32"
    assert list(have.keys) == [f"{n:04d}" for n in range(COUNT)]
    assert set(have.shards) == {"00000", "00001"}
    loaded = encoder(folder, head(folder, "codeword-alpha", 1)).load()
    pixels = rasters((picture(3),), {}, Limits()).rasters[0].pixels
    assert np.array_equal(have.vectors[3], loaded.embed([pixels])[0])


def test_what_a_list_knows_and_what_nobody_could_see_is_not_embedded(folder: Path) -> None:
    assert not {"8888", "9999"} & set(read(folder / "out.npz").keys)


def test_embeddings_are_for_their_owner_alone(folder: Path) -> None:
    assert stat.S_IMODE((folder / "out.npz").stat().st_mode) == 0o600


def test_a_policy_without_an_encoder_embeds_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    policy = write_policy(tmp_path / "bare")
    told = CliRunner().invoke(app, ["head", "embed", str(policy), str(folder / "in"), str(tmp_path / "a.npz")])
    assert isinstance(told.exception, PolicyError)
    assert "has no encoder" in str(told.exception)


def test_a_fitted_head_is_scikit_learns_and_fits_the_encoder(folder: Path, tmp_path: Path) -> None:
    labels = labelled(tmp_path / "labels.csv", [*halves(), ("no-such-key", 1)])
    done = fit(folder / "out.npz", labels, tmp_path / "head.safetensors")
    assert (done.positives, done.negatives, done.unlabelled) == (COUNT // 2, COUNT // 2, 0)
    assert done.area > 0.6
    have = read(folder / "out.npz")
    wanted = np.array([label for _, label in halves()])
    theirs = LogisticRegression(C=done.strength, class_weight="balanced", max_iter=5000)
    theirs.fit(have.vectors.astype(np.float64), wanted)
    loaded = load_probe(HeadSource("a", str(tmp_path / "head.safetensors"), done.sha256), have.name, 64)
    ours = [loaded.score(vector) for vector in have.vectors]
    assert np.allclose(ours, theirs.predict_proba(have.vectors)[:, 1], atol=1e-4)
    with safe_open(tmp_path / "head.safetensors", framework="numpy") as stored:
        facts = stored.metadata()
    assert facts["embedding"] == have.name
    assert facts["samples"] == f"{COUNT // 2} positive, {COUNT // 2} negative"
    assert fit(folder / "out.npz", labels, tmp_path / "again.safetensors").sha256 == done.sha256


def test_the_verb_tells_what_to_pin(folder: Path, tmp_path: Path) -> None:
    words = [str(folder / "out.npz"), str(labelled(tmp_path / "labels.csv", halves())), str(tmp_path / "a.safetensors")]
    told = CliRunner().invoke(app, ["head", "fit", *words])
    assert told.exit_code == 0, told.output
    assert f'sha256 = "{digest(tmp_path / "a.safetensors")}"' in told.output
    assert "uncalibrated" in told.output
    assert "0001" not in told.output


@pytest.mark.parametrize(
    ("rows", "columns", "why"),
    [
        ([("0001", 2)], "key,label", "line 2 has a label"),
        ([("0001", 1), ("0001", 0)], "key,label", "line 3 has a label"),
        ([("0001", "")], "key,label", "neither 0 nor 1"),
        ([("0001", 1)], "sample,label", "lack a column"),
        ([(f"{n:04d}", 1) for n in range(COUNT)], "key,label", f"{COUNT} are labelled 1 and 0 are labelled 0"),
        ([("0001", 1)], "key,label", "the least"),
        ([], "key,label", "0 are labelled 1"),
    ],
    ids=["two", "contradiction", "empty", "column", "one-class", "few", "none"],
)
def test_labels_that_cannot_be_meant_are_refused_without_a_key(
    folder: Path, tmp_path: Path, rows: list[tuple[Any, ...]], columns: str, why: str
) -> None:
    with pytest.raises(ModelError, match=why) as told:
        fit(folder / "out.npz", labelled(tmp_path / "labels.csv", rows, columns), tmp_path / "head.safetensors")
    assert "0001" not in str(told.value)


def test_keys_that_repeat_ask_for_their_shard(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(100, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shards, keys = tuple(f"{n % 2:05d}" for n in range(100)), tuple(f"{n // 2}" for n in range(100))
    write(tmp_path / "a.npz", Embeddings("tiny/8@0", "fp32", shards, keys, vectors))
    rows = [(key, int(vector[0] > 0)) for key, vector in zip(keys, vectors, strict=True)]
    by_key = labelled(tmp_path / "keys.csv", list(dict(rows).items()))
    with pytest.raises(ModelError, match="need a column shard"):
        fit(tmp_path / "a.npz", by_key, tmp_path / "head.safetensors")
    placed = [(f"{shard}.tar", *row) for shard, row in zip(shards, rows, strict=True)]
    done = fit(tmp_path / "a.npz", labelled(tmp_path / "b.csv", placed, "shard,key,label"), tmp_path / "h.safetensors")
    assert done.positives + done.negatives == 100
    assert done.area > 0.9


@pytest.mark.parametrize("spoil", ["longer", "nan", "pickled", "cut", "lacking"])
def test_embeddings_that_are_not_normalised_or_not_ours_are_refused(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "a.npz"
    vectors = np.eye(4, dtype=np.float32)
    if spoil == "longer":
        vectors *= 1.5
    if spoil == "nan":
        vectors[0] = np.nan
    write(path, Embeddings("tiny/4@0", "fp32", ("a",) * 4, tuple("abcd"), vectors))
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    if spoil == "pickled":
        np.savez(path, vectors=np.array([{}], dtype=object), keys=["a"], shards=["a"], encoder=["a", "b"])
    if spoil == "lacking":
        np.savez(path, vectors=vectors)
    with pytest.raises(ModelError, match="not normalised" if spoil in ("longer", "nan") else "cannot be read"):
        read(path)


def test_a_head_is_written_as_safetensors_or_not_at_all(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"ends in \.safetensors"):
        fit(folder / "out.npz", labelled(tmp_path / "labels.csv", halves()), tmp_path / "head.pkl")
    assert not (tmp_path / "head.pkl").exists()
