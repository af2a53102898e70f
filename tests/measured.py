"""Calibrations as a labelled set would have given them, made from counts; no sample lies behind any."""

from dataclasses import replace

from filters.calibration import Calibration, Histogram, RestsOn, bin_edges
from manifests.intervals import clopper_pearson

SETTINGS = RestsOn("settings", "adult", "5d" * 32)
EDGES = bin_edges("adult")
FLAT = Histogram(EDGES, (50,) * (len(EDGES) - 1))


def calibrated(found: int = 99, positives: int = 100, threshold: float = 0.5, confidence: float = 0.95) -> Calibration:
    """Return a calibration of the adult score that found so many of so many labelled positives among 1,000 samples."""
    n = 1_000
    return Calibration(
        filter="adult",
        label="score",
        mark="adult",
        direction="at_least",
        threshold=threshold,
        materials=(SETTINGS,),
        n=n,
        positives=positives,
        unexamined=0,
        without_value=0,
        confidence=confidence,
        recall=clopper_pearson(found, positives, confidence),
        precision=clopper_pearson(found, found + 10, confidence),
        false_positive_rate=clopper_pearson(10, n - positives, confidence),
        groups={},
        languages={},
        gaps={},
        histogram=FLAT,
        corpus_histogram=FLAT,
        date="2026-11-22",
        labels_sha256="5d" * 32,
        version="0",
    )


def with_scores(calibration: Calibration, *counts: int) -> Calibration:
    """Return the calibration with another histogram of the corpus that it was measured on."""
    padded = (*counts, *(0,) * (len(EDGES) - 1 - len(counts)))
    return replace(calibration, corpus_histogram=Histogram(EDGES, padded))
