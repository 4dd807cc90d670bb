"""Somebody who asks again and again over one connection that stays open, and how that goes."""

from __future__ import annotations

import http.client
import time

from stage import percentile


class Regular:
    """One connection, opened with a first request."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        self.answered, self.lost = 0, 0
        self.took: list[float] = []
        self.ask()

    def ask(self) -> None:
        """One request. A connection that broke is opened again, and the request counts as lost."""
        began = time.monotonic()
        try:
            self.connection.request("GET", "/")
            response = self.connection.getresponse()
            response.read()
            good = response.status == 200
        except (OSError, http.client.HTTPException):
            self.connection.close()
            good = False
        self.took.append(time.monotonic() - began)
        self.answered += good
        self.lost += not good

    def ask_for(self, seconds: float, pause_s: float = 0.005) -> None:
        """Requests for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.ask()
            time.sleep(pause_s)

    def p99_s(self) -> float:
        """Of all requests since the last time."""
        took, self.took = self.took, []
        return percentile(took, 0.99)

    def close(self) -> None:
        """Leaves."""
        self.connection.close()
