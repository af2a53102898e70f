"""A finished run over drawn pictures whose adult scores and ties matter, and policies that see it otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from filters.calibrated import rests_on
from filters.calibration import write_calibration
from filters.config import load_policy
from manifests.manifest import Decision, read_manifest
from manifests.measures import measure
from pipelines.clean import clean
from tests.corpora import ADULT_WORD, LISTED_URL, MINOR_WORD, POLICY, Given, drawing, write_policy, write_shard
from tests.measured import calibrated, with_scores

ONE = ["--direct_num_workers=1"]
KNOWN = drawing(900)
RULES = """
[[filters]]
name = "adult"

[[rules]]
name = "adult score"
filter = "adult"
labels = ["score"]
at_least = 0.005
mark = "adult"

[[rules]]
name = "grey score"
filter = "adult"
at_least = 0.002
mark = "grey"

[[rules]]
name = "grey score beside a minor"
filter = "adult"
at_least = 0.002
mark = "adult"
beside = ["minor"]

[[rules]]
name = "doubtful word beside a grey score"
filter = "captions"
labels = ["minor"]
mark = "minor"
beside = ["grey"]
"""
PARTITIONS = {"general": '["grey"]', "minors": '["minor"]', "adult": '["adult", "grey"]'}


def policy_text(partitions: dict[str, str] = PARTITIONS, rules: str = RULES, calibrated: bool = False) -> str:
    """Return a policy with the adult score, and with these partitions in place of those of the plain one."""
    tables = POLICY.partition("[[partitions]]")[0]
    if not calibrated:
        tables = tables.replace('name = "test"', 'name = "test"\nuncalibrated = true', 1)
    before, _, plain = tables.partition("[[rules]]")
    more, _, scored = rules.partition("[[rules]]")
    told = "".join(f'[[partitions]]\nname = "{name}"\nallows = {allows}\n\n' for name, allows in partitions.items())
    return f"{before}{more}[[rules]]{plain}[[rules]]{scored}\n{told}"


def shards() -> dict[str, list[Given]]:
    """Return three shards with copies, pages and listed pictures across them."""
    page = {"page_url": "http://page.test/1"}
    plain = [Given(f"{n:09d}", drawing(n), f"a plain drawing of many colours, number {n}") for n in range(40)]
    crawl = [
        *plain[:14],
        Given("known", KNOWN, "known"),
        Given("young-on-page", drawing(101), MINOR_WORD, page),
        Given("broken", b"no picture"),
    ]
    more = [
        *plain[14:28],
        Given("copy", drawing(6), f"a {MINOR_WORD} copy"),
        Given("listed-url", drawing(102), meta={"url": LISTED_URL}),
        Given("grown-on-page", drawing(103), ADULT_WORD, page),
    ]
    web = [
        *plain[28:],
        Given("young", drawing(104), MINOR_WORD),
        Given("known-copy", KNOWN),
        Given("=formula", drawing(200)),
    ]
    return {"crawl-00000": crawl, "crawl-00001": more, "web-00000": web}


def write_corpus(folder: Path) -> Path:
    """Write the shards with a sidecar each and return where they lie."""
    folder.mkdir(parents=True)
    for name, samples in shards().items():
        write_shard(folder / f"{name}.tar", samples)
        site = "plain.test" if name.startswith("crawl") else "www.web.test"
        columns = {
            "key": [each.key for each in samples],
            "url": [f"https://{site}/{n}" for n in range(len(samples))],
            "caption": [each.caption for each in samples],
        }
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


def run(source: Path, folder: Path, text: str) -> Path:
    """Clean the corpus under the policy of this text and return the output."""
    policy = write_policy(folder / "policy", [KNOWN])
    policy.write_text(text)
    clean(str(source), folder / "out", load_policy(policy), ONE)
    return folder / "out"


def decisions(output: Path) -> list[Decision]:
    """Return every decision of a run, shard by shard."""
    files = sorted((output / "restricted" / "manifest").glob("*.parquet"))
    return [decision for path in files for decision in read_manifest(path)]


def write_calibrated(folder: Path, seen: Sequence[Decision] = (), found: int = 99) -> Path:
    """Write a policy whose adult score rests on a calibration, as if made on the samples decided here; return it."""
    policy = write_policy(folder, [KNOWN])
    policy.write_text(policy_text())
    accepting = load_policy(policy)
    adult = next(each for each in accepting.filters if each.name == "adult")
    made = replace(calibrated(found, threshold=0.005), materials=rests_on(adult, adult.materials()))
    if seen:
        made = with_scores(made, *measure(replace(accepting, calibrations=(made,)), seen).histograms[0])
    pinned = write_calibration(folder / "adult.json", made)
    entry = f'[[calibrations]]\nname = "adult"\npath = "adult.json"\nsha256 = "{pinned}"\n'
    policy.write_text(policy_text(calibrated=True) + entry)
    return policy
