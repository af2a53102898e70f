"""What a policy says of a list, and what of that is recorded."""

from pathlib import Path

import pytest

from filters.config import load_policy, policy_digest, resolved, restored
from filters.errors import PolicyError
from filters.listsource import ListSource
from filters.policydiff import diff
from filters.rulecheck import lists_of

LIST = """
extends = "partition"
name = "test"

[[lists]]
name = "codewords"
path = "lists/ncmec"
kind = "hashes"
category = "csam"
format = "ncmec-v2"
canary = "lists/canary.txt"
flood_share = 0.1
max_faults = 3
"""
FETCHED = 'url = "https://service.test/npo"\ncredentials = ["env:CODEWORD", "a pasted codeword-secret"]\n'


def policy(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text)
    return path


def source(path: Path) -> ListSource:
    return next(each for one in load_policy(path).filters for each in lists_of(one) if each.name == "codewords")


def test_the_files_of_a_list_are_seen_from_the_policy_and_recorded_without_folder(tmp_path: Path) -> None:
    found = source(policy(tmp_path, LIST))
    assert (found.path, found.canary) == (str(tmp_path / "lists/ncmec"), str(tmp_path / "lists/canary.txt"))
    (told,) = (each for each in resolved(load_policy(tmp_path / "policy.toml"))["lists"] if each["name"] == "codewords")
    assert (told["path"], told["canary"], told["flood_share"]) == ("ncmec", "canary.txt", 0.1)


def test_where_and_as_whom_a_list_is_fetched_is_not_recorded_and_changes_no_decision(tmp_path: Path) -> None:
    """Somebody will paste the secret itself; it may cost the fetch, but must not travel with every manifest."""
    plain = load_policy(policy(tmp_path, LIST))
    fetched = load_policy(policy(tmp_path, LIST + FETCHED))
    assert policy_digest(fetched) == policy_digest(plain)
    assert resolved(restored(resolved(fetched))) == resolved(plain)
    assert "codeword-secret" not in repr((fetched, resolved(fetched)))
    assert list(diff(plain, fetched)) == []


@pytest.mark.parametrize("line", ['format = "ncmec"', "flood_share = true", "max_faults = 0.5", "credentials = 'x'"])
def test_what_is_no_value_of_a_key_is_refused(tmp_path: Path, line: str) -> None:
    key = line.split(" ")[0]
    text = "\n".join(each for each in LIST.splitlines() if not each.startswith(f"{key} "))
    with pytest.raises(PolicyError, match=key):
        load_policy(policy(tmp_path, f"{text}\n{line}\n"))


def test_a_folder_is_compiled_when_it_says_so(tmp_path: Path) -> None:
    made = {name: ListSource("x", str(tmp_path), "hashes", "csam", format=name) for name in ("csv", "ncmec-v2")}
    assert (made["csv"].compiled, made["ncmec-v2"].compiled) == (True, False)
    (tmp_path / "list.json").write_text("{}")
    assert (made["csv"].compiled, made["ncmec-v2"].compiled) == (True, True)
