import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from filters import FILTERS, filter_class
from filters.config import POLICIES, load_policy, policy_digest, profiles, resolved, restored
from filters.errors import PolicyError
from filters.policy import Policy
from filters.policycheck import needs_lists
from filters.rulecheck import lists_of

CANARY = "canary-7f3a"
HEAD = 'extends = "partition"\nname = "ours"\n'
LIST = '[[lists]]\nname = "ours"\npath = "lists/ours.csv"\nkind = "hashes"\ncategory = "csam"\n'


def write(folder: Path, text: str, name: str = "policy.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path | str) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def sources(policy: Policy, name: str) -> list[str]:
    return [source.name for each in policy.filters if each.name == name for source in lists_of(each)]


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_of_the_registry_resolves_to_a_class_of_that_name(name: str) -> None:
    assert filter_class(name)().name == name


@pytest.mark.parametrize("name", profiles())
def test_every_shipped_profile_loads_and_is_called_like_its_file(name: str) -> None:
    assert load_policy(name).name == name


def test_a_shipped_profile_is_told_which_filters_still_need_lists() -> None:
    assert needs_lists(load_policy("partition")) == ("urls", "digests", "perceptual")


def test_a_profile_and_its_file_are_the_same_policy() -> None:
    assert load_policy("strict") == load_policy(POLICIES / "strict.toml") == load_policy(str(POLICIES / "strict.toml"))


def test_a_policy_can_be_pickled(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, HEAD + LIST))
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_a_list_of_the_user_is_added_to_those_of_the_profile_and_read_by_every_filter_of_its_kind(
    tmp_path: Path,
) -> None:
    policy = load_policy(write(tmp_path, HEAD + LIST))
    assert sources(policy, "digests") == sources(policy, "perceptual") == ["ours"]
    assert sources(policy, "captions") == ["minor-terms", "adult-terms"]
    assert sources(policy, "urls") == []


def test_a_filter_reads_only_the_lists_it_names(tmp_path: Path) -> None:
    more = LIST + LIST.replace('"ours"', '"other"') + '[[filters]]\nname = "digests"\nlists = ["other"]\n'
    own = MINIMAL.replace('mark = "listed"', 'labels = ["csam"]\nmark = "listed"')
    policy = load_policy(write(tmp_path, own.replace("LISTS", more + '[[filters]]\nname = "perceptual"\n')))
    assert sources(policy, "digests") == ["other"]
    assert sources(policy, "perceptual") == ["ours", "other"]


MINIMAL = """
name = "minimal"
LISTS
[[rules]]
name = "listed"
filter = "*"
mark = "listed"
[[rules]]
name = "unexamined"
filter = "*"
unexamined = true
mark = "unexamined"
"""


@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ('[[filters]]\nname = "digests"\nlists = ["uors"]\n', "did you mean 'ours'?"),
        (
            '[[filters]]\nname = "urls"\nlists = ["ours"]\n',
            "reads lists of kind 'urls', and 'ours' is of kind 'hashes'",
        ),
        ('[[filters]]\nname = "captions"\n', "'ours' is read by no filter, so it protects nobody"),
        ("", "'ours' is read by no filter, so it protects nobody"),
    ],
)
def test_a_list_that_a_filter_cannot_read_is_refused(tmp_path: Path, filters: str, why: str) -> None:
    assert why in refused(write(tmp_path, MINIMAL.replace("LISTS", LIST + filters)))


def test_a_table_of_the_file_replaces_that_of_the_base_as_a_whole(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, HEAD + '[limits]\nmax_frames = 3\n[[partitions]]\nname = "only"\n'))
    assert [partition.name for partition in policy.partitions] == ["only"]
    assert policy.limits.max_frames == 3
    assert policy.rules == load_policy("partition").rules


def test_a_filter_of_the_base_can_be_left_out_with_its_rules(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, HEAD + 'without = ["urls", "perceptual"]\n'))
    assert not {"urls", "perceptual"} & {each.name for each in policy.filters}
    assert not {"urls", "perceptual"} & {rule.filter for rule in policy.rules}


def test_leaving_out_a_filter_that_the_base_has_not_is_refused(tmp_path: Path) -> None:
    assert "did you mean 'urls'" in refused(write(tmp_path, HEAD + 'without = ["url"]\n'))


def test_a_rule_replaces_the_one_of_its_name_and_any_other_is_added(tmp_path: Path) -> None:
    changed = '[[rules]]\nname = "adult score"\nmark = "adult"\nfilter = "adult"\nlabels = ["score"]\nat_least = 0.7\n'
    added = '[[rules]]\nname = "ours"\nmark = "adult"\nfilter = "adult"\nlabels = ["score"]\nat_least = 0.6\n'
    base, policy = load_policy("partition"), load_policy(write(tmp_path, HEAD + changed + added))
    assert [rule.name for rule in policy.rules] == [*(rule.name for rule in base.rules), "ours"]
    assert {rule.name: rule.at_least for rule in policy.rules}["adult score"] == 0.7


def test_a_filter_replaces_the_one_of_its_name_and_the_running_order_stays(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, HEAD + '[[filters]]\nname = "minors"\nmin_face_pixels = 64\n'))
    assert [each.name for each in policy.filters] == [each.name for each in load_policy("partition").filters]
    assert {each.name: getattr(each, "min_face_pixels", None) for each in policy.filters}["minors"] == 64


def test_a_list_of_the_users_replaces_a_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    terms = '[[lists]]\nname = "adult-terms"\npath = "mine.csv"\nkind = "terms"\ncategory = "adult"\n'
    policy = load_policy(write(tmp_path, HEAD + terms))
    captions = next(each for each in policy.filters if each.name == "captions")
    assert {Path(source.path).name for source in lists_of(captions)} == {"minor.csv", "mine.csv"}


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    write(tmp_path / "base", HEAD + LIST, "base.toml")
    other = LIST.replace('"ours"', '"other"').replace("ours.csv", "other.csv")
    policy = load_policy(write(tmp_path, 'extends = "base/base.toml"\nname = "top"\n' + other))
    (digests,) = [each for each in policy.filters if each.name == "digests"]
    assert [source.path for source in lists_of(digests)] == [
        str(tmp_path / "base" / "lists" / "ours.csv"),
        str(tmp_path / "lists" / "other.csv"),
    ]


def test_a_checkpoint_is_relative_to_the_file_and_a_model_name_is_left_alone(tmp_path: Path) -> None:
    encoder = (
        '[[filters]]\nname = "encoder"\nmodel = "ViT-B-32"\ncheckpoint = "w/clip.safetensors"\nsha256 = "00"\n'
        'heads = [{ label = "drawn", path = "w/head.safetensors", sha256 = "00" }]\n'
    )
    policy = load_policy(write(tmp_path, MINIMAL.replace("LISTS", encoder)))
    parameters: Any = policy.filters[0]
    assert parameters.model == "ViT-B-32"
    assert parameters.checkpoint == str(tmp_path / "w" / "clip.safetensors")
    assert parameters.heads[0].path == str(tmp_path / "w" / "head.safetensors")


def test_prompts_are_a_file_where_they_end_so_and_else_a_name_and_the_precision_is_no_part_of_a_policy(
    tmp_path: Path,
) -> None:
    head = '{ label = "drawn", prompts = "PROMPTS", classes = ["round"] }'
    encoder = f'[[filters]]\nname = "encoder"\nprecision = "PRECISION"\nheads = [{head}]\n'
    text = MINIMAL.replace("LISTS", encoder)
    loaded = load_policy(write(tmp_path, text.replace("PROMPTS", "p/shapes.txt").replace("PRECISION", "fp32")))
    parameters: Any = loaded.filters[0]
    assert parameters.heads[0].prompts == str(tmp_path / "p" / "shapes.txt")
    assert resolved(loaded)["filters"][0]["heads"][0]["prompts"] == "shapes.txt"
    named: Any = load_policy(write(tmp_path, text.replace("PROMPTS", "minors").replace("PRECISION", "fp32")))
    assert named.filters[0].heads[0].prompts == "minors"
    other = load_policy(write(tmp_path, text.replace("PROMPTS", "minors").replace("PRECISION", "int8")))
    assert policy_digest(other) == policy_digest(named)
    assert "precision" not in resolved(named)["filters"][0]
    assert "'precision'" in refused(write(tmp_path, text.replace("PROMPTS", "minors").replace("PRECISION", "fp64")))


def test_a_file_that_extends_itself_in_a_circle_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 'extends = "policy.toml"\nname = "b"\n', "b.toml")
    assert "in a circle" in refused(write(tmp_path, 'extends = "b.toml"\nname = "a"\n'))


def test_every_file_needs_a_name_of_its_own(tmp_path: Path) -> None:
    assert "the key 'name' is missing" in refused(write(tmp_path, 'extends = "partition"\n'))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("partitoin", "did you mean 'partition'?"),
        ("zzz", "Known: audit-only"),
        ("none.toml", "cannot be read"),
    ],
)
def test_a_policy_that_is_not_there_is_named_with_the_nearest_one(name: str, why: str) -> None:
    assert why in refused(name)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'a = 1\nb = = "{CANARY}"', "at line 2, column 5"),
        (f'a = "{CANARY}', "not TOML at"),
        (f'a = "{CANARY}"\na = 2\n', "at line 2"),
    ],
)
def test_a_fault_of_syntax_is_told_by_its_place_only(tmp_path: Path, text: str, place: str) -> None:
    message = refused(write(tmp_path, text))
    assert place in message
    assert CANARY not in message


def test_bytes_that_are_no_text_and_nesting_without_end_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b'name = "\xff"')
    assert "not UTF-8" in refused(binary)
    assert "nested too deep" in refused(write(tmp_path, "a = " + "[" * 100_000))


@pytest.mark.parametrize("name", profiles())
def test_a_policy_comes_back_from_its_resolved_form(name: str) -> None:
    plain = resolved(load_policy(name))
    assert resolved(restored(json.loads(json.dumps(plain)))) == plain


def test_the_resolved_form_has_every_default_and_no_folder_of_this_machine(tmp_path: Path) -> None:
    text = HEAD + LIST + '[ties]\nnear_duplicate_bits = "off"\n'
    plain = resolved(load_policy(write(tmp_path, text)))
    assert str(tmp_path) not in json.dumps(plain)
    assert str(POLICIES) not in json.dumps(plain)
    assert {source["name"]: source["path"] for source in plain["lists"]}["ours"] == "ours.csv"
    assert plain["ties"]["near_duplicate_bits"] == "off"
    assert plain["ties"]["inherit"] == ["listed", "adult", "minor"]
    assert plain["limits"]["max_frames"] == 64


def test_the_digest_does_not_depend_on_where_the_files_lie_nor_on_defaults_written_out(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    one = load_policy(write(tmp_path, HEAD + LIST))
    two = load_policy(write(tmp_path / "elsewhere", HEAD + LIST + "[limits]\nmax_frames = 64\n"))
    assert policy_digest(one) == policy_digest(two)


def test_the_digest_changes_with_a_threshold(tmp_path: Path) -> None:
    text = (POLICIES / "partition.toml").read_text(encoding="utf-8").replace('"terms/', f'"{POLICIES}/terms/')
    other = write(tmp_path, text.replace("at_least = 0.8", "at_least = 0.7"))
    assert policy_digest(load_policy(other)) != policy_digest(load_policy("partition"))
    assert policy_digest(load_policy(write(tmp_path, text))) == policy_digest(load_policy("partition"))


def test_the_example_of_the_documentation_is_a_policy(tmp_path: Path) -> None:
    documentation = (POLICIES.parent / "docs" / "policy.md").read_text(encoding="utf-8")
    example = documentation.partition("```toml\n")[2].partition("```")[0]
    policy = load_policy(write(tmp_path, example))
    assert needs_lists(policy) == ()
    assert sources(policy, "urls") == ["hotline-urls"]
