"""What the documents say of the command line is what it is."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pipelines.cli import app

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(path for path in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
SPOKEN = re.compile(r"`(?:\S+/)?shardwall ([a-z][^`\n]*)`|^(?:\$ )?(?:\S+/)?shardwall ([a-z].*)$", re.MULTILINE)


def verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every verb with the words that call it."""
    yield name, command
    for verb, below in getattr(command, "commands", {}).items():
        yield from verbs(below, f"{name} {verb}")


EVERY = dict(verbs(get_command(app), "shardwall"))


def section(verb: str) -> str:
    """Return what the page says of a verb."""
    return PAGE.partition(f"\n## `{verb}`\n")[2].partition("\n## ")[0]


def test_the_page_of_the_command_line_is_the_one_that_its_help_gives() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "scripts" / "cli-reference"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == PAGE, "write it anew: .venv/bin/python scripts/cli-reference > docs/cli.md"


def test_the_page_does_not_depend_on_the_terminal() -> None:
    environment = {"COLUMNS": "40", "TERM": "dumb", "LANG": "C", "PYTHONIOENCODING": "utf-8"}
    words = [sys.executable, str(ROOT / "scripts" / "cli-reference")]
    assert subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout == PAGE


@pytest.mark.parametrize("verb", EVERY)
def test_every_verb_and_each_of_its_arguments_and_options_is_documented(verb: str) -> None:
    command = EVERY[verb]
    told = section(verb)
    assert command.help
    assert command.help.split("\n")[0].split()[0] in told
    for parameter in command.params:
        assert parameter.help, f"{verb}: {parameter.name} has no help"
        names = parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]
        for name in names:
            line = rf"^  (?:-\w, )?{re.escape(name)}\b.*\n?.*{re.escape(parameter.help.split()[0])}"
            assert re.search(line if name[-1:].isalnum() else re.escape(name), told, re.MULTILINE), (verb, name)


def test_the_page_documents_no_verb_that_is_none() -> None:
    assert re.findall(r"^## `(.*)`$", PAGE, re.MULTILINE) == list(EVERY)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_speaks_of_verbs_and_options_that_there_are(document: Path) -> None:
    for match in SPOKEN.finditer(document.read_text(encoding="utf-8")):
        words = (match[1] or match[2]).partition(" -- ")[0].split()
        verb = max((each for each in EVERY if f"shardwall {' '.join(words)} ".startswith(f"{each} ")), key=len)
        whole = not getattr(EVERY[verb], "commands", {}) or len(words) + 1 == len(verb.split())
        assert whole, f"{document.name}: there is no verb {' '.join(words)}"
        options = {option for parameter in EVERY[verb].params for option in parameter.opts} | {"--help"}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, match[0]
