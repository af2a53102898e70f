"""The life of a URL list on the command line and through whole runs: checked, built with a key, and relied on."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from filters.config import load_policy
from filters.errors import ListError
from filters.rulecheck import lists_of
from manifests.manifest import read_manifest
from pipelines.clean import clean
from pipelines.cli import app
from tests.corpora import LISTED_URL, POLICY, Given, drawing, plain_samples, write_policy, write_shard

ONE = ["--direct_num_workers=1"]
EVASIVE = "hTTp://u@LISTED.test.:80//x/%252e%252e/p%61ge?codeword#top"


def policy(folder: Path, path: str = "urls.csv", key: str = "file:secrets/urls.key", text: str = "") -> Path:
    """Write the usual policy, with this path and key of its URL list."""
    found = write_policy(folder)
    found.write_text(POLICY.replace('path = "urls.csv"', f'path = "{path}"\nkey = "{key}"'))
    if text:
        (folder / "urls.csv").write_text(text)
    return found


def shardwall(*words: str | Path) -> str:
    ran = CliRunner().invoke(app, list(map(str, words)))
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.output


def places(folder: Path, name: str, of: Path) -> dict[str, str]:
    """Clean two samples, one of a listed address; return where each of them is."""
    (folder / "in").mkdir(exist_ok=True)
    samples = [*plain_samples(1), Given("listed", drawing(7), meta={"url": EVASIVE})]
    write_shard(folder / "in" / "00000.tar", samples)
    clean(str(folder / "in"), folder / name, load_policy(of), ONE)
    manifest = folder / name / "restricted" / "manifest" / "00000.parquet"
    return {each.key: each.partition for each in read_manifest(manifest)}


def test_a_list_is_built_with_a_key_of_its_own_and_found_by_a_run(tmp_path: Path) -> None:
    told = shardwall("list", "build", policy(tmp_path), "urls", tmp_path / "built")
    assert told == f"{tmp_path / 'built'}: 1 csam\n"
    assert (tmp_path / "secrets/urls.key").stat().st_mode & 0o777 == 0o600
    compiled = policy(tmp_path, "built")
    assert "urls: 1 csam" in shardwall("list", "check", compiled).splitlines()
    assert places(tmp_path, "out", compiled) == {"000000000": "general", "listed": "withheld"}
    kept = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    secret = (tmp_path / "secrets/urls.key").read_bytes().strip()
    assert not any(secret in path.read_bytes() or b"urls.key" in path.read_bytes() for path in kept)


def test_the_examining_process_is_given_the_variable_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEWORD_KEY", "codeword-secret-" * 3)
    shardwall("list", "build", policy(tmp_path, key="env:CODEWORD_KEY"), "urls", tmp_path / "built")
    assert places(tmp_path, "out", policy(tmp_path, "built", "env:CODEWORD_KEY"))["listed"] == "withheld"


def test_without_its_key_no_run_starts(tmp_path: Path) -> None:
    shardwall("list", "build", policy(tmp_path), "urls", tmp_path / "built")
    (tmp_path / "secrets/urls.key").unlink()
    with pytest.raises(ListError, match="`key` cannot be read"):
        places(tmp_path, "out", policy(tmp_path, "built"))
    assert not (tmp_path / "out").exists()


def test_a_check_tells_what_a_run_would_refuse_and_names_lines_alone(tmp_path: Path) -> None:
    broken = policy(tmp_path, text=f"{LISTED_URL}\ncodeword-entry\n")
    with pytest.raises(ListError, match="1 list"):
        shardwall("list", "check", broken)
    ran = CliRunner().invoke(app, ["list", "check", str(broken)])
    assert "urls: 1 csam\n  cannot be used: it has 1 that are no URL, domain or IP address (line 2)" in ran.output
    assert "codeword" not in ran.output


def test_what_is_not_honoured_is_told(tmp_path: Path) -> None:
    path = policy(tmp_path, text="||listed.test^\n@@||codeword.test^\n")
    path.write_text(path.read_text().replace('path = "urls.csv"', 'path = "urls.csv"\nformat = "adblock"'))
    told = shardwall("list", "check", path)
    assert "urls: 1 csam\n  not honoured: 1 exceptions, which would let something pass (line 2)\n" in told
    assert "codeword" not in told


def test_a_key_is_seen_from_the_policy_and_not_recorded(tmp_path: Path) -> None:
    from filters.config import policy_digest, resolved

    plain, keyed = policy(tmp_path / "a", key=""), policy(tmp_path / "b")
    (source,) = (each for one in load_policy(keyed).filters for each in lists_of(one) if each.name == "urls")
    assert source.key == f"file:{tmp_path / 'b' / 'secrets/urls.key'}"
    assert policy_digest(load_policy(plain)) == policy_digest(load_policy(keyed))
    assert "urls.key" not in repr((load_policy(keyed), resolved(load_policy(keyed))))
