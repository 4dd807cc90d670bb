"""h2spec: the public conformance suite for HTTP/2, strict, over TLS."""

from __future__ import annotations

import subprocess
from xml.etree import ElementTree

from stand import HOST, Stand

# Of version 2.2.1; fewer would mean that it stopped in the middle.
CASES = 146


# Holds H2-01.
def play(stand: Stand) -> int:
    """Every case must pass. Gives how many that were."""
    report = stand.folder / "h2spec.xml"
    command = ["h2spec", "--host", HOST, "--port", str(stand.secure), "--tls", "--insecure"]
    command += ["--strict", "--timeout", "5", "--junit-report", str(report)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if not report.exists():
        raise SystemExit(f"{' '.join(command)}:\n{run.stdout}{run.stderr}")
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = [
        f"{case.get('package')}: {case.get('classname')}"
        for case in cases
        if any(case.find(word) is not None for word in ("failure", "error", "skipped"))
    ]
    if failed or len(cases) < CASES:
        raise SystemExit(f"h2spec: {len(cases)} cases, failed: {failed}")
    return len(cases)
