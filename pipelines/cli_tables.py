"""What the command line shows: tables on standard output, and never content."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

NO_PICTURE = "no picture in this corpus"
PLAIN_WIDTH = 140  # columns, where no terminal says how wide it is

if TYPE_CHECKING:
    from manifests.queue import QueueItem
    from pipelines.demo.check import Tally
    from pipelines.explain import Explanation


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers are right-aligned."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title or None, title_justify="left")
    for number, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[number], int | float) for row in rows)
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(_text(cell) for cell in row))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(shown)


def show_summary(summary: dict[str, Any], output: Path) -> None:
    """Print where the samples of a run went; the numbers add up to what went in."""
    if summary["notice"]:
        typer.echo(summary["notice"])
    if summary["not_applicable"]:
        told = summary["not_applicable"]
        typer.echo(f"{told['why']}: {', '.join(told['filters']) or 'no filter of pictures in the policy'}")
        typer.echo(told["notice"])
    kept = [("kept", name, count) for name, count in summary["kept"].items()]
    withheld = [("withheld", reason, count) for reason, count in summary["withheld"].items()]
    total = sum(count for *_, count in kept + withheld)
    table("", ("", "partition or first reason", "samples"), [*kept, *withheld, ("in", "all", total)])
    ending = ".parquet" if summary["not_applicable"] else ".tar"
    for fault in summary["faults"]:
        typer.echo(
            f"structural fault: {fault['shard']}{ending} at offset {fault['offset']}: {fault['kind']}; "
            f"{fault['bytes']} bytes from there on are withheld"
        )
    if summary["malformed"]:
        typer.echo(f"{summary['malformed']} samples with structural faults of their own were withheld")
    for shard in summary["sidecars_left_out"]:
        typer.echo(f"{shard}.parquet was left out: its rows cannot be told apart by key")
    typer.echo(f"{summary['queued']} cases wait for a person: shardwall queue list {output}")
    bounds = {mark: bound["at_most"] for mark, bound in summary["residual"]["marks"].items()}
    at_most = ", ".join(f"{mark} {most}" for mark, most in bounds.items() if most is not None)
    unbounded = ", ".join(mark for mark, most in bounds.items() if most is None)
    told = [f"at most {at_most}" if at_most else "", f"no bound for {unbounded}" if unbounded else ""]
    if bounds:
        typer.echo(f"may be left of each mark: {'; '.join(filter(None, told))}: shardwall residual {output}")


def show_evidence(told: "Explanation") -> None:
    """Print why one sample is where it is."""
    decision = told.decision
    typer.echo(f"{decision.shard} sample {decision.index}: {decision.partition}")
    typer.echo(f"reasons   {', '.join(decision.reasons) or 'none: a partition allows all its marks'}")
    typer.echo(f"marks     {', '.join(decision.marks) or 'none'}")
    typer.echo(f"inherited {', '.join(decision.inherited) or 'none'}")
    typer.echo(f"rules     {'; '.join(decision.rules) or 'none'}")
    typer.echo(f"shown to  {', '.join(told.examined) or 'no filter'}")
    if told.not_applicable:
        typer.echo(f"not applicable: {NO_PICTURE}, so nothing to look at for {', '.join(told.not_applicable)}")
    typer.echo(f"{'row' if told.table else 'bytes':<9} {_place(told)}")
    columns = ("filter", "label", "value", "source", "entry", "form", "unexamined")
    rows = [tuple(getattr(finding, column) for column in columns) for finding in decision.findings]
    table("", columns, rows)


def _place(told: "Explanation") -> str:
    decision = told.decision
    if told.table:
        return f"{told.source} at row {decision.offset}, counted from 0"
    return f"{told.source} at {decision.offset}, {decision.length} bytes"


def show_queue(cases: Sequence["QueueItem"]) -> None:
    """Print the queue, a line a case."""
    rows = [(c.priority, c.kind, c.id[:12], c.shard, c.deadline, c.state, "; ".join(c.reasons)) for c in cases]
    table("", ("priority", "kind", "case", "shard", "deadline", "state", "reasons"), rows)


def show_case(case: "QueueItem", output: Path) -> None:
    """Print one case whole but for the key of its sample, which `explain` may be asked about."""
    for name in case.__dataclass_fields__:
        if name != "key":
            typer.echo(f"{name:<13} {_text(getattr(case, name))}")
    if case.index is not None:
        asked = shlex.join(["shardwall", "explain", str(output), case.shard, f"#{case.index}"])
        typer.echo(f"why it is there: {asked}")


def show_checked(tallies: Sequence["Tally"]) -> bool:
    """Print planted cases against what happened; tell whether all ended as expected."""
    rows = [
        (each.case, each.expected, each.count, each.as_expected, "; ".join(each.mismatches) or "as planted")
        for each in tallies
    ]
    table("", ("planted", "expected end", "samples", "as expected", "otherwise"), rows)
    planted, met = sum(each.count for each in tallies), sum(each.as_expected for each in tallies)
    typer.echo(f"{met} of {planted} planted samples ended where they should")
    return met == planted


def _text(cell: object) -> str:
    if isinstance(cell, tuple):
        return "; ".join(map(str, cell)) or "none"
    if isinstance(cell, float):
        return f"{cell:g}"
    return "" if cell is None else str(cell)
