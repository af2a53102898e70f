"""The verbs that measure a finished run: `shardwall residual`, `shardwall what-if`, `shardwall bias`."""

from pathlib import Path
from typing import Annotated

import typer

from filters.errors import PolicyError
from pipelines import measure_tables as show

Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="The folder that `shardwall clean` wrote.")]
By = Annotated[str, typer.Option(help="Tell samples apart by shard, source, domain, language or a column of a file.")]
GroupFile = Annotated[Path | None, typer.Option(help="A CSV or Parquet file: shard, key and the column of --by.")]


def add_measures(app: typer.Typer) -> None:
    """Give the command line these verbs."""
    app.command("residual")(residual)
    app.command("what-if")(what_if)
    app.command("bias")(bias)


def residual(
    output: Output,
    plan: Annotated[
        int | None, typer.Option(min=1, help="Choose so many samples of each partition to look at.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another number draws another sample.")] = 0,
) -> None:
    """Say how much of each mark may be left in each partition, or that nothing bounds it.

    Example: shardwall residual cleaned --plan 300, then answer restricted/sample/plan.csv, then
    shardwall evaluate cleaned --sample plan.csv

    A bound comes from a calibration of the policy, and holds if its labelled samples are like those of the corpus. The
    answers to a plan give another one, which rests on no model.
    """
    from pipelines import residual as left

    if plan is not None:
        show.plan(*left.write_plan(output, plan, seed))
    else:
        show.residual(left.read_residual(output))
        show.looked(left.read_answers(output))


def what_if(
    output: Output,
    policy: Annotated[str | None, typer.Option(help="Another policy; without it, that of the run.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help='Another threshold: "RULE at_least=0.3" or "RULE at_most=25".')
    ] = None,
    by: By = "",
    groups: GroupFile = None,
    curve: Annotated[str, typer.Option(help="Move the threshold of this rule over the values that were found.")] = "",
) -> None:
    """Say what another policy or threshold would keep and withhold, from evidence, without reading an image.

    Example: shardwall what-if cleaned --set "adult score at_least=0.5" --by domain

    Every decision is the one that a run with that policy would make, ties included. A filter that the run did not have
    has seen nothing: its samples count as unexamined. Counts of groups below 10 are not shown.
    """
    from filters.config import load_policy
    from manifests.whatif import compare
    from pipelines import whatif
    from pipelines.groups import groups_by

    if groups is not None and not by:
        raise PolicyError(f"{groups.name} cannot be used: nobody says by which of its columns. Name it with --by.")
    if curve and by:
        raise PolicyError("--curve and --by cannot be given together: a curve is over all samples.")
    asked = whatif.what_if(output, load_policy(policy) if policy else None, changes or ())
    show.limits(asked)
    if curve:
        show.curve(curve, list(whatif.curve(asked, curve)))
        return
    found = groups_by(output, by, groups) if by else None
    compared = compare(whatif.pairs(asked), found.group if found else lambda _: "")
    show.moves(compared)
    if found:
        show.losses(compared, found)


def bias(
    output: Output,
    groups: Annotated[Path, typer.Argument(metavar="GROUPS", help="A CSV or Parquet file: shard, key and columns.")],
    by: Annotated[str, typer.Option(help="The column of the file that names the group of a sample.")],
) -> None:
    """Say what share of each group was withheld or marked, and how far that lies from all others, with intervals.

    Example: shardwall bias cleaned groups.csv --by region
    """
    from manifests.bias import burdens
    from pipelines.explain import ends
    from pipelines.groups import NONE, groups_by

    found = groups_by(output, by, groups)
    shares, outside = burdens(ends(output), lambda each: None if (name := found.group(each)) == NONE else name)
    show.burdens(by, shares, outside)
