"""Ordinary captions with words that only look like evidence are left alone."""

from benchmarks.ordinary import SENTENCES, captions, findings

MOST = 0.006  # of all; what is left are ages of things that are not known as such, as names of whisky


def test_hardly_an_ordinary_caption_is_taken_for_evidence() -> None:
    texts = captions(12_000)
    assert len(texts) == 12_000
    assert len(set(texts)) > 8_000
    found = [text for text, each in zip(texts, findings(texts), strict=True) if each]
    assert len(found) <= MOST * len(texts)


def test_the_same_captions_with_evidence_are_found() -> None:
    """So that silence above means something."""
    texts = [f"{text}, with a toddler, n s f w" for text in captions(len(SENTENCES.splitlines()))]
    labels = [{finding.label for finding in each} for each in findings(texts)]
    assert all({"minor", "adult"} <= each for each in labels)
