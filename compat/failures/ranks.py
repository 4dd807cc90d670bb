"""The rank test of Mann and Whitney, and what it could have seen."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import median

# Below this, adjusted for the number of comparisons, two samples are told apart.
LEVEL = 0.01


def p_value(left: list[float], right: list[float]) -> float:
    """How probable a difference of ranks like this one is where there is none (two-sided, normal
    approximation with correction for ties)."""
    values = sorted((value, side) for side, sample in enumerate((left, right)) for value in sample)
    count = len(values)
    ranks, ties, at = 0.0, 0.0, 0
    while at < count:
        end = at
        while end < count and values[end][0] == values[at][0]:
            end += 1
        rank = (at + 1 + end) / 2
        ranks += rank * sum(side == 0 for _, side in values[at:end])
        ties += (end - at) ** 3 - (end - at)
        at = end
    m, n = len(left), len(right)
    deviation = math.sqrt(m * n / 12 * ((count + 1) - ties / (count * (count - 1))))
    if deviation == 0:
        return 1.0
    distance = abs(ranks - m * (m + 1) / 2 - m * n / 2) - 0.5
    return math.erfc(max(distance, 0) / deviation / math.sqrt(2))


def compare(samples: dict[str, list[float]]) -> list[dict[str, object]]:
    """Every pair, with Holm's adjustment: all of them together are told apart by chance alone in
    one run of a hundred."""
    pairs = [
        {
            "pair": [one, other],
            "p": p_value(samples[one], samples[other]),
            "median difference": abs(median(samples[one]) - median(samples[other]))
            / median(samples[one]),
        }
        for one, other in combinations(samples, 2)
    ]
    pairs.sort(key=lambda pair: pair["p"])
    adjusted = 0.0
    for at, pair in enumerate(pairs):
        adjusted = max(adjusted, min(1.0, pair["p"] * (len(pairs) - at)))
        pair["adjusted p"] = adjusted
    return pairs


def smallest_visible_shift(sample: list[float]) -> float:
    """The least delay of half of this sample that would have told it from the other half: how
    sharp the eye was. To a microsecond, in seconds."""
    one, other = sample[::2], sample[1::2]
    low, high = 0, 1
    while p_value(one, [value + high / 1e6 for value in other]) >= LEVEL and high < 1 << 24:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if p_value(one, [value + middle / 1e6 for value in other]) < LEVEL:
            high = middle
        else:
            low = middle
    return high / 1e6
