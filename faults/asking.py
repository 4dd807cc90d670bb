"""Many who ask at once, each over a connection of its own, numbered so that nothing is done twice."""

from __future__ import annotations

import http.client
import threading
import time
from typing import Callable

from stage import at_once
from visitors import Tally

WORKERS = 8


def ask_for(
    seconds: float, port: int, tally: Tally, one: Callable[..., bool], first: int = 0
) -> None:
    """`one` request after the other for a while; it says whether its connection goes on. Numbers
    begin after `first`."""
    end, count, lock = time.monotonic() + seconds, [first], threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while time.monotonic() < end:
            with lock:
                count[0] += 1
                number = count[0]
            if not one(connection, number, tally):
                connection.close()
            time.sleep(0.002)
        connection.close()

    at_once([work] * WORKERS)


def get_or_post(connection: http.client.HTTPConnection, number: int, tally: Tally) -> bool:
    """Three of four are GETs. What is not answered as it should be counts as lost."""
    method = "POST" if number % 4 == 0 else "GET"
    try:
        connection.request(method, f"/{number}", body=b"x" * 100 if method == "POST" else None)
        response = connection.getresponse()
        is_good = response.read() == b"ok" and response.status == 200
    except (OSError, http.client.HTTPException):
        tally.add(f"{method} lost")
        return False
    tally.add(method if is_good else f"{method} lost")
    return True
