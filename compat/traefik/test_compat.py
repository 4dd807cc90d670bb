"""Tests of the parts: python3 -m unittest discover compat/traefik"""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench"))

import compare  # noqa: E402
import differences  # noqa: E402
import grammar  # noqa: E402
import scenes  # noqa: E402
from compare import Finding  # noqa: E402
from request import Answer, Request  # noqa: E402

ECHO = "Name: alpha\nHostname: h\nIP: 10.0.0.1\nRemoteAddr: 127.0.0.1:{port}\n"
ECHO += "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nX-A: 2\r\n{more}\r\n{body}"


def parts(port=1, more="", body="", line=None):
    text = ECHO.format(port=port, more=more, body=body)
    headers = [("Date", str(port)), ("Content-Length", str(len(text)))]
    logged = {"OriginStatus": 200, "RouterName": "r@file"} if line is None else line
    return compare.parts(Answer(200, headers, text.encode()), logged)


class Play(unittest.TestCase):
    def test_a_seed_makes_the_same_play(self):
        self.assertEqual(scenes.play(7, 50), scenes.play(7, 50))
        self.assertNotEqual(scenes.play(7, 50).routers, scenes.play(8, 50).routers)

    def test_the_default_play_covers_what_it_promises(self):
        play = scenes.play(42, 300)
        kinds = [case.scene.split("-")[0] for case in play.cases]
        through = sum(kind in ("middlewares", "guards", "answers") for kind in kinds)
        self.assertGreaterEqual(through, 1000)
        self.assertGreaterEqual(len(kinds) - through, 500)
        self.assertEqual([case.number for case in play.cases], list(range(len(play.cases))))
        rules = " ".join(str(router["rule"]) for router in play.routers.values()).lower()
        for condition in grammar.CONDITIONS:
            self.assertIn(condition.name.lower() + "(", rules)
        self.assertIn("!", rules)
        priorities = {router.get("priority") for router in play.routers.values()}
        self.assertLessEqual({None, 0, 7, -1, scenes.GREATEST_PRIORITY}, priorities)
        tags = set().union(*(case.tags for case in play.cases))
        self.assertLessEqual({*scenes.SPOILS, *(tag for tag, _ in scenes.EXTRAS)}, tags)
        self.assertTrue(play.broken)
        requests = [case.request for case in play.cases]
        self.assertTrue(any(r.chunked and r.body for r in requests))
        self.assertTrue(any("%2F" in r.path for r in requests))
        self.assertTrue(any(r.before for r in requests))
        self.assertTrue(any(r.secured and r.secured.shows for r in requests))
        methods = {r.method for r in requests}
        self.assertLessEqual({"GET", "HEAD", "OPTIONS", "POST"}, methods)


class Wire(unittest.TestCase):
    def test_a_request_goes_as_it_is_written(self):
        request = Request(path="/a//%2f", query=["q=;"], headers=[("x-a", ""), ("X-A", "2")])
        head = b"GET /a//%2f?q=; HTTP/1.1\r\nHost: a.test\r\nx-a: \r\nX-A: 2\r\n"
        self.assertEqual(request.wire(), head + b"\r\n")
        request.body, request.chunked = b"hello", True
        body = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        self.assertEqual(request.wire(), head + body)


class Compare(unittest.TestCase):
    def test_what_varies_from_run_to_run_is_no_difference(self):
        one = parts(port=1, body="5\r\nhello\r\n0\r\n\r\n")
        other = parts(port=22222, body="2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
        self.assertEqual(compare.findings(one, other), [])

    def test_a_header_that_one_lacks_is_told_once(self):
        found = compare.findings(parts(), parts(more="X-B: 3\r\n"))
        self.assertEqual(found, [Finding("sent X-B", None, ["3"])])

    def test_another_router_or_value_is_a_difference(self):
        other = parts(line={"OriginStatus": 200, "RouterName": "s@file"})
        places = [finding.at for finding in compare.findings(parts(), other)]
        self.assertEqual(places, ["log RouterName"])
        places = [finding.at for finding in compare.findings(parts(), parts(more="X-A: 3\r\n"))]
        self.assertEqual(places, ["sent X-A"])
        places = [finding.at for finding in compare.findings(parts(), parts(body="0\r\n\r\n"))]
        self.assertEqual(places, [])


class Differences(unittest.TestCase):
    def test_a_difference_explains_only_what_it_names(self):
        known = {difference.id: difference for difference in differences.read()}
        forwarded = known["forwarded"]
        finding = Finding("sent Forwarded", ["x"], None)
        self.assertTrue(forwarded.explains({"forwarded"}, 200, finding))
        self.assertFalse(forwarded.explains({"several"}, 200, finding))
        self.assertFalse(forwarded.explains({"forwarded"}, 200, Finding("sent Via", ["x"], None)))
        broken = known["broken-router"]
        self.assertTrue(broken.explains({"broken"}, 503, Finding("status", 404, 503)))
        self.assertFalse(broken.explains({"broken"}, 200, Finding("status", 404, 200)))

    def test_the_reference_tells_every_difference(self):
        page = (ROOT / "docs" / "reference" / "differences.md").read_text(encoding="utf-8")
        for difference in differences.read():
            self.assertIn(difference.row(), page)


if __name__ == "__main__":
    unittest.main()
