"""How often the language of a short caption is told, told wrongly or left open, and what telling it costs.

Run: .venv/bin/python -m benchmarks.languages. The captions are those of `benchmarks/texts.py`: by one author, few, and
of one subject, so the figures are a smoke test and no measurement of a corpus.
"""

import time

from benchmarks.texts import SENTENCES
from filters.languages import languages
from filters.textforms import plain


def main() -> None:
    """Print the counts, and every caption that is told wrongly by its language alone."""
    pairs = [(tag, plain(text)) for tag, _, text in (line.partition("|") for line in SENTENCES.splitlines())]
    told = [(tag, languages(text)) for tag, text in pairs]
    real = [(tag, found) for tag, found in told if tag != "xx"]
    wrong = [(tag, found) for tag, found in real if found and found != (tag,)]
    names = [found for tag, found in told if tag == "xx"]
    start = time.process_time()
    for _ in range(200):
        for _, text in pairs:
            languages(text)
    cost = (time.process_time() - start) / 200 / len(pairs)
    print(f"captions in {len({tag for tag, _ in real})} languages: {len(real)}")
    print(f"told rightly {sum(found == (tag,) for tag, found in real)}, left open {sum(not f for _, f in real)}")
    print(f"told wrongly {len(wrong)}: {', '.join(tag + ' as ' + '+'.join(found) for tag, found in wrong)}")
    print(f"of {len(names)} names and short captions without a language: {sum(not f for f in names)} left open")
    print(f"{cost * 1e6:.1f} us a caption")


if __name__ == "__main__":
    main()
