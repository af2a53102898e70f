"""Files of URL lists that are no plain table: what each line of them blocks, and which lines cannot be honoured.

What a format says beyond an address (an exception, a condition, a pattern) is never taken as wider than it is and never
dropped in silence: its lines are counted by reason.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

EXCEPTION = "exceptions, which would let something pass"
COSMETIC = "rules about parts of a page"
EXPRESSION = "regular expressions"
NARROWED = "rules with conditions"
PATTERN = "patterns that are no whole domain, folder or address"
OWN_NAME = "names of this machine and its network"
NO_HOSTS_LINE = "that are no line of a hosts file that blocks"
UNDECLARED = "in folders whose name `categories` does not declare"

UT1_FILES = {"domains": "domain", "urls": "prefix"}  # squidGuard's, whose "urls" cover what lies below
_UT1_EXPRESSIONS = frozenset({"expressions", "very_restrictive_expression"})
_OWN = re.compile(r"(?:localhost|localhost\.localdomain|local|broadcasthost|ip6-[a-z0-9]+|0\.0\.0\.0)\Z", re.IGNORECASE)
_COSMETIC = re.compile(r"#@?(?:[#?$%])")
_OPTIONS = re.compile(r"\$([a-z0-9_~\-]+(?:=[^,]*)?(?:,[a-z0-9_~\-]+(?:=[^,]*)?)*)\Z", re.IGNORECASE)
_WIDE_OPTIONS = frozenset({"all", "important"})  # they take nothing away
_DOMAIN_RULE = re.compile(r"\|\|(?:\*\.)?([^/^*|:?\s]+)\^\|?\Z")
_FOLDER_RULE = re.compile(r"\|\|([^/^*|:?\s]+/[^^*|?\s]*?)(?:(?<=/)|\^)\Z")
_ADDRESS_RULE = re.compile(r"\|(https?://[^^*|\s]+)\|\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says: an entry to be read as `match` says, or why it is none."""

    value: str = field(default="", repr=False)
    match: str = ""
    wrong: str = ""
    left_out: str = ""


def hosts(line: str) -> Iterator[Said]:
    """Yield the names that a line of a hosts file points nowhere, hosts(5); each is a domain with all below it."""
    words = line.partition("#")[0].split()
    if not words:
        return
    for name in words[1:]:
        if _OWN.match(name):
            yield Said(left_out=OWN_NAME)
        elif _nowhere(words[0]):
            yield Said(name, "domain")
        else:
            yield Said(wrong=NO_HOSTS_LINE)
    if len(words) == 1:
        yield Said(wrong=NO_HOSTS_LINE)


def domains(line: str) -> Iterator[Said]:
    """Yield the domain of a line; a comment may follow it."""
    value = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
    if value:
        yield Said(value, "domain")


def adblock(line: str) -> Iterator[Said]:
    """Yield what an Adblock Plus filter blocks whole, help.adblockplus.org "How to write filters" (read 2026-11-22).

    Honoured are "||domain^", "||domain/folder/" and "||domain/path^", and "|http://address|", bare or with the options
    that narrow nothing.
    """
    line = line.strip()
    if not line or line.startswith(("!", "# ")) or re.fullmatch(r"\[Adblock[^\]]*\]", line, re.IGNORECASE):
        return
    if line.startswith("@@"):
        yield Said(left_out=EXCEPTION)
    elif _COSMETIC.search(line):
        yield Said(left_out=COSMETIC)
    elif re.match(r"/.*/(?:\$|\Z)", line):
        yield Said(left_out=EXPRESSION)
    else:
        yield _rule(line)


def digests(line: str) -> Iterator[Said]:
    """Yield the SHA-256 of a line, whole or its first bytes, in hex."""
    value = line.partition("#")[0].strip()
    if value:
        yield Said(value, "sha256")


LINES: dict[str, Callable[[str], Iterator[Said]]] = {
    "hosts": hosts,
    "domains": domains,
    "adblock": adblock,
    "sha256": digests,
}
URL_FORMATS = (*LINES, "ut1")


def ut1_files(folder: Path) -> list[tuple[str, Path]]:
    """Return the files of UT1's folders with their category, the name of their folder; "" for those of `folder` itself.

    https://dsi.ut-capitole.fr/blacklists/index_en.php (layout as squidGuard reads it).
    """
    wanted = {*UT1_FILES, *_UT1_EXPRESSIONS}
    found = [path for path in folder.glob("*/*") if path.name in wanted and path.is_file()]
    own = [path for path in folder.glob("*") if path.name in wanted and path.is_file()]
    return [*(("", path) for path in sorted(own)), *((path.parent.name, path) for path in sorted(found))]


def ut1(name: str, line: str) -> Iterator[Said]:
    """Yield what a line of UT1's file of this name blocks."""
    value = line.strip()
    if value and name in _UT1_EXPRESSIONS:
        yield Said(left_out=EXPRESSION)
    elif value and not value.startswith("#"):
        yield Said(value, UT1_FILES[name])


def looks_like(lines: Iterable[str]) -> str:
    """Return the format that nearly all of these lines have, where that is beyond doubt; else nothing."""
    votes = [_form(line) for line in lines if line.strip() and not line.startswith(("#", "!"))]
    for form in ("hosts", "adblock", "sha256", "domains"):
        if votes and votes.count(form) >= 0.8 * len(votes):
            return form
    return ""


def _form(line: str) -> str:
    words = line.split()
    if len(words) > 1 and _nowhere(words[0]):
        return "hosts"
    if line.startswith(("||", "@@||", "[Adblock")) or "##" in line:
        return "adblock"
    if re.fullmatch(r"[0-9a-fA-F]{16,64}", line.strip()):
        return "sha256"
    return "domains" if re.fullmatch(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*", line.strip(), re.IGNORECASE) else ""


def _rule(line: str) -> Said:
    if found := _OPTIONS.search(line):
        if not {each.lower() for each in found[1].split(",")} <= _WIDE_OPTIONS:
            return Said(left_out=NARROWED)
        line = line[: found.start()]
    for form, match in ((_DOMAIN_RULE, "domain"), (_FOLDER_RULE, "prefix"), (_ADDRESS_RULE, "url")):
        if found := form.match(line):
            return Said(found[1], match)
    return Said(left_out=PATTERN)


def _nowhere(word: str) -> bool:
    try:
        number = ipaddress.ip_address(word)
    except ValueError:
        return False
    return number.is_unspecified or number.is_loopback
