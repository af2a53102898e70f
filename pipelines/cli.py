"""The command line: `shardwall VERB`.

Nothing heavy is imported before a verb runs, so that `--help` answers at once.
"""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from filters.errors import PolicyError, SealError, ShardwallError
from pipelines.cli_encoder import head_app, weights_app
from pipelines.cli_evaluate import add_evaluate
from pipelines.cli_measure import add_measures
from pipelines.cli_tables import show_checked, show_evidence, show_summary
from pipelines.cli_tools import list_app, policy_app, queue_app
from pipelines.mishaps import sentence

DONE, FAILED, USAGE, FAULTS, NOT_VERIFIED, INTERRUPTED = 0, 1, 2, 3, 4, 130

app = typer.Typer(
    help="Clean image-text training corpora for child safety before anyone trains on them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(policy_app, name="policy")
app.add_typer(list_app, name="list")
app.add_typer(queue_app, name="queue")
app.add_typer(weights_app, name="weights")
app.add_typer(head_app, name="head")

Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="The folder that `shardwall clean` wrote.")]


@app.command()
def clean(
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="A folder, glob or brace range of tars, or of Parquet tables.")
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="A new folder, or one whose run is to be continued.")
    ],
    policy: Annotated[str, typer.Option(help="A policy file, or the name of a shipped profile.")],
    beam: Annotated[list[str] | None, typer.Argument(metavar="[-- BEAM OPTIONS]", help="Options for Beam.")] = None,
) -> None:
    """Examine shards, keep what the policy allows, and record every decision.

    Example: shardwall clean 'data/{00000..00099}.tar' cleaned --policy policy.toml

    Shards are WebDataset tars, or Parquet tables of addresses such as the metadata of LAION, COYO and DataComp. A table
    has no picture to examine: the output says so, and the downloaded shards are cleaned again.

    Started again on the same output, it does only what is missing. Ends with 0 when everything is done, 3 when the
    input had structural faults: they were withheld and are named.
    """
    logging.getLogger().setLevel(logging.CRITICAL)  # Beam warns about itself, and logs errors with what they quote
    from filters.config import load_policy
    from pipelines.clean import clean as run

    if beam and not beam[0].startswith("--"):
        raise PolicyError(f"{len(beam)} argument(s) too many: `clean` takes INPUT and OUTPUT. Quote a glob.")
    summary = run(source, output, load_policy(policy), beam or [])
    show_summary(summary, output)
    for warning in summary["warnings"]:
        typer.echo(f"warning: {warning}", err=True)
    raise typer.Exit(FAULTS if summary["faults"] or summary["malformed"] else DONE)


@app.command()
def verify(output: Output) -> None:
    """Prove from the files alone that an output is what its manifest says.

    Checks digests of inputs and outputs, that every sample is in exactly one place, that every kept sample equals its
    source byte for byte (a row of a table value for value), that no partition holds what the policy keeps apart, and
    that a trainer's loader sees the same samples of a tar. Ends with 4 and the names of what is wrong otherwise.
    """
    from pipelines.verify import verify as check

    problems = check(output)
    for problem in problems:
        typer.echo(f"wrong: {problem}", err=True)
    if problems:
        raise SealError(f"{output} cannot be trusted: {len(problems)} thing(s) are not as the manifest says.")
    typer.echo(f"{output}: verified")


@app.command()
def explain(
    output: Output,
    shard: Annotated[str, typer.Argument(metavar="SHARD", help="Name of the shard, without its ending.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the sample, or # and its number in the shard.")],
) -> None:
    """Say why a sample is where it is: rules, marks and evidence, never its content."""
    from pipelines.explain import explain as look_up

    for told in look_up(output, shard, key):
        show_evidence(told)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder to write the demonstration corpus to.")],
    check: Annotated[Path | None, typer.Option(help="Compare this output with what was planted instead.")] = None,
) -> None:
    """Write a corpus of ordinary photos with planted cases, each with its expected end.

    Example: shardwall demo demo, then shardwall clean demo/shards demo/out --policy demo/policy.toml,
    then shardwall demo demo --check demo/out
    """
    if check is None:
        from pipelines.demo import write_demo

        write_demo(folder)
        typer.echo(f"{folder}: shards, lists, policy.toml and planted.json")
        return
    from pipelines.demo_check import check_output

    if not show_checked(check_output(folder, check)):
        raise SealError(f"{check} is not as planted: the table says which cases went elsewhere.")


@app.command()
def doctor() -> None:
    """Tell versions, runners and weights, what is missing and how to get it."""
    from pipelines.doctor import examine_installation

    lines, healthy = examine_installation()
    typer.echo("\n".join(lines))
    raise typer.Exit(DONE if healthy else FAILED)


add_measures(app)
add_evaluate(app)


def main() -> None:
    """Run the command line; every error is a sentence and an exit code."""
    try:
        app(prog_name="shardwall")
    except ShardwallError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(USAGE if isinstance(error, PolicyError) else NOT_VERIFIED if isinstance(error, SealError) else FAILED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # Typer's answer to Ctrl-C
            typer.echo("Stopped. Start the same command again: what is finished is kept.", err=True)
        raise
    except Exception as error:  # noqa: BLE001 - a traceback could quote content
        typer.echo(f"Error: {sentence(error)}", err=True)
        sys.exit(FAILED)
