"""Time as one process sees it, moved while it runs."""

from __future__ import annotations

import glob
from pathlib import Path

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class Clock:
    """The time of day of one process, moved while it runs. What it measures durations by stays, or moves along."""

    def __init__(self, file: Path, moves_durations: bool = False) -> None:
        libraries = glob.glob(LIBRARY)
        if not libraries:
            raise SystemExit("faults: install faketime and start again")
        self.file = file
        self.set(0)
        self.settings = {
            "LD_PRELOAD": libraries[0],
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            **({} if moves_durations else {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}),
            "NO_FAKE_STAT": "1",
        }

    def set(self, seconds: int) -> None:
        """So many seconds off, whole at once."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self.file)
