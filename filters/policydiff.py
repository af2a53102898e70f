"""What differs between two policies, in the words of a reviewer: what is now matched, marked, tied or let through."""

from collections.abc import Iterator, Mapping
from typing import Any

from filters.config import resolved
from filters.policy import ANY_FILTER, Partition, Policy, Rule

Table = Mapping[str, Any]
GONE = {  # what the loss of an entry means
    "list": "its entries match nothing any more",
    "filter": "it finds nothing any more",
    "rule": "fewer samples are marked {mark}",
    "partition": "what only it allowed is withheld",
    "calibration": "thresholds no longer rest on it",
}


def diff(a: Policy, b: Policy) -> list[str]:
    """Return what changes from `a` to `b`, one sentence each; empty exactly when their digests are the same."""
    old, new = resolved(a), resolved(b)
    lines = [
        *_head(old, new),
        *_entries("list", old["lists"], new["lists"]),
        *_entries("filter", old["filters"], new["filters"]),
        *_entries("calibration", old["calibrations"], new["calibrations"]),
        *_rules(a, b),
        *_partitions(a, b),
        *_settings(old, new),
    ]
    if not lines and old != new:
        return ["the same entries stand in another order: no sample is placed otherwise"]
    return lines


def sentence(rule: Rule) -> str:
    """Return a rule in words: "score from filter adult, at least 0.8, is marked adult"."""
    source = "any filter" if rule.filter == ANY_FILTER else f"filter {rule.filter}"
    labels = " or ".join(rule.labels) or "anything"
    found = [f"{labels} that {source} could not examine" if rule.unexamined else f"{labels} from {source}"]
    if rule.at_least is not None:
        found.append(f"at least {rule.at_least:g}")
    if rule.at_most is not None:
        found.append(f"at most {rule.at_most:g}")
    if rule.beside:
        found.append(f"beside {' or '.join(rule.beside)}")
    return f"{', '.join(found)}{',' if len(found) > 1 else ''} is marked {rule.mark}"


def _head(old: Table, new: Table) -> Iterator[str]:
    if old["name"] != new["name"]:
        yield f"the policy is called {new['name']!r}, no longer {old['name']!r}"
    if old["description"] != new["description"]:
        yield "the description is worded otherwise: no decision changes"
    if old["uncalibrated"] != new["uncalibrated"]:
        yield f"thresholds on uncalibrated models are {'accepted now' if new['uncalibrated'] else 'no longer accepted'}"


def _entries(kind: str, old: list[Table], new: list[Table]) -> Iterator[str]:
    before, after = ({each["name"]: each for each in side} for side in (old, new))
    for name in sorted(before.keys() - after.keys()):
        yield f"{kind} {name!r} is gone: {GONE[kind]}"
    for name in sorted(after.keys() - before.keys()):
        yield f"{kind} {name!r} is new: {'thresholds rest on it' if kind == 'calibration' else 'more can be found'}"
    for name in sorted(before.keys() & after.keys()):
        for key, was, now in _changed(before[name], after[name]):
            yield f"{kind} {name!r}: {key} {_shown(was)} -> {_shown(now)}"


def _rules(a: Policy, b: Policy) -> Iterator[str]:
    before, after = ({rule.name: rule for rule in policy.rules} for policy in (a, b))
    for name, rule in before.items():
        if name not in after:
            yield f"rule {name!r} is gone: {GONE['rule'].format(mark=rule.mark)}"
    for name, rule in after.items():
        if name not in before:
            yield f"rule {name!r} is new: {sentence(rule)}"
        else:
            yield from _rule(before[name], rule)


def _rule(old: Rule, new: Rule) -> Iterator[str]:
    for key, change in (
        ("at_least", _sign(_number(old.at_least, -1), _number(new.at_least, -1), rises=-1)),
        ("at_most", _sign(_number(old.at_most, 1), _number(new.at_most, 1), rises=1)),
        ("labels", _scope(old.labels, new.labels)),
        ("beside", _scope(old.beside, new.beside)),
        ("filter", 0),
        ("unexamined", 0),
    ):
        was, now = getattr(old, key), getattr(new, key)
        if was != now:
            amount = {1: "more", -1: "fewer", 0: "other"}[change]
            yield f"rule {new.name!r}: {key} {_shown(was)} -> {_shown(now)}: {amount} samples are marked {new.mark}"
    if old.mark != new.mark:
        yield f"rule {new.name!r}: what it finds is marked {new.mark}, no longer {old.mark}"


def _number(bound: float | None, side: int) -> float:
    return side * float("inf") if bound is None else bound


def _sign(old: float, new: float, rises: int) -> int:
    """Return 1 where more samples are marked, -1 where fewer; `rises` is what a higher number means."""
    return rises * ((new > old) - (new < old))


def _scope(old: tuple[str, ...], new: tuple[str, ...]) -> int:
    """Return 1 where the new words reach further, -1 where less far, else 0; no words reach everywhere."""
    if set(old) == set(new):
        return 0
    if not new or (old and set(new) > set(old)):
        return 1
    return -1 if not old or set(new) < set(old) else 0


def _partitions(a: Policy, b: Policy) -> Iterator[str]:
    before, after = ({each.name: each for each in policy.partitions} for policy in (a, b))
    for name in before:
        if name not in after:
            yield f"partition {name!r} is gone: {GONE['partition']}"
    for name, partition in after.items():
        if name in before:
            yield from _allowed(before[name], partition)
        else:
            yield f"partition {name!r} is new: it takes samples without marks, or with only {_shown(partition.allows)}"
    common = [[name for name in side if name in before.keys() & after.keys()] for side in (before, after)]
    if common[0] != common[1]:
        yield f"partitions are tried in the order {', '.join(common[1])}: the first that fits takes a sample"


def _allowed(old: Partition, new: Partition) -> Iterator[str]:
    for mark in sorted(set(new.allows) - set(old.allows)):
        yield f"partition {new.name!r} also allows {mark}: samples with that mark are let in"
    for mark in sorted(set(old.allows) - set(new.allows)):
        yield f"partition {new.name!r} no longer allows {mark}: such samples are withheld, or go to another partition"


def _settings(old: Table, new: Table) -> Iterator[str]:
    for key, was, now in _changed(old["ties"], new["ties"]):
        yield f"ties: {key} {_shown(was)} -> {_shown(now)}: other samples are tied, or other marks pass along"
    for key, was, now in _changed(old["limits"], new["limits"]):
        yield f"limits: {key} {was} -> {now}: {'fewer' if now > was else 'more'} samples are unexamined, so withheld"
    for key, was, now in _changed(old["floors"], new["floors"]):
        yield f"floors: {key} {_shown(was)} -> {_shown(now)}: other calibrations are refused; no decision changes"
    for key, was, now in _changed(old["deadlines"], new["deadlines"]):
        yield f"deadlines: {key} {was} -> {now} hours: people have {'more' if now > was else 'less'} time"
    for key, was, now in _changed(old["drift"], new["drift"]):
        yield f"drift: {key} {was:g} -> {now:g}: {'fewer' if now > was else 'more'} shards are warned of"


def _changed(old: Table, new: Table) -> Iterator[tuple[str, Any, Any]]:
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _shown(value: Any) -> str:
    if value is None or value in ("", [], (), {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    return str(value)
