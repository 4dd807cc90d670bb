"""A limit on the memory of a process, by the kernel's control groups, where this machine lets us make one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class Capped:
    """A group that a process may join; the kernel kills in it what takes more."""

    def __init__(self, limit: int) -> None:
        self.limit, self.folder = limit, None

    def __enter__(self) -> Capped:
        version1 = (ROOT / "memory").is_dir()
        folder = (ROOT / "memory" if version1 else ROOT) / f"carnet-faults-{os.getpid()}"
        try:
            folder.mkdir()
            self.folder = folder
            name = "memory.limit_in_bytes" if version1 else "memory.max"
            (folder / name).write_text(str(self.limit), encoding="ascii")
        except OSError as error:
            print(f"faults: memory is watched and not limited: {error}", file=sys.stderr)
            self.__exit__()
        return self

    def __exit__(self, *_: object) -> None:
        if self.folder is not None:
            self.folder.rmdir()
            self.folder = None

    def command(self) -> list[str]:
        """What a program is started under to be limited."""
        if self.folder is None:
            return []
        return ["sh", "-c", f'echo $$ >"{self.folder}/cgroup.procs" && exec "$@"', "sh"]
