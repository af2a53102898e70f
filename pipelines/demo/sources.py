"""The lists and the policy file of the demonstration."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from filters.config import POLICIES
from pipelines.demo.captions import TERMS
from pipelines.demo.head import TestHeads
from pipelines.demo.known import Entry
from pipelines.demo.urls import ADULT_SITES, LISTED_URLS, OPT_OUTS

PROFILE = "partition"
HASHES = """\
# Demonstration hash list. Every entry is the hash of an ordinary photograph: a cat, a cup of coffee, a brick wall.
# The category "csam" that the policy gives this list is a coded test category and describes none of them.
"""
URLS = """\
# Demonstration blocklist: hosts under .test and documentation addresses, none of which exists.
# The category "csam" that the policy gives this list is a coded test category and describes none of them.
"""
OUTS = "# Demonstration list of opt-outs: one host that does not exist.\n"
SITES = "# Demonstration list of sites whose pictures count as adult evidence: one host that does not exist.\n"
WORDS = "# Demonstration term list: coded words that say nothing by themselves.\n"

HEAD = """\
# Policy of the demonstration corpus: the shipped profile "{profile}" with demonstration lists and a test encoder.
# The hash list is about ordinary photographs and the blocklist about addresses that do not exist; their category "csam"
# is a coded test category.
# The encoder has random weights and its heads recognise two drawn patterns: they judge no real picture.
extends = "{profile}"
name = "demo"
description = "The shipped profile {profile} with demonstration lists and a test encoder over random features."

[[lists]]
name = "demo-hashes"
path = "lists/hashes.csv"
kind = "hashes"
category = "csam"
authority = "demonstration"
columns = {{ value = "hash", algorithm = "algorithm" }}

[[lists]]
name = "demo-urls"
path = "lists/urls.csv"
kind = "urls"
category = "csam"
authority = "demonstration"
columns = {{ value = "url" }}

[[lists]]
name = "demo-opt-outs"
path = "lists/opt-outs.csv"
kind = "urls"
category = "opt-out"
authority = "demonstration"
columns = {{ value = "url" }}

[[lists]]
name = "demo-adult-sites"
path = "lists/adult-sites.csv"
kind = "urls"
category = "adult-site"
authority = "demonstration"
columns = {{ value = "url" }}

[[lists]]
name = "demo-terms"
path = "lists/terms.csv"
kind = "terms"
category = "solicitation"
categories = ["grooming", "minor", "adult"]
authority = "demonstration"
columns = {{ value = "term", category = "category" }}

# What a file gives replaces the same table of its base, so the base's filters and rules follow, word for word.

"""
TAIL = """\
# The test encoder: filters and rules of this demonstration alone ------------------------------------------------------

[[filters]]
name = "encoder"
model = "weights/model.json"
checkpoint = "weights/encoder.safetensors"
sha256 = "{encoder}"
"""
HEAD_TABLE = """
[[filters.heads]]
label = "{label}"
path = "weights/{label}.safetensors"
sha256 = "{sha256}"
"""
RULE = """
[[rules]]
name = "drawn {label}"
filter = "encoder"
labels = ["{label}"]
at_least = 0.5
mark = "{mark}"
"""


def write_lists(folder: Path, entries: Iterable[Entry]) -> None:
    """Write the lists that the policy names."""
    hashes = sorted((entry.kind, entry.value) for entry in entries)
    _write(folder / "hashes.csv", HASHES, ("algorithm", "hash"), hashes)
    _write(folder / "urls.csv", URLS, ("url",), [(url,) for url in LISTED_URLS])
    _write(folder / "opt-outs.csv", OUTS, ("url",), [(url,) for url in OPT_OUTS])
    _write(folder / "adult-sites.csv", SITES, ("url",), [(url,) for url in ADULT_SITES])
    _write(folder / "terms.csv", WORDS, ("term", "category"), TERMS)


def write_policy(path: Path, heads: TestHeads) -> None:
    """Write the policy: the profile's own filters and rules, then the test encoder's."""
    text = HEAD.format(profile=PROFILE) + _filters_and_rules() + TAIL.format(encoder=heads.encoder)
    text += "".join(HEAD_TABLE.format(label=label, sha256=sha256) for label, _, sha256 in heads.heads)
    text += "".join(RULE.format(label=label, mark=mark) for label, mark, _ in heads.heads)
    path.write_text(text, encoding="utf-8")


def _filters_and_rules() -> str:
    profile = (POLICIES / f"{PROFILE}.toml").read_text(encoding="utf-8")
    _, first, rest = profile.partition("[[filters]]")
    body = (first + rest).partition("[[partitions]]")[0].splitlines(keepends=True)
    while not body[-1].strip() or body[-1].startswith("#"):
        body.pop()  # the heading of the partitions, which are inherited
    return "".join(body) + "\n"


def _write(path: Path, comment: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = [comment, ",".join(header) + "\n", *(",".join(row) + "\n" for row in rows)]
    path.write_text("".join(lines), encoding="utf-8")
