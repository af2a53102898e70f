"""The verb that holds thresholds against labels: `shardwall evaluate`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filters.errors import LabelError, PolicyError
from pipelines.cli_tables import table
from pipelines.measure_tables import looked

if TYPE_CHECKING:
    from filters.calibration import Group, Interval
    from manifests.curves import Measured, Wanted
    from manifests.evaluation import Evaluation
    from pipelines.evaluate import Question

SHARE = "{:.4f}"
BOUNDS = ("at least", "estimate", "at most")


def add_evaluate(app: typer.Typer) -> None:
    """Give the command line this verb."""
    app.command("evaluate")(evaluate)


def evaluate(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The folder that `shardwall clean` wrote.")],
    labels: Annotated[
        Path | None, typer.Argument(metavar="LABELS", help="CSV or Parquet: shard, key, label (0 or 1), groups.")
    ] = None,
    rule: Annotated[
        str, typer.Option(help="The rule whose threshold is measured; label 1 says that its mark is due.")
    ] = "",
    by: Annotated[list[str] | None, typer.Option(help="Measure each group of this column; may be given again.")] = None,
    recall: Annotated[
        float | None, typer.Option(help="Choose the threshold whose recall is at least this, such as 0.99.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the calibration file here, for [[calibrations]].")] = None,
    sample: Annotated[
        Path | None, typer.Option(help="Fold in the answered plan of `shardwall residual --plan`, in place of LABELS.")
    ] = None,
) -> None:
    """Measure the threshold of a rule against labels that people gave, and write its calibration file.

    Example: shardwall evaluate cleaned labels.csv --rule "adult score" --by region --recall 0.95 --out adult.json

    Every share is told with its exact interval (Clopper-Pearson, 95 %). Samples that could not be examined are withheld
    whatever the threshold: they are counted, and in no share. Where the labels are too few for --recall, it says how
    many it takes, writes nothing and ends with 1. Beside the calibration, adult.evaluation.json has all figures and the
    points of the curve. No key is shown.

    With --sample it says what is left of each mark, by the answers alone: what is not answered counts as found.
    """
    from pipelines.evaluate import Question
    from pipelines.residual import fold_answers

    if (labels is None) == (sample is None):
        raise PolicyError("evaluate takes LABELS or --sample, one of the two: a labelled set, or an answered plan.")
    if recall is not None and not 0 < recall < 1:
        raise PolicyError("--recall lies between 0 and 1, both left out: nobody can show that nothing is missed.")
    if sample:
        looked(fold_answers(output, sample))
    elif labels:
        _measure(output, labels, Question(rule, tuple(by or ()), recall), out)


def _measure(output: Path, labels: Path, question: "Question", out: Path | None) -> None:
    from pipelines.evaluate import evaluate as measured
    from pipelines.evaluate import write

    answer = measured(output, labels, question)
    _show(answer.evaluation)
    if answer.evaluation.wanted and answer.evaluation.wanted.threshold is None:
        raise LabelError(_too_few(answer.evaluation))
    if out:
        _told(out, write(out, answer, output), answer.evaluation)


def _told(out: Path, digest: str, found: "Evaluation") -> None:
    name = json.dumps(f"{found.asked.filter} {found.asked.label}")
    entry = f'[[calibrations]]\nname = {name}\npath = {json.dumps(out.name)}\nsha256 = "{digest}"'
    typer.echo(f"\n{out}: the calibration; a policy beside it names it so:\n\n{entry}")


def _show(found: "Evaluation") -> None:
    asked, tally, at = found.asked, found.tally, found.measured
    chosen = " (chosen)" if found.wanted and found.wanted.threshold is not None else ""
    typer.echo(
        f"{asked.label} of {asked.filter}, {asked.direction} {at.threshold!r}{chosen}, for the mark {asked.mark}\n"
    )
    for count, words in (
        (tally.labelled, "samples labelled"),
        (tally.repeated, "rows repeat a sample, and count once"),
        (tally.contradicted, "have rows that contradict each other, and are left out"),
        (tally.unknown, "are not in the evidence of the run, and are left out"),
        (tally.ambiguous, "have a key that occurs twice in their shard, and are left out"),
        (tally.unexamined_of_mark, "of the mark could not be examined: withheld, so not missed, and in no share"),
        (tally.unexamined_others, "others could not be examined: withheld, and in no share"),
        (tally.without_value, "have no value: no threshold finds them, and those of the mark count as missed"),
        (tally.measured, "measured"),
    ):
        if count or words == "measured":
            typer.echo(f"{count:>7} {words}")
    typer.echo("")
    _whole(found)
    for column, groups in {**found.groups, **({"language": found.languages} if found.languages else {})}.items():
        _groups(column, groups, found)


def _whole(found: "Evaluation") -> None:
    at = found.measured
    rows = [
        ("recall", f"{at.found} of {at.found + at.missed}", *_bounds(at.recall)),
        ("precision", f"{at.found} of {at.found + at.false}", *_bounds(at.precision)),
        ("false positive rate", f"{at.false} of {at.false + at.passed}", *_bounds(at.false_positive_rate)),
        ("F2", "", "", SHARE.format(at.f2), ""),
        ("area under ROC", "", "", SHARE.format(found.curve.roc_auc), ""),
        ("average precision", "", "", SHARE.format(found.curve.average_precision), ""),
    ]
    table("", ("measured", "samples", *BOUNDS), rows)
    typer.echo("Precision is of these labels: where the mark is rarer, it is lower.")
    if at.missed_bound is not None:
        typer.echo(
            f"None of {at.found} was missed: with 95 % confidence at most {at.missed_bound:.2%} of the mark are missed "
            "(rule of three, exact)."
        )
    if found.wanted and found.wanted.threshold is not None:
        typer.echo(
            f"Chosen for a recall of {found.wanted.recall:g}: of all thresholds that show it, the one that finds least."
        )
    table(
        "Other thresholds",
        ("threshold", "recall", "precision", "false positive rate"),
        list(map(_point, found.curve.points)),
    )


def _point(at: "Measured") -> tuple[str, str, str, str]:
    shares = (at.recall, at.precision, at.false_positive_rate)
    first, second, third = (f"{each.estimate:.4f} ({each.low:.4f} to {each.high:.4f})" for each in shares)
    return repr(at.threshold), first, second, third


def _groups(column: str, groups: "Mapping[str, Group]", found: "Evaluation") -> None:
    head = (
        column,
        "samples",
        "of the mark",
        "recall",
        "at least",
        "at most",
        "false positive rate",
        "at least",
        "at most",
    )
    rows = []
    for name, group in groups.items():
        (low, middle, high), (least, other, most) = _bounds(group.recall), _bounds(group.false_positive_rate)
        rows.append((name, group.n, group.positives, middle, low, high, other, least, most))
    table("", head, rows)
    gap = found.gaps.get(column)
    if gap:
        typer.echo(
            f"The recall of {gap.best!r} is {gap.recall.estimate:.4f} above that of {gap.worst!r}; with 95 % "
            f"confidence the widest gap of any two is {gap.recall.low:.4f} to {gap.recall.high:.4f}."
        )


def _bounds(interval: "Interval") -> tuple[str, str, str]:
    estimate = "none" if interval.estimate != interval.estimate else SHARE.format(interval.estimate)
    return SHARE.format(interval.low), estimate, SHARE.format(interval.high)


def _too_few(found: "Evaluation") -> str:
    wanted: Wanted = found.wanted  # type: ignore[assignment]
    of_mark = found.measured.found + found.measured.missed
    most = f"the highest recall that {of_mark} labelled samples of the mark can show here is {wanted.reachable:.4f}"
    if of_mark < wanted.needed:
        return (
            f"No threshold can be shown to have a recall of {wanted.recall:g}: {most}. It takes {wanted.needed} of the "
            "mark if none of them is missed, and more if some are: label more."
        )
    return (
        f"No threshold can be shown to have a recall of {wanted.recall:g}: {most}, for some of them have no value that "
        "a threshold could find. Find out why, or ask for less."
    )
