"""The flood guard: one bad entry can match everything, and then a list says nothing about a corpus any more."""

from collections.abc import Iterable, Mapping

from filters.listsource import ListSource, refusal

USUAL_SHARE = 0.05  # of the samples of a run; known material is rarer by orders of magnitude
LEAST_MATCHES = 100  # fewer are no flood, whatever share of a small run they are


def refuse_floods(sources: Iterable[ListSource], matched: Mapping[str, int], samples: int) -> None:
    """Raise ListError, naming the list, when one matched more of a run's samples than its `flood_share` allows.

    `matched` counts samples by the name of the list that matches them. Without a share of its own a list of hashes or
    URLs may match 5 % of a run; a list of terms, as ordinary words match ordinary captions, any number.
    """
    for source in sources:
        share = _share(source)
        count = matched.get(source.name, 0)
        if count >= LEAST_MATCHES and not count <= share * samples:  # a share that is not a number allows nothing
            raise refusal(
                source,
                f"it matches {count} of {samples} samples, which is {count / samples:.1%}, and `flood_share` allows "
                f"{share:.1%}. Look in the evidence for an entry that matches anything, and tell the list's authority; "
                "or, if the corpus is like that, raise `flood_share`",
            )


def _share(source: ListSource) -> float:
    if source.flood_share is not None:
        return source.flood_share
    return 1.0 if source.kind == "terms" else USUAL_SHARE
