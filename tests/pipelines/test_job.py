import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import filters.precision
from filters.config import policy_digest
from filters.encoder import ClipEncoder
from filters.errors import ModelError
from filters.policy import Policy
from filters.precision import CUDA, Precision
from pipelines.job import Job, make_job
from pipelines.layout import RECORDED
from tests.filters.tiny import encoder, head, whole_model

AMX = frozenset({"amx_tile", "amx_bf16", "avx512_vnni"})
VNNI = frozenset({"avx512_vnni"})


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder = tmp_path_factory.mktemp("model")
    whole_model(folder)
    parameters = replace(encoder(folder, head(folder, "codeword-alpha", 1)), precision="auto")
    return Policy("own", filters=(parameters,))


def precision(job: Job) -> Precision:
    [parameters] = job.policy.filters
    assert isinstance(parameters, ClipEncoder)
    return parameters.precision


def begun(job: Job) -> None:
    """Leave the record of a run, as `clean` does when it begins."""
    job.layout.create()
    record = dict.fromkeys(RECORDED, "") | {"shards": {}, "materials": [asdict(each) for each in job.materials]}
    job.layout.run.write_text(json.dumps(record))


def test_every_worker_is_told_the_precision_and_the_manifest_records_it(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for flags, wanted in ((AMX, "bf16"), (VNNI, "int8"), (frozenset[str](), "fp32")):
        monkeypatch.setattr(filters.precision, "processor", lambda flags=flags: flags)
        job = make_job(tmp_path / "out", policy)
        assert precision(job) == wanted
        assert job.materials[0].version.endswith(f", {wanted}")
        assert policy_digest(job.policy) == policy_digest(policy)
        found[job.examination] = wanted
    assert len(found) == 3  # evidence at another precision is other evidence


def test_a_run_goes_on_at_the_precision_that_it_began_with_on_any_processor(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters.precision, "processor", lambda: AMX)
    first = make_job(tmp_path / "out", policy)
    begun(first)
    monkeypatch.setattr(filters.precision, "processor", lambda: VNNI)
    again = make_job(tmp_path / "out", policy)
    assert precision(again) == precision(first) == "bf16"
    assert again.examination == first.examination
    assert precision(make_job(tmp_path / "other", policy)) == "int8"


def test_a_policy_that_names_a_precision_has_it_on_any_processor(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters.precision, "processor", lambda: AMX)
    begun(make_job(tmp_path / "out", policy))
    [parameters] = policy.filters
    assert isinstance(parameters, ClipEncoder)
    named = replace(policy, filters=(replace(parameters, precision="fp32"),))
    assert precision(make_job(tmp_path / "out", named)) == "fp32"


def test_a_run_that_began_on_a_device_is_not_gone_on_with_where_there_is_none(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters.precision, "has_cuda", lambda: True)
    job = make_job(tmp_path / "out", policy)
    assert precision(job) == CUDA
    begun(job)
    monkeypatch.setattr(filters.precision, "has_cuda", lambda: False)
    with pytest.raises(ModelError, match=r"no CUDA device.*Go on where there is one"):
        make_job(tmp_path / "out", policy)
