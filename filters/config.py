"""Policy files: from TOML to a Policy, and from a Policy to the plain form that every manifest records.

`extends` names a shipped profile or another file. An entry of [[lists]], [[filters]], [[rules]] or [[calibrations]]
replaces the one of its name in the base, or is added; every other table replaces the base's as a whole. Nothing in a
message quotes a value that could be secret.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from filters import FILTERS, LIST_KINDS, filter_class
from filters.calibrated import measured_by, recorded
from filters.errors import PolicyError
from filters.finding import Filter
from filters.lists import ListSource
from filters.policy import Policy, Ties
from filters.policycheck import problems
from filters.policyfile import OFF, decode, given, hint, nearest, refusal
from filters.rulecheck import lists_of

POLICIES = Path(__file__).parent.parent / "policies"
LAID_OVER = ("lists", "filters", "rules", "calibrations")  # tables of a base that stay, but for those of a name
FILES = frozenset({"path", "checkpoint", "canary"})  # keys that name a file, relative to the policy file that has them
NAMES_OR_FILES = {"model": ".json", "prompts": ".txt"}  # keys that name a file where the value ends so


def profiles() -> tuple[str, ...]:
    """Return the names of the shipped profiles."""
    return tuple(sorted(path.stem for path in POLICIES.glob("*.toml")))


def load_policy(source: str | Path) -> Policy:
    """Return the policy of a file or of a shipped profile, or raise PolicyError saying all that is wrong with it."""
    tables = _tables(path := _located(source, Path()), ())
    if "measured" in tables:
        raise refusal(_shown(path), ["[measured] is for manifests; name the file under [[calibrations]] instead."])
    return _built(tables, _shown(path))


def restored(tables: Mapping[str, Any]) -> Policy:
    """Return the policy that `resolved` recorded; law: resolved(restored(resolved(p))) == resolved(p)."""
    return _built(decode(tables, "as recorded"), "as recorded")


def resolved(policy: Policy) -> dict[str, Any]:
    """Return the policy as one complete policy file would say it: plain data, every default filled in.

    Files are given without folder: the manifest has their digests, and where they lie changes no decision. For the same
    reason the address and the credentials by which a list is fetched are left out.
    """
    sources = {source.name: source for each in policy.filters for source in lists_of(each)}
    plain: dict[str, Any] = _plain(replace(policy, calibrations=()))
    files = plain.pop("calibration_files")
    calibrated = {"calibrations": files, "measured": recorded(policy)}
    return plain | calibrated | {"lists": [_plain(sources[name]) for name in sorted(sources)]}


def policy_digest(policy: Policy) -> str:
    """Return the SHA-256, in hex, of the canonical JSON of the resolved policy."""
    canonical = json.dumps(resolved(policy), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _plain(value: Any, key: str = "") -> Any:
    if key == "lists":
        return [source.name for source in value]
    if key == "columns":
        return dict(sorted(value))
    if key == "near_duplicate_bits" and value is None:
        return OFF
    if _is_file(key, value):
        return Path(value).name
    if is_dataclass(value):
        recorded = (field.name for field in fields(value) if field.metadata.get("recorded", True))
        return {name: _plain(getattr(value, name), name) for name in recorded}
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def _located(source: str | Path, folder: Path) -> Path:
    """Return the file of a profile name, or of a path seen from `folder`."""
    name = str(source)
    if isinstance(source, Path) or "/" in name or name.endswith(".toml"):
        return folder / name
    if name not in profiles():
        raise PolicyError(
            f"there is no profile {name!r}{hint(name, profiles())} The name of a policy file ends in .toml."
        )
    return POLICIES / f"{name}.toml"


def _shown(path: Path) -> str:
    return f"{path.stem!r}" if path.parent == POLICIES else str(path)


def _tables(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """Return the typed tables of a file laid over those of what it extends."""
    where = _shown(path)
    if path.resolve() in below:
        raise refusal(where, ["it extends itself in a circle; make one of the files complete."])
    own = decode(_anchored(_read(path), path.parent.absolute()), where)
    base_name, left_out = own.pop("extends", ""), own.pop("without", ())
    if not base_name:
        return own
    base = _without(_tables(_located(base_name, path.parent), (*below, path.resolve())), left_out, where)
    return base | own | {kind: _laid_over(base, own, kind) for kind in LAID_OVER}


def _without(base: dict[str, Any], names: tuple[str, ...], where: str) -> dict[str, Any]:
    """Return the base without these filters and the rules that ask them; its lists stay, for other filters."""
    present = [each.name for each in base.get("filters", ())]
    if strange := [name for name in names if name not in present]:
        raise refusal(where, [f"'without' names a filter that the base has not{nearest(strange[0], present) or '.'}"])
    filters = tuple(each for each in base.get("filters", ()) if each.name not in names)
    return base | {"filters": filters, "rules": tuple(rule for rule in base["rules"] if rule.filter not in names)}


def _laid_over(base: Mapping[str, Any], own: Mapping[str, Any], kind: str) -> tuple[Any, ...]:
    """Return the base's entries with those of the same name replaced, then the new ones; filters in running order."""
    added = {each.name: each for each in own.get(kind, ())}
    entries = {each.name: each for each in base.get(kind, ())} | added
    if len(added) != len(own.get(kind, ())):  # told by the check of names, which sees both
        return (*base.get(kind, ()), *own[kind])
    order = list(FILTERS)
    return tuple(sorted(entries.values(), key=lambda each: order.index(each.name) if kind == "filters" else 0))


def _read(path: Path) -> dict[str, Any]:
    where = _shown(path)
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise refusal(where, [f"it cannot be read: {error.strerror}; check the path."]) from None
    except tomllib.TOMLDecodeError as error:
        # The message of the parser may quote the text; the place is enough to find it.
        place = re.search(r"\((at (?:line \d+, column \d+|end of document))\)$", str(error))
        raise refusal(where, [f"it is not TOML {place[1] if place else ''}; correct it there."]) from None
    except (UnicodeDecodeError, RecursionError):
        raise refusal(where, ["it is not TOML: not UTF-8, or nested too deep; write it anew."]) from None


def _anchored(value: Any, folder: Path, key: str = "") -> Any:
    """Make every path that is relative to the policy file absolute."""
    if isinstance(value, dict):
        return {name: _anchored(each, folder, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_anchored(each, folder) for each in value]
    if key == "key" and isinstance(value, str) and value.startswith("file:"):
        return f"file:{folder / value.removeprefix('file:')}"
    return str(folder / value) if _is_file(key, value) else value


def _is_file(key: str, value: Any) -> bool:
    """Tell whether this is the path of a file; a model or prompts may be one, or a name that is known."""
    if not isinstance(value, str) or not value:
        return False
    return key in FILES or value.endswith(NAMES_OR_FILES.get(key, "\0"))


def _built(tables: dict[str, Any], where: str) -> Policy:
    sources = tuple(_source(table) for table in tables.pop("lists", ()))
    by_name = {source.name: source for source in sources}
    if len(by_name) != len(sources):
        twice = sorted(name for name in by_name if sum(source.name == name for source in sources) > 1)
        raise refusal(where, [f"[[lists]] {name!r} is there twice; rename one or drop it." for name in twice])
    chosen = tuple(_filter(table, by_name, where) for table in tables.pop("filters", ()))
    if "ties" in tables:
        tables["ties"] = Ties(**given(tables["ties"]))
    files, measured = tables.pop("calibrations", ()), tables.pop("measured", {})
    calibrations = measured_by(files, measured)
    policy = Policy(filters=chosen, calibration_files=files, calibrations=calibrations, **tables)
    if found := problems(policy) + _unread(policy, sources):
        raise refusal(where, found)
    return policy


def _source(table: Any) -> ListSource:
    values = given(table)
    return ListSource(**values | {"columns": tuple(sorted(values.get("columns", {}).items()))})


def _filter(table: Any, by_name: Mapping[str, ListSource], where: str) -> Filter:
    values = given(table)
    if "lists" in type(table).model_fields:
        values["lists"] = _chosen(table.name, values.get("lists"), by_name, where)
    return filter_class(table.name)(**values)


def _chosen(
    name: str, wanted: tuple[str, ...] | None, by_name: Mapping[str, ListSource], where: str
) -> tuple[ListSource, ...]:
    """Return the lists that a filter reads: those it names, else all of its kind."""
    kind = LIST_KINDS.get(name)
    if wanted is None:
        return tuple(source for source in by_name.values() if kind in (None, source.kind))
    for each in wanted:
        if each not in by_name:
            near = nearest(each, by_name) or "; add it under [[lists]]."
            raise refusal(where, [f"[[filters]] {name!r} reads list {each!r}, which is not there{near}"])
        if kind not in (None, by_name[each].kind):
            told = f"reads lists of kind {kind!r}, and {each!r} is of kind {by_name[each].kind!r}; take it out."
            raise refusal(where, [f"[[filters]] {name!r} {told}"])
    return tuple(by_name[each] for each in wanted)


def _unread(policy: Policy, sources: tuple[ListSource, ...]) -> list[str]:
    """Return a problem for each list of the user's own that no filter reads; a shipped one just drops out."""
    read = {source for each in policy.filters for source in lists_of(each)}
    return [
        f"[[lists]] {source.name!r} is read by no filter, so it protects nobody; enable a filter that reads "
        f"kind {source.kind!r}, or drop it."
        for source in sources
        if source not in read and not Path(source.path).is_relative_to(POLICIES)
    ]
