"""F16: the configuration breaks in every way that files break in, under load."""

from __future__ import annotations

import http.client
import re
import threading
import time
from pathlib import Path
from typing import Callable

from gateway import Backend, Gateway
from stage import Stage, wait_until
from visitors import Http1, Tally

PER_S = {"short": 200, "long": 1000}
WORKERS = 4
STORM_S = {"short": 1.5, "long": 10}
WRITES_PER_S = 100
# More than a file may have.
LARGE = b"# " + b"x" * (10 << 20)


def play(stage: Stage) -> dict[str, float]:
    """One bad file after the other, each followed by a good one that has to be seen."""
    tally, stop = Tally(), threading.Event()
    with Backend(stage.carnet, stage.folder) as backend:
        gateway = Gateway(stage.carnet, stage.folder, 1, 0)
        # Root may read everything; this one may not.
        gateway.under = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        gateway.flags.append("--metrics.prometheus.entrypoint=web")
        configuration = _Configuration(gateway, backend.port)
        with gateway:
            gateway.start()
            pace = WORKERS / PER_S[stage.form]
            visitors = [Http1(gateway.port, tally, stop, pace, at % 2 == 0) for at in range(WORKERS)]
            threads = [threading.Thread(target=visitor.visit) for visitor in visitors]
            for thread in threads:
                thread.start()
            for break_it, told in _breaks(configuration):
                configuration.suffer(break_it, told)
            figures = configuration.storm(STORM_S[stage.form])
            stop.set()
            for thread in threads:
                thread.join()
            return {
                **configuration.figures(),
                **figures,
                "answered": tally.count("answered"),
                "lost": sum(tally.count(what) for what in ("lost", "refused", "reset")),
                "panics": gateway.said().count("panicked"),
            }


def _breaks(configuration: _Configuration) -> list[tuple[Callable[[], None], str]]:
    """Ways to break it, and what has to be said of each: a place and a word."""
    file = configuration.file

    def write(text: str) -> Callable[[], None]:
        return lambda: file.write_text(text, encoding="utf-8")

    def no_permission() -> None:
        file.chmod(0)

    def a_folder() -> None:
        file.unlink()
        file.mkdir()

    return [
        (write("http:\n  routers: {r: [\n"), r"routes\.yaml:\d+:\d+"),
        (write("http:\n  routers:\n   a: b: c\n"), r"routes\.yaml:3:\d+"),
        (write(""), r"routes\.yaml: .*empty"),
        (write("http: {}\nhtttp: {}\n"), r"routes\.yaml:2:1: .*htttp"),
        (lambda: file.write_bytes(b"http: \xff\n"), r"routes\.yaml: .*UTF-8"),
        (lambda: file.write_bytes(LARGE), r"routes\.yaml: .*larger than 8 MiB"),
        (no_permission, r"routes\.yaml: .*[Pp]ermission denied"),
        (file.unlink, r"routes\.yaml: .*No such file"),
        (a_folder, r"routes\.yaml: .*no regular file"),
        (configuration.half_written, ""),
        (configuration.dangling, r"routes\.yaml: .*No such file"),
    ]


class _Configuration:
    """The file that is broken and mended, and what the gateway makes of it."""

    def __init__(self, gateway: Gateway, backend: int) -> None:
        self.gateway, self.backend = gateway, backend
        self.file: Path = gateway.folder / "routes.yaml"
        self.version = 0
        self.broken, self.unsaid, self.uncounted, self.applied = 0, 0, 0, 0
        self.mended_s: list[float] = []
        self._mend()

    def figures(self) -> dict[str, float]:
        """What was seen."""
        return {
            "broken": self.broken,
            "bad_ones_applied": self.applied,
            "unsaid": self.unsaid,
            "not_in_metrics": self.uncounted,
            "mended_max_s": max(self.mended_s),
        }

    def suffer(self, break_it: Callable[[], None], told: str) -> None:
        """Breaks it, looks, mends it, and looks again."""
        self.broken += 1
        heard = len(self.gateway.said())
        break_it()
        if told:
            wait_until(lambda: self._is_said(heard, told), 3)
            self.unsaid += not self._is_said(heard, told)
            self.uncounted += wait_until(lambda: self._current() == 0, 3) >= 3
        self.applied += not self._serves(self.version)
        self._mend()
        self.mended_s.append(wait_until(lambda: self._serves(self.version)))
        self.uncounted += wait_until(lambda: self._current() == 1, 3) >= 3

    def half_written(self) -> None:
        """A new version comes in pieces; half of it would be a configuration, too."""
        text = self._text(self.version + 1).encode()
        cut = text.index(b"    s:")
        with open(self.file, "wb", buffering=0) as file:
            for piece in (text[: cut // 2], text[cut // 2 : cut], text[cut:]):
                file.write(piece)
                for _ in range(10):
                    time.sleep(0.01)
                    self.applied += not self._serves(self.version)
        wait_until(lambda: self._serves(self.version + 1))
        self.version += 1

    def dangling(self) -> None:
        """As a mounted ConfigMap: the folder behind the link goes. It is mended by a swap of links."""
        folder = self.file.parent
        self.version += 1
        self._swap(folder)
        self.file.unlink()
        self.file.symlink_to("..data/routes.yaml")
        self.mended_s.append(wait_until(lambda: self._serves(self.version)))
        (folder / "..data").unlink()

    def storm(self, seconds: float) -> dict[str, float]:
        """A hundred changes a second: the last one counts."""
        before, end = self._number("traefik_config_reloads_total"), time.monotonic() + seconds
        writes = 0
        while time.monotonic() < end:
            self._mend()
            writes += 1
            time.sleep(1 / WRITES_PER_S)
        last = wait_until(lambda: self._serves(self.version))
        reloads = self._number("traefik_config_reloads_total") - before
        return {"writes": writes, "last_served_s": last, "reloads_per_s": reloads / seconds}

    def _mend(self) -> None:
        """The next good version, in the way that the file is there."""
        self.version += 1
        if self.file.is_symlink():
            self._swap(self.file.parent)
            return
        if self.file.is_dir():
            self.file.rmdir()
        new = self.file.with_name("routes.new")
        new.write_text(self._text(self.version), encoding="utf-8")
        new.replace(self.file)

    def _swap(self, folder: Path) -> None:
        version = folder / f"..{self.version}"
        version.mkdir()
        (version / "routes.yaml").write_text(self._text(self.version), encoding="utf-8")
        link = folder / "..data_new"
        link.symlink_to(version.name)
        link.replace(folder / "..data")

    def _text(self, version: int) -> str:
        return (
            "http:\n  routers:\n"
            f"    v: {{rule: 'Path(`/version/{version}`)', service: s}}\n"
            "    r: {rule: 'PathPrefix(`/bench`)', service: s}\n"
            "  services:\n"
            f"    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{self.backend}'}}]}}}}\n"
        )

    def _serves(self, version: int) -> bool:
        return self.gateway.ask(f"/version/{version}") == 200

    def _is_said(self, since: int, told: str) -> bool:
        return re.search(told, self.gateway.said()[since:]) is not None

    def _current(self) -> float:
        return self._number("carnet_config_current")

    def _number(self, name: str) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=5)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        found = re.search(rf"^{name} ([\d.]+)$", text, re.MULTILINE)
        return float(found.group(1)) if found else -1.0
