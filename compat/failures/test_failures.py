"""The rank test itself: it sees what is there, and nothing else."""

import random
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import ranks  # noqa: E402
from connection import without_date  # noqa: E402


def sample(seed: int, count: int, shift: float = 0.0) -> list[float]:
    return [random.Random(f"{seed} {at}").gauss(0.052 + shift, 0.001) for at in range(count)]


class Ranks(unittest.TestCase):
    def test_a_known_table(self):
        # U = 21 of 25, so z = (21 - 12.5 - 0.5) / sqrt(5 * 5 * 11 / 12) = 1.671.
        left, right = [19, 22, 16, 29, 24], [20, 11, 17, 12, 18]
        self.assertAlmostEqual(ranks.p_value(left, right), 0.0947, places=3)
        self.assertEqual(ranks.p_value(left, right), ranks.p_value(right, left))
        self.assertEqual(ranks.p_value([1.0] * 9, [1.0] * 9), 1.0)

    def test_a_tenth_of_the_spread_shows_in_enough_samples(self):
        self.assertLess(ranks.p_value(sample(1, 2000), sample(2, 2000, 0.0002)), 0.001)
        self.assertGreater(ranks.p_value(sample(1, 2000), sample(2, 2000)), 0.01)

    def test_chance_alone_shows_about_once_in_a_hundred(self):
        found = [ranks.p_value(sample(at, 60), sample(at + 1000, 60)) for at in range(500)]
        self.assertLess(sum(p < 0.01 for p in found), 15)
        self.assertGreater(sum(p < 0.5 for p in found), 200)

    def test_the_adjustment_grows_with_the_number_of_pairs(self):
        pairs = ranks.compare({str(at): sample(at, 50) for at in range(4)})
        self.assertEqual(len(pairs), 6)
        self.assertAlmostEqual(pairs[0]["adjusted p"], min(1.0, pairs[0]["p"] * 6))
        adjusted = [pair["adjusted p"] for pair in pairs]
        self.assertEqual(adjusted, sorted(adjusted))

    def test_the_smallest_visible_shift_shows_and_less_does_not(self):
        times = sample(7, 400)
        shift = ranks.smallest_visible_shift(times)
        one, other = times[::2], times[1::2]
        self.assertLess(ranks.p_value(one, [value + shift for value in other]), ranks.LEVEL)
        less = [value + shift - 1e-6 for value in other]
        self.assertGreaterEqual(ranks.p_value(one, less), ranks.LEVEL)


class Answers(unittest.TestCase):
    def test_only_the_date_is_left_out(self):
        answer = b"HTTP/1.1 401 Unauthorized\r\ndate: Thu\r\nx-date: 1\r\n\r\nbody"
        self.assertEqual(
            without_date(answer), b"HTTP/1.1 401 Unauthorized\r\nx-date: 1\r\n\r\nbody"
        )


if __name__ == "__main__":
    unittest.main()
