"""The pipeline: examine every shard, join what is tied, separate every shard.

Image bytes never cross a shuffle: what travels is the name of a shard and a few facts about it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import apache_beam as beam

from filters.config import policy_digest
from filters.errors import ShardError, ShardwallError, error_of
from filters.flood import refuse_floods
from filters.policy import Policy
from filters.rulecheck import lists_of
from pipelines import VERSION
from pipelines.commit import done, mark_done, remove_leftovers, sha256_of
from pipelines.engine import beam_options, workers
from pipelines.examine import Examiner
from pipelines.examine_shard import examine_shard
from pipelines.finish import close, refuse_strangers
from pipelines.inputs import Shard, find_shards, snake
from pipelines.job import Job, make_job
from pipelines.join import join_corpus
from pipelines.layout import Layout, identify, locked, read_run
from pipelines.mishaps import sentence
from pipelines.parquet.survey import refuse_other_corpora
from pipelines.progress import Watch, clear_progress, note_failures, read_failures
from pipelines.separate import separate_shard
from pipelines.watchdog import worker_deaths_end_the_run

Facts = dict[str, Any]


def build(pipeline: beam.Pipeline, job: Job, shards: Sequence[Shard]) -> Any:
    """Add the whole run to `pipeline`."""
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Examine" >> beam.ParDo(Examine(job))
        | "All examined" >> beam.CombineGlobally(Collect())
        | "Join what is tied" >> beam.FlatMap(_join, job, shards)
        | "Spread" >> beam.Reshuffle()
        | "Separate" >> beam.ParDo(Separate(job))
        | "All separated" >> beam.CombineGlobally(Collect())
        | "Note failures" >> beam.Map(lambda facts: note_failures(job.layout, facts))
    )


class Examine(beam.DoFn):
    """From a shard to its evidence; holds the examining process of its worker."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        """Read the run's key, which no pipeline graph holds."""
        key = bytes.fromhex(str(read_run(self._job.layout)["key"]))
        self._examiner = Examiner(self._job.shown, key, self._job.tables)

    def process(self, shard: Shard) -> Iterator[Facts]:
        """Examine one shard; what stands in the way is a fact about it, never an exception."""
        yield _attempt(examine_shard, self._job, shard, self._examiner)

    def teardown(self) -> None:
        """End the examining process."""
        self._examiner.close()


class Separate(beam.DoFn):
    """From the evidence of a shard to partitions, manifest and queue."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, shard: Shard) -> Iterator[Facts]:
        """Separate one shard; what stands in the way is a fact about it, never an exception."""
        yield _attempt(separate_shard, self._job, shard)


class Collect(beam.CombineFn):
    """Gather facts into one list, ordered by shard, so that the number of workers cannot show."""

    def create_accumulator(self) -> list[Facts]:
        """Begin with nothing."""
        return []

    def add_input(self, gathered: list[Facts], facts: Facts) -> list[Facts]:
        """Take in one shard."""
        gathered.append(facts)
        return gathered

    def merge_accumulators(self, parts: Any) -> list[Facts]:
        """Put the lists of several workers together."""
        return [facts for part in parts for facts in part]

    def extract_output(self, gathered: list[Facts]) -> list[Facts]:
        """Order by shard; a shard that a runner tried twice counts once."""
        return sorted({facts["shard"]: facts for facts in gathered}.values(), key=lambda facts: str(facts["shard"]))


def clean(source: str, output: Path, policy: Policy, arguments: Sequence[str] = ()) -> Facts:
    """Clean the shards at `source` into `output` and return the summary of the run.

    `arguments` are Beam's. Raises ShardwallError when the run cannot begin or cannot be finished; what was done until
    then is kept, and the same call goes on from there.
    """
    options = beam_options(arguments)
    shards = find_shards(source)
    job = make_job(output, policy, tables=all(shard.table for shard in shards))
    layout = job.layout
    _refuse_own_output(layout, shards)
    if job.tables:
        _refuse_other_corpora(job, shards)
    layout.create()
    with locked(layout):
        remove_leftovers(layout.root)
        identity = identify(layout, _record(job, source, shards))
        refuse_strangers(job)
        for partition in policy.partitions:
            layout.partition(partition.name).mkdir(exist_ok=True)
        Examiner(job.shown, identity.key).check()
        _run(job, snake(shards, workers(options)), options)
        return close(job)


def _refuse_other_corpora(job: Job, shards: list[Shard]) -> None:
    """Raise ShardError for a table that is no corpus of addresses, before anything is written."""
    examiner = Examiner(job.shown, b"any", tables=True)
    try:
        refuse_other_corpora(shards, examiner)
    finally:
        examiner.close()


def _run(job: Job, shards: list[Shard], options: Any) -> None:
    layout = job.layout
    clear_progress(layout)
    with Watch(layout.progress, len(shards)):
        try:
            with worker_deaths_end_the_run(), beam.Pipeline(options=options) as pipeline:
                build(pipeline, job, shards)
        except RuntimeError as error:
            message = "The run stopped before its end. Start it again with the same words: what is finished is kept."
            raise ShardError(message) from error
    failures = read_failures(layout)
    clear_progress(layout)
    if failures:
        more = f" ({len(failures) - 1} more shards could not be finished.)" if len(failures) > 1 else ""
        raise error_of(type(failures[0]).__name__, f"{failures[0]}{more}")


def _join(facts: list[Facts], job: Job, shards: Sequence[Shard]) -> list[Shard]:
    """Join over the whole corpus and hand the shards out again; without one shard's evidence there is no join."""
    if note_failures(job.layout, facts):
        return []
    try:
        _refuse_floods(job, facts)
        _join_what_is_tied(job, [str(fact["shard"]) for fact in facts])
    except Exception as error:  # noqa: BLE001 - Beam would log it, with what it quotes
        note_failures(job.layout, [_failed("The samples could not be joined.", error)])
        return []
    return list(shards)


def _refuse_floods(job: Job, facts: Sequence[Facts]) -> None:
    matched = sum((Counter(fact["matched"]) for fact in facts), Counter[str]())
    sources = dict.fromkeys(source for each in job.policy.filters for source in lists_of(each))
    refuse_floods(sources, matched, sum(fact["samples"] for fact in facts))


def _join_what_is_tied(job: Job, names: list[str]) -> None:
    layout = job.layout
    inputs = {name: sha256_of(layout.evidence(name)) for name in names} | {"": job.decision}
    if done(layout.joined, inputs, layout.root) is None:
        join_corpus(job.policy, [(layout.evidence(name), layout.inherited(name)) for name in names])
        mark_done(layout.joined, inputs, [layout.inherited(name) for name in names], layout.root, {})


def _attempt(step: Callable[..., Facts], job: Job, shard: Shard, *others: Any) -> Facts:
    try:
        return {"shard": shard.name, **step(job, shard, *others)}
    except Exception as error:  # noqa: BLE001 - a runner would try once, and log what the error quotes
        return {"shard": shard.name, **_failed(f"{shard.file} could not be finished.", error)}


def _failed(what: str, error: Exception) -> Facts:
    if isinstance(error, ShardwallError):
        return {"failed": str(error), "error": type(error).__name__}
    return {"failed": f"{what} {sentence(error)}", "error": ShardError.__name__}


def _refuse_own_output(layout: Layout, shards: Sequence[Shard]) -> None:
    own = layout.root.resolve()
    if any(Path(shard.path).resolve().is_relative_to(own / "clean") for shard in shards):
        raise ShardError(
            f"{layout.root} cannot be written: the input lies in it, and would be replaced. Choose another."
        )


def _record(job: Job, source: str, shards: Sequence[Shard]) -> Facts:
    return {
        "input": source,
        "shards": {shard.name: shard.path for shard in shards},
        "policy_sha256": policy_digest(job.policy),
        "materials": [asdict(material) for material in job.materials],
        "rests_on": [(name, label, [asdict(each) for each in found]) for name, label, found in job.rests_on],
        "version": VERSION,
    }
