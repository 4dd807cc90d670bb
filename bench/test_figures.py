"""Tests of the arithmetic: python3 -m unittest discover bench"""

import unittest
from xml.etree import ElementTree

import tempfile
from pathlib import Path

import figures
import load
import plot
import report
from report import Target, asked, gateway


class Figures(unittest.TestCase):
    def test_the_interval_leaves_out_what_the_binomial_distribution_allows(self):
        # The usual table: n = 15 leaves out 3 at each end (96.5 %), n = 9 leaves out 1 (96.1 %).
        for count, skip in [(1, 0), (2, 0), (6, 0), (8, 0), (9, 1), (12, 2), (15, 3), (25, 7)]:
            found = figures.figure([float(at) for at in range(count)])
            self.assertEqual((found.low, found.high), (skip, count - 1 - skip), count)

    def test_a_slow_round_cancels_out_in_the_ratio(self):
        self.assertEqual(figures.ratios([10, 5, 20], [20, 10, 40]), [0.5, 0.5, 0.5])
        with self.assertRaises(ValueError):
            figures.ratios([1], [1, 2])
        with self.assertRaises(ValueError):
            figures.figure([])


class Load(unittest.TestCase):
    REPORT = """Running 1s test @ http://127.0.0.1:1/bench
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.27ms  441.00us  12.13ms   93.01%
    Req/Sec    25.53k     1.13k   27.15k    80.00%
  Latency Distribution
     50%    1.20ms
     75%    1.35ms
     90%  900.00us
     99%    0.01s
  25412 requests in 1.00s, 7.42MB read
Requests/sec:  25396.78
Transfer/sec:      7.41MB
"""

    def test_what_wrk_prints_is_read(self):
        sample = load.parse(self.REPORT)
        self.assertEqual(sample.requests, 25412)
        self.assertEqual(sample.per_second, 25396.78)
        self.assertEqual((sample.p50_ms, sample.p99_ms), (1.2, 10.0))
        self.assertEqual(sample.failed, 0)

    def test_answers_that_failed_are_counted(self):
        report = self.REPORT.replace(
            "Requests/sec",
            "  Socket errors: connect 1, read 2, write 3, timeout 4\n"
            "  Non-2xx or 3xx responses: 5\nRequests/sec",
        )
        self.assertEqual(load.parse(report).failed, 15)
        with self.assertRaises(load.LoadError):
            load.parse("unable to connect")

    def test_forms_are_written_a_line_each(self):
        with tempfile.TemporaryDirectory() as directory:
            file = load.write_forms(Path(directory) / "f", [("Basic x", "a=1"), ("", "b=2")])
            self.assertEqual(file.read_text(), "Basic x\ta=1\n\tb=2\n")


    def test_what_h2load_prints_is_read(self):
        report = (
            "finished in 1.00s, 2504.00 req/s, 200KB/s\n"
            "requests: 2504 total, 2504 started, 2504 done, 2500 succeeded, 4 failed, 0 errored, 0 timeout\n"
            "status codes: 2500 2xx, 0 3xx, 0 4xx, 4 5xx\n"
        )
        sample = load.parse_http2(report)
        self.assertEqual((sample.requests, sample.per_second, sample.failed), (2500, 2504.0, 8))
        with self.assertRaises(load.LoadError):
            load.parse_http2("Could not connect")


class Report(unittest.TestCase):
    def test_the_tables_of_a_document_are_replaced_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "page.md"
            file.write_text("a\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nz\n")
            for _ in range(2):
                report.fill(file, ["## new", "row"])
            expected = "a\n<!-- bench: begin -->\n### new\nrow\n<!-- bench: end -->\nz\n"
            self.assertEqual(file.read_text(), expected)

    def test_the_picture_has_a_bar_for_each_program(self):
        samples = {"carnet": [{"cpu_us": 16.0}], "nginx": [{"cpu_us": 32.0}]}
        facts = {"date": "d", "commit": "c", "machine": "<m>"}
        picture = plot.bars({"plain": samples}, facts)
        root = ElementTree.fromstring(picture)
        self.assertEqual(len(root.findall("{http://www.w3.org/2000/svg}rect")), 1 + 2)
        self.assertIn("16.0", picture)

    def test_a_figure_reaches_what_it_must_or_aims_at(self):
        more, less = Target("m", ">=", 0.45, 0.6), Target("l", "<=", 6, 3)
        for value, expected in [(0.44, "missed"), (0.45, "must"), (0.7, "aim")]:
            self.assertEqual(more.verdict(value), expected, value)
        for value, expected in [(7, "missed"), (6, "must"), (3, "aim")]:
            self.assertEqual(less.verdict(value), expected, value)

    def test_every_sample_is_on_the_page(self):
        samples = {"m": [0.5, 0.4, 0.6], "beside it": [7.0]}
        page = "\n".join(asked("The authorization server", samples, [Target("m", ">=", 0.45, 0.6)]))
        self.assertIn("| m | >= 0.45 | >= 0.6 | 0.500 (0.400 to 0.600) | must |", page)
        self.assertIn("| beside it | 7.0 (7.0 to 7.0) |", page)
        one = {"per_second": 2.0, "per_cpu_second": 4.0, "p50_ms": 1.0, "p99_ms": 3.0}
        page = "\n".join(gateway({"carnet": [one], "nginx": [{**one, "per_second": 4.0}]}))
        self.assertIn("| nginx | 0.500 (0.500 to 0.500) | 1.000", page)


if __name__ == "__main__":
    unittest.main()
