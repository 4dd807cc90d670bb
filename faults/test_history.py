"""Tests of the history checker: python3 -m unittest discover faults"""

import unittest

from history import UNKNOWN, History, Operation, is_explained, unexplained

END = float("inf")


def operations(*rows):
    """(name, argument, result, began, ended)"""
    return [Operation("a", *row) for row in rows]


class Orders(unittest.TestCase):
    def test_what_one_server_could_say_is_explained(self):
        self.assertTrue(
            is_explained(
                operations(
                    ("create", "s", "done", 0, 1),
                    ("token", "s 1", "granted", 2, 3),
                    ("token", "wrong 2", "refused", 2, 3),
                    ("rotate", "t", "done", 4, 6),
                    ("token", "t 3", "granted", 5, 7),
                    ("revoke", "1", "done", 8, 9),
                    ("introspect", "1", "inactive", 10, 11),
                    ("delete", "", "done", 12, 13),
                    ("token", "s 4", "refused", 14, 15),
                )
            )
        )

    def test_a_lost_write_is_not(self):
        lost = operations(("create", "s", "done", 0, 1), ("token", "s 1", "refused", 2, 3))
        self.assertFalse(is_explained(lost))

    def test_a_client_that_is_created_twice_is_not(self):
        twice = operations(("create", "s", "done", 0, 1), ("create", "t", "done", 2, 3))
        self.assertFalse(is_explained(twice))
        told = operations(("create", "s", "done", 0, 1), ("create", "t", "conflict", 2, 3))
        self.assertTrue(is_explained(told))

    def test_a_revoked_token_that_comes_back_is_not(self):
        back = operations(
            ("create", "s", "done", 0, 1),
            ("revoke", "1", "done", 2, 3),
            ("introspect", "1", "active", 4, 5),
        )
        self.assertFalse(is_explained(back))

    def test_an_unanswered_write_may_have_happened_or_not_but_not_both(self):
        begin = ("create", "s", UNKNOWN, 0, END)
        self.assertTrue(is_explained(operations(begin, ("token", "s 1", "granted", 1, 2))))
        self.assertTrue(is_explained(operations(begin, ("token", "s 1", "refused", 1, 2))))
        flicker = [("token", "s 1", "granted", 1, 2), ("token", "s 2", "refused", 3, 4)]
        self.assertFalse(is_explained(operations(begin, *flicker)))

    def test_who_overlaps_may_be_in_either_order(self):
        both = operations(("create", "s", "done", 0, 5), ("token", "s 1", "refused", 1, 2))
        self.assertTrue(is_explained(both))

    def test_a_call_that_breaks_off_is_unanswered(self):
        history = History()

        def broken():
            raise ConnectionResetError

        self.assertEqual(history.record("a", "create", "s", broken), UNKNOWN)
        self.assertEqual(history.record("a", "token", "s 1", lambda: "granted"), "granted")
        self.assertEqual(unexplained(history), [])
        history.record("a", "create", "t", lambda: "done")
        self.assertEqual(unexplained(history), ["a"])


if __name__ == "__main__":
    unittest.main()
