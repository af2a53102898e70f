"""The verbs that come in groups: `shardwall policy`, `shardwall list`, `shardwall queue`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filters.errors import ListError

if TYPE_CHECKING:
    from filters.lists import ListSource

policy_app = typer.Typer(no_args_is_help=True, help="Check, compare and describe policy files.", rich_markup_mode=None)
list_app = typer.Typer(no_args_is_help=True, help="Check and compile the lists of a policy.", rich_markup_mode=None)
queue_app = typer.Typer(no_args_is_help=True, help="Read the reporting queue of a run.", rich_markup_mode=None)

PolicyFile = Annotated[str, typer.Argument(metavar="POLICY", help="A policy file, or the name of a shipped profile.")]
Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="The folder that `shardwall clean` wrote.")]


@policy_app.command("check")
def policy_check(policy: PolicyFile) -> None:
    """Tell whether a policy can be used, and what it does, rule by rule."""
    from filters.calibrated import named, notice
    from filters.config import load_policy, policy_digest
    from filters.policycheck import needs_lists
    from filters.policydiff import sentence

    loaded = load_policy(policy)
    typer.echo(f"{loaded.name}: {loaded.description}\ndigest {policy_digest(loaded)}\n")
    for rule in loaded.rules:
        typer.echo(f"- {rule.name}: {sentence(rule)}")
    for partition in loaded.partitions:
        typer.echo(f"- partition {partition.name}: allows {', '.join(partition.allows) or 'no mark'}")
    for name, each in named(loaded):
        typer.echo(
            f"- calibration {name} of {each.date}: {each.label} of {each.filter}, {each.direction} {each.threshold!r}, "
            f"finds a share of {each.recall.low:.4f} or more of {each.mark}, with {each.confidence:.0%} confidence"
        )
    if said := notice(loaded):
        typer.echo(f"\n{said}")
    if wanting := needs_lists(loaded):
        typer.echo(f"\nneeds lists before it can run: {', '.join(wanting)}")


@policy_app.command("diff")
def policy_diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A policy file or profile.")],
    after: Annotated[str, typer.Argument(metavar="B", help="A policy file or profile.")],
) -> None:
    """Say in words what changes from policy A to policy B."""
    from filters.config import load_policy
    from filters.policydiff import diff

    typer.echo("\n".join(diff(load_policy(before), load_policy(after))) or "no difference")


@policy_app.command("schema")
def policy_schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from filters.policyfile import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


@list_app.command("check")
def list_check(policy: PolicyFile) -> None:
    """Read every list of a policy and tell its entries, age and faults, never an entry itself."""
    problems = sum(not _healthy(source) for source in _lists(policy).values())
    if problems:
        raise ListError(f"{problems} list(s) of {policy} cannot be used. Mend or replace them before a run.")


@list_app.command("build")
def list_build(
    policy: PolicyFile,
    name: Annotated[str, typer.Argument(metavar="LIST", help="Name of a list in the policy.")],
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A new folder; then let `path` of the list name it.")],
) -> None:
    """Compile a list of hashes or URLs once into a folder that all processes map into memory.

    A list of URLs is kept as keyed hashes; its `key` in the policy says where the key lies, or shall lie.
    """
    from filters.lists import build

    entries = ", ".join(f"{count} {kind}" for kind, count in build(_named(policy, name), folder).entries)
    typer.echo(f"{folder}: {entries}")


@list_app.command("fetch")
def list_fetch(
    policy: PolicyFile, name: Annotated[str, typer.Argument(metavar="LIST", help="Name of a list in the policy.")]
) -> None:
    """Fetch what changed on a list since the last time, from the service that its `url` names, into its folder.

    Without `url` NCMEC's test service is asked. Credentials come from the variables or files that the policy names.
    Started again after a kill it goes on where it was.
    """
    from pipelines.fetch import fetch

    source = _named(policy, name)
    done = fetch(source, Path(policy).parent)
    typer.echo(f"{name}: complete until {done.complete}, {done.pages} new pages from {done.url}")
    _healthy(source)


@queue_app.command("list")
def queue_list(output: Output) -> None:
    """List the cases that ask for a person, most pressing first."""
    from manifests.queue import read_queue
    from pipelines.cli_tables import show_queue
    from pipelines.layout import Layout, read_run

    layout = Layout(output)
    read_run(layout)
    show_queue(read_queue(layout.restricted / "queue"))


@queue_app.command("show")
def queue_show(
    output: Output, case: Annotated[str, typer.Argument(metavar="CASE", help="The first characters of its id.")]
) -> None:
    """Show one case: reasons, keyed ids of list entries, and where the bytes lie; never the bytes or the key."""
    from pipelines.cli_tables import show_case
    from pipelines.explain import find_case

    show_case(find_case(output, case), output)


@queue_app.command("export")
def queue_export(
    output: Output,
    kind: Annotated[str | None, typer.Option(help="Only cases of this kind, such as known_material.")] = None,
) -> None:
    """Print the queue as JSON lines for a reviewer's tool: pointers and reasons, no content and no key."""
    from manifests.queue import export
    from pipelines.explain import cases_of

    for line in export(cases_of(output, kind)):
        typer.echo(line)


def _healthy(source: "ListSource") -> bool:
    """Show how a list is, and tell whether a run would take it."""
    from filters.lists import check

    health = check(source)
    entries = ", ".join(f"{count} {kind}" for kind, count in health.entries) or "no entries"
    withdrawn = f", {health.withdrawn} withdrawn" if health.withdrawn else ""
    age = f", {health.age_days} days old" if health.age_days is not None else ""
    typer.echo(f"{health.name}: {entries}{withdrawn}{age}")
    if health.unmatched:
        typer.echo(f"  not matched here: {', '.join(f'{count} {kind}' for kind, count in health.unmatched)}")
    if health.remarks:
        typer.echo(f"  worth a look: {'; '.join(map(str, health.remarks))}")
    if health.left_out:
        typer.echo(f"  not honoured: {'; '.join(map(str, health.left_out))}")
    if health.problem:
        typer.echo(f"  cannot be used: {health.problem}", err=True)
    elif health.faults:
        typer.echo(f"  left out: {'; '.join(map(str, health.faults))}", err=True)
    return not health.problem


def _named(policy: str, name: str) -> "ListSource":
    sources = _lists(policy)
    if name not in sources:
        raise ListError(f"{policy} has no list {name!r}. It has {', '.join(sources) or 'none'}.")
    return sources[name]


def _lists(policy: str) -> "dict[str, ListSource]":
    from filters.config import load_policy
    from filters.rulecheck import lists_of

    return {source.name: source for each in load_policy(policy).filters for source in lists_of(each)}
