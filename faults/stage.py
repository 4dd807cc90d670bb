"""What every fault is played on, and small tools for all of them."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable


@dataclass
class Stage:
    """A binary, a folder that goes afterwards, and how much to do: `short` or `long`."""

    carnet: str
    folder: Path
    form: str
    seed: int


def at_once(jobs: list[Callable[[], object]]) -> None:
    """Runs jobs beside each other; the first one that fails fails here."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def percentile(samples: list[float], part: float) -> float:
    """The smallest sample that so many parts of all do not exceed."""
    return sorted(samples)[max(0, math.ceil(len(samples) * part) - 1)]


def wait_until(happens: Callable[[], bool], seconds: float = 10) -> float:
    """Tries until something happens; for how many seconds, or `seconds` where it did not."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if happens():
            return time.monotonic() - began
        time.sleep(0.02)
    return seconds
