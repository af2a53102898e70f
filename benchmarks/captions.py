"""Captions a second and core, with all that the filter does and without, beside a floor and a peer.

Run: .venv/bin/python -m benchmarks.captions [--rounds 5] [--terms 100000]. Processor time of one thread, the least of
the rounds, in which the ways take turns; ratios carry over to other machines better than times. All terms and captions
are made up. The ways:

- `filter`: the caption filter as a policy has it: terms, stated ages, personal details.
- `terms`: what of it is for terms: every form of each text, and the search for terms in them.
- `language`: the filter with `require_coverage`, which has the language of each text identified by pycld2.
- `no compiler`: the filter where filters/_textforms.c and filters/_termindex.c were not built.
- `automaton`: the floor: ahocorasick_rs over the captions as they are, so without normalisation and word boundaries.
- `flashtext2`: the peer, where it is installed: terms as words of Latin script, as they are, without normalisation.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.texts import english, evasive, made_up_terms, mixed, web
from filters import fastforms, termindex
from filters.captions import CaptionTerms
from filters.fastforms import read
from filters.finding import Examine
from filters.lists import ListSource
from filters.sample import Batch, Sample
from filters.termindex import skeleton_index, term, written_index

CAPTIONS = 10_000
BATCH = 100
KINDS = {"plain English": english, "English of the web": web, "35 languages": mixed, "evasive": evasive}
Way = Callable[[Sequence[str]], object]


def loaded(terms: Sequence[str], require_coverage: bool = False) -> Examine:
    """Return the filter over a list of these terms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "terms.csv"
        path.write_text("term,language\n" + "".join(f"{each},en\n" for each in terms))
        columns = (("value", "term"), ("language", "language"))
        source = ListSource("made-up", str(path), "terms", "made-up", columns=columns)
        return CaptionTerms(lists=(source,), require_coverage=require_coverage).load()


def whole(examine: Examine) -> Way:
    """Return the way of a filter, in batches as a run has them."""

    def run(captions: Sequence[str]) -> None:
        samples = [Sample("s", "k", texts=(caption,)) for caption in captions]
        batches = [Batch(samples[start : start + BATCH]) for start in range(0, len(samples), BATCH)]
        begun = time.process_time()
        for batch in batches:
            examine(batch)
        run.seconds = time.process_time() - begun  # type: ignore[attr-defined]

    return run


def terms_alone(terms: Sequence[str]) -> Way:
    """Return the way of the search for terms, without ages and details."""
    made = [term("made-up", "made-up", each) for each in terms]
    written, skeletons = written_index(made, ()), skeleton_index(made, ())

    def run(captions: Sequence[str]) -> None:
        for start in range(0, len(captions), BATCH):
            reads = read(captions[start : start + BATCH])
            written.find(reads.written)
            skeletons.find(reads.others)

    return run


def uncompiled(terms: Sequence[str]) -> Way:
    """Return the way of the filter where no extension was built."""
    built, extension = fastforms._COMPILED, termindex.EXTENSION
    termindex.EXTENSION = False
    way = whole(loaded(terms))
    termindex.EXTENSION = extension

    def run(captions: Sequence[str]) -> None:
        fastforms._COMPILED = None
        try:
            way(captions)
        finally:
            fastforms._COMPILED = built
        run.seconds = way.seconds  # type: ignore[attr-defined]

    return run


def automaton_alone(terms: Sequence[str]) -> Way:
    """Return the way of the floor."""
    from ahocorasick_rs import AhoCorasick

    automaton = AhoCorasick(list(terms))
    return lambda captions: [automaton.find_matches_as_indexes(each, overlapping=True) for each in captions]


def flashtext(terms: Sequence[str]) -> Way | None:
    """Return the way of the peer, None where it is not installed."""
    try:
        from flashtext2 import KeywordProcessor  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    words = KeywordProcessor(case_sensitive=False)
    words.add_keywords_from_iter(terms)
    return lambda captions: [words.extract_keywords(each) for each in captions]


def ways_of(terms: Sequence[str]) -> dict[str, Way]:
    """Return the ways by their names."""
    ways: dict[str, Way | None] = {
        "filter": whole(loaded(terms)),
        "terms": terms_alone(terms),
        "language": whole(loaded(terms, require_coverage=True)),
        "no compiler": uncompiled(terms),
        "automaton": automaton_alone(terms),
        "flashtext2": flashtext(terms),
    }
    return {name: way for name, way in ways.items() if way}


def seconds(way: Way, captions: Sequence[str]) -> float:
    """Return the processor seconds of one round; making the batches is no part of it."""
    begun = time.process_time()
    way(captions)
    spent = time.process_time() - begun
    return float(getattr(way, "seconds", spent))


def main() -> None:
    """Print a line for each kind of caption."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--terms", type=int, default=100_000)
    given = parser.parse_args()
    begun = time.process_time()
    terms = made_up_terms(given.terms)
    loaded(terms)
    print(f"{given.terms:,} terms, loaded in {time.process_time() - begun:.1f} s; captions a second and core")
    ways = ways_of(terms)
    print(f"| captions | characters | {' | '.join(ways)} | filter / automaton |")
    print("|" + "---|" * (len(ways) + 3))
    for kind, make in KINDS.items():
        captions = make(CAPTIONS)
        rounds = [{name: seconds(way, captions) for name, way in ways.items()} for _ in range(given.rounds)]
        least = {name: min(each[name] for each in rounds) for name in ways}
        speeds = " | ".join(f"{CAPTIONS / each:,.0f}" for each in least.values())
        length, ratio = sum(map(len, captions)) / CAPTIONS, least["automaton"] / least["filter"]
        print(f"| {kind} | {length:.0f} | {speeds} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
