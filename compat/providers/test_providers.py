"""The service finds fault with what it must not see."""

from __future__ import annotations

import base64
import http.client
import json
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "bench")]

from clients import AUDIENCE  # noqa: E402
import domains  # noqa: E402
from stand import faults  # noqa: E402


def token(**claims: object) -> str:
    own = {"client_id": "me", "aud": AUDIENCE, "exp": time.time() + 60, **claims}
    payload = base64.urlsafe_b64encode(json.dumps(own).encode()).rstrip(b"=").decode()
    return f"h.{payload}.s"


def found(values: list[str], client: str | None = "me", header: str = "me") -> int:
    headers = http.client.HTTPMessage()
    for value in values:
        headers["Authorization"] = value
    headers["X-Client"] = header
    return len(faults(headers, "route", client, "client_id"))


class Faults(unittest.TestCase):
    def test_a_right_token_has_none(self) -> None:
        self.assertEqual(found([f"Bearer {token()}"]), 0)
        self.assertEqual(found([f"Bearer {token(aud=['x', AUDIENCE])}"]), 0)
        self.assertEqual(found(["Bearer opaque"], client=None), 0)

    def test_each_wrong_one_has_its_own(self) -> None:
        right = f"Bearer {token()}"
        self.assertEqual(found([]), 1)
        self.assertEqual(found(["Basic bWU6c2VjcmV0"]), 1)
        self.assertEqual(found([right, right]), 1)
        self.assertEqual(found([right], client=None), 1)
        self.assertEqual(found([right], header="evil"), 1)
        self.assertEqual(found([f"Bearer {token(client_id='you')}"]), 1)
        self.assertEqual(found([f"Bearer {token(aud='other')}"]), 1)
        self.assertEqual(found([f"Bearer {token(exp=time.time() - 1)}"]), 1)

    def test_a_token_of_another_domain_has_one_for_each_wrong_thing(self) -> None:
        right = {"iss": "a", "aud": ["b"], "client_id": "gateway", "exp": time.time() + 60}
        self.assertEqual(domains.faults(right, "a", "b"), [])
        for wrong in ({"iss": "c"}, {"aud": "c"}, {"client_id": "c"}, {"exp": 0}):
            self.assertEqual(len(domains.faults({**right, **wrong}, "a", "b")), 1, wrong)
        self.assertEqual(domains.claims_of("opaque"), {})


if __name__ == "__main__":
    unittest.main()
