"""What a filter sees: samples, in batches whose pictures decode once, whoever asks first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from filters.fingerprints import Fingerprint, fingerprints
from filters.rasters import Limits, Rasters, rasters

NO_PICTURES = Rasters()


@dataclass(frozen=True, slots=True)
class Sample:
    """The members of a shard that share a key, parsed as far as that is safe.

    `images` are the encoded files, `texts` every string a trainer could read as text, `urls` every string that is an
    address, `meta` the JSON member. `problems` says what is wrong with the sample as such; it is never examined then.
    """

    shard: str
    key: str = field(repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)
    urls: tuple[str, ...] = field(default=(), repr=False)
    meta: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


class View:
    """A sample with its rasters and fingerprints, each made at most once."""

    def __init__(self, sample: Sample, limits: Limits) -> None:
        self.sample = sample
        self._limits = limits
        self.noted: dict[str, tuple[Fingerprint, ...]] = {}

    @cached_property
    def rasters(self) -> Rasters:
        """Every picture that the sample's image files carry."""
        return rasters(self.sample.images, self.sample.meta, self._limits)

    @cached_property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """Digests and perceptual hashes of the files and of every raster."""
        return fingerprints(self.sample.images, self.sample.meta, self.rasters)


class Batch:
    """Consecutive samples of a shard; taking rows shares what is already decoded."""

    def __init__(self, samples: Sequence[Sample] = (), limits: Limits | None = None) -> None:
        self._views = tuple(View(sample, limits or Limits()) for sample in samples)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._views)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, in shard order."""
        return tuple(view.sample for view in self._views)

    def problems(self, row: int) -> tuple[str, ...]:
        """Return what is wrong with sample `row` as such."""
        return self._views[row].sample.problems

    def rasters(self, row: int) -> Rasters:
        """Return every picture that sample `row` carries."""
        return self._views[row].rasters

    def fingerprints(self, row: int) -> tuple[Fingerprint, ...]:
        """Return the digests and perceptual hashes of sample `row`, and those that filters noted."""
        view = self._views[row]
        if not view.noted:
            return view.fingerprints
        return (*view.fingerprints, *(each for prints in view.noted.values() for each in prints))

    def note(self, row: int, kind: str, prints: Sequence[Fingerprint]) -> None:
        """Add to the fingerprints of sample `row` those of a kind that only a filter takes, in place of older ones."""
        self._views[row].noted[kind] = tuple(prints)

    @classmethod
    def recorded(cls, samples: Sequence[Sample], prints: Sequence[tuple[Fingerprint, ...]]) -> "Batch":
        """Return a batch of samples that have no picture, only what somebody recorded of one.

        Nothing stands against a sample here for having no picture: this is for a corpus that has none, and no other.
        """
        batch = cls(samples)
        for view, known in zip(batch._views, prints, strict=True):
            view.rasters = NO_PICTURES  # to be made no more
            view.fingerprints = known
        return batch

    def take(self, rows: Sequence[int]) -> "Batch":
        """Return the batch of these rows, sharing what is decoded."""
        batch = Batch()
        batch._views = tuple(self._views[row] for row in rows)
        return batch
