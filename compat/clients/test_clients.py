"""The checks themselves: what must count as a fault does."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import people  # noqa: E402
from case import Case, table  # noqa: E402
from forge import _decode, _encode, forgeries  # noqa: E402


def case(refusal: str | None = None) -> Case:
    return Case("library", "method", "name", {}, refusal)


class Cases(unittest.TestCase):
    def test_a_token_is_right_where_one_is_due(self):
        for refusal, outcome, expected in [
            (None, {"token": "t"}, True),
            (None, {"error": "invalid_client"}, False),
            (None, {}, False),
            ("invalid_client", {"error": "invalid_client"}, True),
            ("invalid_client", {"error": "timeout"}, False),
            ("invalid_client", {"token": "t"}, False),
            ("invalid_client", {}, False),
        ]:
            one = case(refusal)
            one.take(outcome)
            self.assertEqual(one.is_passed(), expected, (refusal, outcome))

    def test_the_first_fault_of_a_part_stays(self):
        one = case()
        for is_right in (True, False, True):
            one.judge("PyJWT", is_right, "reason")
        self.assertFalse(one.is_passed())
        self.assertIn("MISSED: reason", table([one], ["PyJWT"]))


class People(unittest.TestCase):
    RIGHT = {
        "subject": people.WHO,
        "userinfo": people.WHO,
        "refreshed": "token",
        "left": f"{people.BYE}?state=x",
        "again": "invalid_grant",
    }

    def test_each_part_must_be_told_and_right(self):
        one = case()
        people.judge(one, dict(self.RIGHT))
        self.assertTrue(one.is_passed())
        for part in people.PARTS:
            for told in ("", "other"):
                if (part, told) == ("refreshed", "other"):
                    continue
                one = case()
                people.judge(one, {**self.RIGHT, part: told})
                self.assertFalse(one.is_passed(), (part, told))

    def test_what_a_library_complains_of_is_shown(self):
        one = case()
        people.judge(one, {"subject": people.WHO, "error": "no userinfo"})
        self.assertIn("MISSED: no userinfo", table([one], list(people.PARTS)))


class Forgeries(unittest.TestCase):
    def test_each_differs_in_one_part(self):
        parts = [b'{"alg":"ES256"}', b'{"sub":"a"}', bytes(64)]
        token = ".".join(map(_encode, parts))
        flipped, other = forgeries(token).values()
        self.assertEqual(flipped.split(".")[:2], token.split(".")[:2])
        changed = [a ^ b for a, b in zip(_decode(flipped.split(".")[2]), parts[2])]
        self.assertEqual(sum(map(int.bit_count, changed)), 1)
        self.assertEqual(other.split(".")[::2], token.split(".")[::2])
        self.assertEqual(_decode(other.split(".")[1]), b'{"sub": "somebody-else"}')


if __name__ == "__main__":
    unittest.main()
