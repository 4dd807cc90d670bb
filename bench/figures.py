"""Medians and their intervals, without a distribution assumed."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Sequence


@dataclass(frozen=True)
class Figure:
    """A median and the interval that holds the true one with at least 95 % certainty."""

    median: float
    low: float
    high: float
    samples: int


def figure(samples: Sequence[float]) -> Figure:
    """The figure of samples that do not depend on each other."""
    if not samples:
        raise ValueError("a figure needs at least one sample")
    ordered = sorted(samples)
    skip = _outside(len(ordered))
    return Figure(
        median=median(ordered),
        low=ordered[skip],
        high=ordered[-1 - skip],
        samples=len(ordered),
    )


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours through theirs, round by round: what slowed a whole round down cancels out."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _outside(count: int) -> int:
    """How many samples at each end the interval leaves out.

    The number of samples below the true median follows a binomial distribution with p = 1/2, so
    the interval between the order statistics k + 1 and n - k misses it with twice the probability
    of at most k. Fewer than six samples cannot give 95 %: then it is all of them.
    """
    skip, tail = 0, 2 * comb(count, 0) / 2**count
    while True:
        tail += 2 * comb(count, skip + 1) / 2**count
        if tail > 0.05 or skip + 1 > (count - 1) // 2:
            return skip
        skip += 1
