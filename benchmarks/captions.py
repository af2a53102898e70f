"""Captions a second and core, beside the automaton alone on captions that are normalised already (the floor).

Run: .venv/bin/python -m benchmarks.captions [--rounds 3]. Processor time of one thread, best of the rounds; the ratio
is of the same run. All terms and captions are made up.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.texts import english, evasive, made_up_terms, mixed, web
from filters.captions import CaptionTerms
from filters.finding import Examine
from filters.lists import ListSource
from filters.sample import Batch, Sample
from filters.textforms import plain

CAPTIONS = 10_000
BATCH = 100


def best(run: Callable[[], object], rounds: int) -> float:
    """Return the least processor time of a run, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def loaded(folder: Path, terms: Sequence[str], require_coverage: bool = False) -> tuple[Examine, float]:
    """Return the filter over a list of these terms, and the processor seconds that loading took."""
    path = folder / f"{len(terms)}.csv"
    path.write_text("term,language\n" + "".join(f"{term},en\n" for term in terms))
    source = ListSource("made-up", str(path), "terms", "made-up", columns=(("value", "term"), ("language", "language")))
    start = time.process_time()
    examine = CaptionTerms(lists=(source,), require_coverage=require_coverage).load()
    return examine, time.process_time() - start


def floor(terms: Sequence[str], captions: Sequence[str], rounds: int) -> float:
    """Return the seconds of the automaton alone, on the plain form of the captions."""
    from ahocorasick_rs import AhoCorasick

    automaton, forms = AhoCorasick(list(terms)), [plain(caption) for caption in captions]
    return best(lambda: [automaton.find_matches_as_indexes(form, overlapping=True) for form in forms], rounds)


def batches(captions: Sequence[str]) -> list[Batch]:
    samples = [Sample("s", str(number), texts=(caption,)) for number, caption in enumerate(captions)]
    return [Batch(samples[start : start + BATCH]) for start in range(0, len(samples), BATCH)]


def main() -> None:
    """Print one line for each size of the list and each kind of caption."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    kinds = {
        "plain English": english(CAPTIONS),
        "English of the web": web(CAPTIONS),
        "35 languages": mixed(CAPTIONS),
        "evasive": evasive(CAPTIONS),
    }
    print("| terms | captions | characters | captions/s/core | automaton alone | ratio | with language |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in (1_000, 100_000):
            terms = made_up_terms(count)
            examine, seconds = loaded(Path(folder), terms)
            covering, _ = loaded(Path(folder), terms, require_coverage=True)
            for kind, captions in kinds.items():
                data = batches(captions)
                ours = best(lambda data=data, run=examine: [run(each) for each in data], rounds)  # type: ignore[misc]
                told = best(lambda data=data, run=covering: [run(each) for each in data], rounds)  # type: ignore[misc]
                alone = floor(terms, captions, rounds)
                length = sum(map(len, captions)) / CAPTIONS
                speeds = [f"{CAPTIONS / each:,.0f}" for each in (ours, alone, told)]
                ratio = f"{alone / ours:.2f}"
                print(f"| {count:,} | {kind} | {length:.0f} | {speeds[0]} | {speeds[1]} | {ratio} | {speeds[2]} |")
            print(f"loading {count:,} terms: {seconds:.1f} s")


if __name__ == "__main__":
    main()
