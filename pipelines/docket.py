"""What the cases of one shard have in common, from the record of the run."""

from datetime import datetime

from manifests.queue import Docket, quiet_marks
from pipelines.job import Job
from pipelines.layout import read_run


def docket(job: Job, shard_sha256: str) -> Docket:
    """Return it for the shard with this SHA-256."""
    run = read_run(job.layout)
    key, started = bytes.fromhex(str(run["key"])), datetime.fromisoformat(str(run["started"]))
    return Docket(shard_sha256, key, started, job.policy.deadlines, quiet_marks(job.policy))
