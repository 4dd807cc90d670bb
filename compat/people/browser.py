"""Chromium without a window, driven by its DevTools protocol over a pipe: no port, no library."""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any, Callable

# Seconds for a page, on a busy machine.
PATIENCE = 20.0
FLAGS = (
    "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
    "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-proxy-server", "--window-size=900,500",
    # Windows behind others are painted like the one in front, or their pictures may never come.
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
)  # fmt: skip


class Browser:
    """One Chromium with a profile of its own; it ends with the `with` block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self._unread = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        read, self._to = os.pipe()
        self._from, write = os.pipe()
        read, write = _high(read), _high(write)
        # It reads at 3 and writes at 4.
        line = f'exec "$@" 3<&{read} 4>&{write} {read}<&- {write}>&-'
        command = ["bash", "-c", line, "chromium", "chromium", *FLAGS]
        with open(self.folder / "chromium.out", "wb") as said:
            self._process = subprocess.Popen(
                [*command, f"--user-data-dir={self.folder / 'profile'}", "about:blank"],
                pass_fds=(read, write), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={**os.environ, "HOME": str(self.folder)},
            )  # fmt: skip
        os.close(read)
        os.close(write)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)
        os.close(self._from)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Sends a command and waits for what came of it."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        self.wait(lambda: number in self._answers, method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']}")
        return answer["result"]

    def wait(self, is_so: Callable[[], Any], what: str) -> Any:
        """Reads what the browser says until something is so."""
        until = time.monotonic() + PATIENCE
        while not (found := is_so()):
            left = until - time.monotonic()
            if left < 0 or not select.select([self._from], [], [], left)[0]:
                raise SystemExit(f"the browser is waited for in vain: {what}")
            self._read()
        return found

    def _read(self) -> None:
        came = os.read(self._from, 1 << 16)
        if not came:
            said = (self.folder / "chromium.out").read_text(errors="replace")
            raise SystemExit(f"the browser ended; it said:\n{said}")
        *messages, self._unread = (self._unread + came).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self.events.append(message)

    def tab(self, context: str = "") -> Tab:
        """A new tab, of the one profile or of a context of its own."""
        where = {"browserContextId": context} if context else {}
        target = self.send("Target.createTarget", url="about:blank", **where)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Tab(self, session)

    def stranger(self) -> Tab:
        """A tab that shares nothing with the others, as another person's browser."""
        return self.tab(self.context())

    def context(self) -> str:
        """What tabs of another person's browser share."""
        return self.send("Target.createBrowserContext")["browserContextId"]


def _high(descriptor: int) -> int:
    """The same under a number that is not wanted for anything else."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 100)
    os.close(descriptor)
    return high


class Tab:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session
        for domain in ("Page", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command to this tab."""
        return self.browser.send(method, self.session, **parameters)

    def open(self, url: str) -> None:
        """Opens a page and waits until it is there."""
        self.then(lambda: self.send("Page.navigate", url=url))

    def click(self, selector: str) -> None:
        """Clicks on something and waits for the page behind it."""
        self.then(lambda: self.says(f"document.querySelector({selector!r}).click()"))

    def then(self, act: Callable[[], Any]) -> None:
        """Does something and waits until a page was loaded thereafter."""
        since = len(self.browser.events)
        act()
        self.event("Page.loadEventFired", since)

    def event(self, name: str, since: int) -> dict[str, Any]:
        """What was told by an event, the first of its name since."""

        def found() -> list[dict[str, Any]]:
            return [one["params"] for one in self.browser.events[since:] if self._is(one, name)]

        return self.browser.wait(found, name)[0]

    def _is(self, event: dict[str, Any], name: str) -> bool:
        return event["method"] == name and event.get("sessionId") == self.session

    def becomes(self, expression: str, what: str) -> None:
        """Asks until a script says yes."""
        until = time.monotonic() + PATIENCE
        while not self.says(expression):
            if time.monotonic() > until:
                raise SystemExit(f"never so: {what}, at {self.url()}\n{self.text()}")
            time.sleep(0.05)

    def says(self, expression: str) -> Any:
        """The value of a script."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def url(self) -> str:
        """Where it stands."""
        return self.says("location.href")

    def text(self) -> str:
        """What a person reads there."""
        return self.says("document.body.innerText")

    def cookies(self, url: str) -> list[dict[str, Any]]:
        """What would be sent to an address."""
        return self.send("Network.getCookies", urls=[url])["cookies"]

    def screenshot(self, file: Path) -> None:
        """What a person sees there, as a picture."""
        self.send("Page.bringToFront")
        data = self.send("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))

    def visited(self) -> list[str]:
        """Every address that a page was asked at, redirects too."""
        return [
            one["params"]["request"]["url"]
            for one in self.browser.events
            if self._is(one, "Network.requestWillBeSent")
            and one["params"].get("type") == "Document"
        ]

    def status(self) -> int:
        """Of the page that it shows."""
        answers = [
            one["params"]["response"]["status"]
            for one in self.browser.events
            if self._is(one, "Network.responseReceived")
            and one["params"].get("type") == "Document"
        ]
        return answers[-1]

    def hold(self, pattern: str) -> None:
        """From now on requests to such addresses wait."""
        self.send("Fetch.enable", patterns=[{"urlPattern": pattern}])

    def held(self, since: int) -> dict[str, Any]:
        """The request that waits."""
        return self.event("Fetch.requestPaused", since)

    def release(self) -> None:
        """No request waits any more."""
        self.send("Fetch.disable")
