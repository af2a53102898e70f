"""What the verbs that measure a run print: tables and sentences, and never content."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipelines.cli_tables import table

if TYPE_CHECKING:
    from filters.calibration import Interval
    from manifests.bias import Burden
    from manifests.sampling import Plan
    from manifests.whatif import Comparison, Point
    from pipelines.groups import Groups
    from pipelines.residual import Looked
    from pipelines.whatif import WhatIf

WITHHELD = "withheld"
MOST_GROUPS = 40  # lines of a table of groups; the rest is added up
BAR = 40  # characters of a curve


def residual(told: Mapping[str, Any]) -> None:
    """Print the bounds of a run by mark and partition, and what they rest on."""
    rows = []
    for mark, bound in told["marks"].items():
        cells = [_at_most(of_marks[mark]) for of_marks in told["partitions"].values()]
        rows.append((mark, *(cells if bound["at_most"] is not None else [bound["told"]] * len(cells))))
    table("may be left unmarked, at most", ("mark", *told["partitions"]), rows)
    for mark, bound in told["marks"].items():
        if bound["at_most"] is not None:
            typer.echo(
                f"{mark}: no more than {bound['at_most']} in all partitions together, {bound['confidence']:.0%} sure. "
                f"Rule {bound['rule']!r} flagged {bound['flagged']}, and finds {bound['recall_low']:.4f} of them or "
                f"more, as {bound['positives']} labelled samples show."
            )
    typer.echo(told["assumed"])


def plan(path: Path, drawn: "Plan") -> None:
    """Print how many samples of each stratum are to be looked at."""
    chosen = [each.stratum for each in drawn.chosen]
    rows = [(s.partition, s.band, s.source, size, chosen.count(s)) for s, size in drawn.sizes.items()]
    table("", ("partition", "scores", "source", "samples", "to look at"), rows)
    typer.echo(f"{path}: answer yes or no in each empty cell, then fold it in with shardwall evaluate --sample")


def looked(found: Sequence["Looked"]) -> None:
    """Print what the answers to a plan say is left; nothing where there are none."""
    if not found:
        return
    rows = [(f.partition, f.mark, f.samples, f.drawn, f.found, f.undecided, f.at_most) for f in found]
    columns = ("partition", "mark", "samples", "looked at", "found", "undecided", "left at most")
    table("from the answers to the plan, each line 95 % sure", columns, rows)


def limits(asked: "WhatIf") -> None:
    """Print what the evidence of the run cannot tell about a policy."""
    if asked.unseen:
        typer.echo(
            f"not in the evidence of the run, as this policy has it: {', '.join(asked.unseen)}. What it would find is "
            "not guessed: every sample is unexamined, so withheld."
        )
    if gone := [name for name in asked.dropped if name not in asked.unseen]:
        typer.echo(f"left out, for this policy does not have it: {', '.join(gone)}")


def moves(compared: "Comparison") -> None:
    """Print how many samples go from where to where."""
    rows = [(before, after, count) for (before, after), count in compared.moves.items()]
    table("", ("in the run", "under this policy", "samples"), rows)
    places = sorted({place for pair in compared.moves for place in pair})
    totals = [
        (place, *(sum(n for pair, n in compared.moves.items() if pair[side] == place) for side in (0, 1)))
        for place in places
    ]
    table("", ("place", "in the run", "under this policy"), totals)
    if compared.again:
        typer.echo(
            f"{compared.again} samples were not shown to every filter of this policy, because of one that it does not "
            "have. They count as unexamined; a run would look at them."
        )


def losses(compared: "Comparison", groups: "Groups") -> None:
    """Print where the samples of each group are and would be, the largest first; small groups and counts are hidden."""
    from manifests.counts import SMALL
    from manifests.whatif import share, together, veiled

    shown = [(name, each) for name, each in compared.groups.items() if each.samples >= SMALL][:MOST_GROUPS]
    if rest := list(compared.groups.values())[len(shown) :]:
        shown.append((f"({len(rest)} more)", together(rest)))
    places = sorted({place for pair in compared.moves for place in pair} - {WITHHELD})
    rows = []
    for name, each in shown:
        counts = [_moved(each.before.get(place, 0), each.after.get(place, 0)) for place in (*places, WITHHELD)]
        lost = [share(side.get(WITHHELD, 0), each.samples) for side in (each.before, each.after)]
        rows.append((name, veiled(each.samples), *counts, _arrow(*lost)))
    columns = (groups.column, "samples", *places, WITHHELD, "share withheld")
    table(f"by {groups.rests_on}: in the run -> under this policy", columns, rows)


def curve(rule: str, points: Sequence["Point"]) -> None:
    """Print where the samples go under each threshold of a rule, and the share in the first place as a bar."""
    first = next(iter(points[0].places))
    rows = []
    for each in points:
        share = each.places[first] / max(sum(each.places.values()), 1)
        rows.append((each.threshold, *each.places.values(), "#" * round(BAR * share)))
    table(f"threshold of {rule!r}", ("threshold", *points[0].places, f"{first} of all ({BAR} # = 100 %)"), rows)


def burdens(by: str, found: Mapping[str, Sequence["Burden"]], outside: int) -> None:
    """Print what share of each group is withheld or marked, and how far it lies from that of all others."""
    from manifests.bias import SMALL_GROUP

    for name, shares in found.items():
        told = name if name == WITHHELD else f"marked {name}"
        rows = [(f.group, f.samples, f.burdened, _interval(f.share), _interval(f.gap), _remark(f)) for f in shares]
        table("", (by, "samples", told, "share, 95 %", "less that of the others", "remark"), rows)
    typer.echo(f"{outside} samples of the run are in no group, and in no number above")
    typer.echo(
        f"small: fewer than {SMALL_GROUP} samples tell little. The intervals of the differences in a table hold all at "
        "once, about 95 % sure, as far as samples are independent: copies and samples of one page are decided together."
    )


def _moved(before: int, after: int) -> str:
    from manifests.whatif import veiled

    return _arrow(veiled(before), veiled(after))


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} -> {after}"


def _at_most(left: Mapping[str, Any]) -> str:
    return f"{left['at_most']} of {left['unmarked']}"


def _interval(found: "Interval | None") -> str:
    if found is None:
        return ""
    return f"{found.estimate:+.4f} ({found.low:+.4f} to {found.high:+.4f})".replace("+0.", "0.")


def _remark(found: "Burden") -> str:
    words = ["small"] if found.small else []
    if found.apart and found.gap is not None:
        words.append("more than the others" if found.gap.estimate > 0 else "less than the others")
    return ", ".join(words)
