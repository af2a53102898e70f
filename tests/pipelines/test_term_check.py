"""What `shardwall list check` prints of a term list."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app

POLICY = """
extends = "partition"
name = "terms"
without = ["urls", "digests", "perceptual"]

[[lists]]
name = "coded"
path = "coded.csv"
kind = "terms"
category = "grooming"
columns = { value = "term", language = "language" }
"""


@pytest.mark.parametrize(
    ("rows", "code", "told"),
    [
        ("gammaword,en\n", 0, "coded: 1 grooming"),
        ("gammaword,en\nGammaWord,en\n", 0, "worth a look: 1 that stand in the list already"),
        ("gammaword,english\n", 0, "worth a look: 1 in a language that no text is ever found to be in"),
        ("gammaword,en\nthe,en\n", 1, "cannot be used: it has 1 that are words of nearly every caption (line 3)"),
        ("q,en\ngammaword,en\n", 1, "1 of a single character, which stands in texts of all kinds (line 2)"),
        ("", 1, "cannot be used: it has no entry"),
    ],
)
def test_a_list_is_told_as_a_run_would_take_it(tmp_path: Path, rows: str, code: int, told: str) -> None:
    (tmp_path / "coded.csv").write_text("term,language\n" + rows)
    (tmp_path / "policy.toml").write_text(POLICY)
    answer = CliRunner().invoke(app, ["list", "check", str(tmp_path / "policy.toml")])
    assert told in answer.output
    assert "gammaword" not in answer.output.lower()
    assert (answer.exit_code == 0) == (code == 0)
