"""What is judged wrong must be told."""

from __future__ import annotations

import base64
import json
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import judge  # noqa: E402

BASE, ISSUER = "http://g", "http://as"
CHALLENGE = f'Bearer realm="carnet", resource_metadata="{BASE}{judge.WELL_KNOWN}/mcp"'


def token(**claims: Any) -> str:
    told = {"aud": [f"{BASE}/mcp"], "iss": ISSUER, "scp": ["tools"], **claims}
    return f"e.{base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip('=')}.s"


def requests() -> list[judge.Told]:
    return [
        ["POST", f"{BASE}/mcp", 401, CHALLENGE],
        ["GET", f"{BASE}{judge.WELL_KNOWN}/mcp", 200, ""],
        ["GET", f"{ISSUER}/.well-known/oauth-authorization-server", 200, ""],
        ["POST", f"{ISSUER}/oauth2/register", 201, ""],
        ["POST", f"{ISSUER}/oauth2/token", 200, ""],
        ["POST", f"{BASE}/mcp", 200, ""],
    ]


class Judging(unittest.TestCase):
    def test_a_token_is_for_one_resource_of_one_issuer(self) -> None:
        resource = f"{BASE}/mcp"
        self.assertEqual(judge.token(token(), resource, ISSUER), [])
        for wrong in ({"aud": [resource, "x"]}, {"aud": []}, {"iss": "x"}, {"scp": []}):
            self.assertEqual(len(judge.token(token(**wrong), resource, ISSUER)), 1, wrong)

    def test_the_way_is_that_of_the_standards(self) -> None:
        self.assertEqual(judge.way(requests(), (BASE, "/mcp"), ISSUER, True), [])
        for left_out in range(6):
            told = [one for at, one in enumerate(requests()) if at != left_out]
            self.assertTrue(judge.way(told, (BASE, "/mcp"), ISSUER, True), left_out)
        bare = requests()
        bare[0][3] = 'Bearer realm="carnet"'
        self.assertEqual(len(judge.way(bare, (BASE, "/mcp"), ISSUER, True)), 1)

    def test_a_client_that_did_nothing_later_is_told(self) -> None:
        outcome = {"token": token(), "requests": requests()}
        self.assertEqual(len(judge.later(outcome, f"{BASE}/mcp", ISSUER)), 1)

    def test_a_server_must_see_whose_request_it_is_and_no_token(self) -> None:
        good = {"method": "POST", "path": "/mcp", "headers": [["x-user", "alice"]]}
        self.assertEqual(judge.reached([good]), [])
        for wrong in (
            [],
            [{**good, "headers": []}],
            [{**good, "headers": [["x-user", "a"], ["authorization", "Bearer x"]]}],
            [{**good, "path": "/other/mcp"}],
        ):
            self.assertEqual(len(judge.reached(wrong)), 1, wrong)


if __name__ == "__main__":
    unittest.main()
