"""Which column of a table plays which role in an entry of a list."""

from collections.abc import Mapping
from dataclasses import dataclass

from filters.hashvalues import BYTES, LICENSED
from filters.listformats import FORMATS
from filters.listsource import ListSource, refusal

ROLES = ("value", "algorithm", "category", "classification", "language", "id", "match", *BYTES, *sorted(LICENSED))
CONSTANT = "="  # before a text that holds for every row, where else the name of a column stands
_VALUES = frozenset({"value", *BYTES, *LICENSED})  # the roles that give an entry its value


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a table by role, and the texts that hold for every row; `hashes` are the columns of one algorithm.

    A list without columns has one value per line.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    hashes: tuple[str, ...]

    def about(self, said: Mapping[str, str]) -> dict[str, str]:
        """Return what a row says besides its values."""
        return {role: text for role, text in said.items() if role != "value" and role not in self.hashes}


def roles_of(source: ListSource, lengths: Mapping[str, int]) -> Roles:
    """Return how a list is to be read, given the bytes of each kind of hash; ListError when it cannot be."""
    roles = dict(source.columns)
    unknown = set(roles) - {*ROLES, *(role for role in roles if role in lengths)}
    if len(roles) != len(source.columns) or unknown:
        raise refusal(source, f"`columns` has an unknown or repeated role; the roles are {', '.join(ROLES)}")
    constants = {role: name[1:] for role, name in roles.items() if name.startswith(CONSTANT)}
    columns = {role: name for role, name in roles.items() if role not in constants}
    values = {role for role in roles if role in _VALUES or role in lengths}
    if constants.keys() & values or (columns and not columns.keys() & values):
        raise refusal(source, '`columns` names columns, but none for "value"; begin a fixed text with "="')
    if source.format in FORMATS and (roles or source.kind != "hashes"):
        raise refusal(source, f'a list of format "{source.format}" holds hashes, and has no `columns`')
    if source.format not in ("csv", *FORMATS):
        raise refusal(source, f'a list of format "{source.format}" holds URLs. Set kind = "urls"')
    return Roles(columns, constants, tuple(sorted(values - {"value"})))
