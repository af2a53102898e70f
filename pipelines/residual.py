"""What may be left in the partitions of a run, and the sample by which a person narrows it down.

Plan and answers lie in the restricted store: `plan.csv` for the person, `plan.json` for what its rows stand for.
"""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filters.errors import LabelError, ShardError
from filters.policy import Policy
from manifests.sampling import Answered, Plan, asked, draw, most_left
from pipelines.commit import sha256_of, whole, write_json
from pipelines.explain import ends
from pipelines.labels import cells
from pipelines.layout import PRIVATE, Layout, read_run
from pipelines.separate import SEPARATED
from pipelines.whatif import run_policy

NUMBER, NOT_ASKED = "number", "-"
YES, NO = "yes", "no"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")  # a spreadsheet would carry out what begins so

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a person's answers say of a partition and a mark.

    Of `samples`, `drawn` were chosen; `found` are of the mark, and `undecided` more are not known not to be, which
    counts as found. `at_most` bounds how many of all the samples are of the mark, with 95 % confidence.
    """

    partition: str
    mark: str
    samples: int
    drawn: int
    found: int
    undecided: int
    at_most: int


def read_residual(output: Path) -> dict[str, Any]:
    """Return the bounds that the run noted, or raise ShardError."""
    try:
        summary = json.loads((Layout(output).restricted / "summary.json").read_text(encoding="utf-8"))
        return dict(summary["residual"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ShardError(f"{output} does not say what may be left in it. Start its run again, to its end.") from None


def write_plan(output: Path, number: int, seed: int) -> tuple[Path, Plan]:
    """Choose samples of every partition for a person to look at; return the table of them, and the plan.

    Raises ShardError where there are answers already: by drawing again one could choose the answers one likes.
    """
    folder, state = _folder(output), _state(output)
    if (folder / "answers.json").exists():
        raise ShardError(
            f"{output} cannot be sampled anew: answers to a plan are there. Move {folder} away, on record."
        )
    policy = run_policy(output)
    plan = draw(policy, ends(output), number, bytes.fromhex(str(read_run(Layout(output))["key"])), seed)
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    folder.chmod(PRIVATE)
    with whole(folder / "plan.csv", 0o600) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(_table(policy, plan), encoding="utf-8", newline="")
    places = {stratum: place for place, stratum in enumerate(plan.sizes)}
    strata = [{**asdict(stratum), "size": size, "numbers": []} for stratum, size in plan.sizes.items()]
    for place, each in enumerate(plan.chosen, 1):
        strata[places[each.stratum]]["numbers"].append(place)
    write_json(folder / "plan.json", {"seed": seed, "state": state, "strata": strata})
    return folder / "plan.csv", plan


def fold_answers(output: Path, file: Path) -> list[Looked]:
    """Take in a person's answers to the plan; return the bounds that they give, by partition and mark.

    What is neither "yes" nor "no", or missing, counts as found. Raises LabelError or ShardError.
    """
    strata, policy = _read_plan(output), run_policy(output)
    marks = sorted({mark for partition in policy.partitions for mark in asked(policy, partition.name)})
    answers = _answers(file, marks, {number for each in strata for number in each["numbers"]})
    looked = []
    for partition in policy.partitions:
        own = [each for each in strata if each["partition"] == partition.name]
        looked += [_looked(mark, own, answers) for mark in asked(policy, partition.name) if own]
    told = {"answers_sha256": sha256_of(file), "state": _state(output), "looked": [asdict(each) for each in looked]}
    write_json(_folder(output) / "answers.json", told)
    return looked


def read_answers(output: Path) -> list[Looked]:
    """Return what the answers said that were taken in; nothing where there are none, or the run went on since."""
    try:
        told = json.loads((_folder(output) / "answers.json").read_text(encoding="utf-8"))
        return [Looked(**each) for each in told["looked"]] if told["state"] == _state(output) else []
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ShardError(f"{output} has answers that cannot be read. Give the file with the answers again.") from None


def _folder(output: Path) -> Path:
    return Layout(output).restricted / "sample"


def _state(output: Path) -> str:
    """Return a digest of every decision of the run: answers are about these and no others."""
    layout = Layout(output)
    digest = hashlib.sha256()
    for shard in sorted(read_run(layout)["shards"]):
        try:
            outputs = json.loads(layout.marker(shard, SEPARATED).read_text(encoding="utf-8"))["outputs"]
            digest.update(str(outputs[str(layout.manifest(shard).relative_to(layout.root))]).encode())
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise ShardError(f"{output} is not finished. Start its run again, to its end.") from None
    return digest.hexdigest()


def _table(policy: Policy, plan: Plan) -> str:
    """Return the table for a person: where each sample lies, and a cell for each mark that is asked about."""
    marks = sorted({mark for partition in policy.partitions for mark in asked(policy, partition.name)})
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow([NUMBER, "partition", "shard", "index", "key", *marks])
    for number, each in enumerate(plan.chosen, 1):
        wanted = asked(policy, each.stratum.partition)
        cells = ["" if mark in wanted else NOT_ASKED for mark in marks]
        rows.writerow([number, each.stratum.partition, _text(each.shard), each.index, _text(each.key), *cells])
    return text.getvalue()


def _text(name: str) -> str:
    readable = name.encode("utf-8", "backslashreplace").decode()
    return f"'{readable}" if readable.startswith(FORMULA) else readable


def _read_plan(output: Path) -> list[dict[str, Any]]:
    """Return the strata of the plan with the numbers of their rows, or raise ShardError."""
    try:
        plan = json.loads((_folder(output) / "plan.json").read_text(encoding="utf-8"))
        strata = [dict(each) for each in plan["strata"]]
        state = plan["state"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ShardError(f"{output} has no plan that answers could be about. Write one with --plan.") from None
    if state != _state(output):
        raise ShardError(f"{output} has decided anew since the plan was drawn. Write another with --plan.")
    return strata


def _answers(file: Path, marks: Sequence[str], known: set[int]) -> dict[int, Row]:
    found: dict[int, Row] = {}
    for line, (number, *given) in cells(file, (NUMBER, *marks)):
        place = int(number) if number.strip().isdecimal() else 0
        if place not in known:
            raise LabelError(f"{file.name} cannot be used: row {line} is about no sample of the plan. Correct it.")
        answer = {mark: cell.strip().lower() for mark, cell in zip(marks, given, strict=True)}
        if found.setdefault(place, answer) != answer:
            raise LabelError(f"{file.name} cannot be used: row {line} says otherwise than one before. Correct it.")
    return found


def _looked(mark: str, strata: Sequence[Mapping[str, Any]], answers: Mapping[int, Row]) -> Looked:
    answered, found, undecided = [], 0, 0
    for each in strata:
        told = [answers.get(number, {}).get(mark, "") for number in each["numbers"]]
        found += told.count(YES)
        undecided += len(told) - told.count(YES) - told.count(NO)
        answered.append(Answered(each["size"], len(told), len(told) - told.count(NO)))
    samples, drawn = (sum(getattr(each, name) for each in answered) for name in ("size", "drawn"))
    return Looked(strata[0]["partition"], mark, samples, drawn, found, undecided, most_left(answered))
