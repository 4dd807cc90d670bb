"""h2load: many requests at once, by both versions, without and with TLS."""

from __future__ import annotations

import re
import subprocess

from stand import HOST, Stand

REQUESTS = 5_000
CONNECTIONS = 20


def play(stand: Stand) -> int:
    """Every request must succeed. Gives how many that were."""
    plain, secure = f"http://{HOST}:{stand.web}/bench", f"https://{HOST}:{stand.secure}/bench"
    done = 0
    for flags, url in (
        (["-m", "10"], plain),
        (["-m", "100"], secure),
        (["--h1"], plain),
        (["--h1"], secure),
    ):
        command = ["h2load", "-n", str(REQUESTS), "-c", str(CONNECTIONS), *flags, url]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        counts = re.search(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed", run.stdout)
        if run.returncode != 0 or counts is None or counts.groups() != (str(REQUESTS),) * 2 + ("0",):
            raise SystemExit(f"{' '.join(command)}:\n{run.stdout}{run.stderr}")
        if f"status codes: {REQUESTS} 2xx" not in run.stdout:
            raise SystemExit(f"{' '.join(command)}: not all of them are 2xx\n{run.stdout}")
        done += REQUESTS
    return done
