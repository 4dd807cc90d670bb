"""Who reads what `compress` packs: curl, a browser, and a client that waits for each event."""

from __future__ import annotations

import http.server
import re
import subprocess
import threading

from stand import HOST, Stand

TEXT = "\n".join(f"line {number} of a text that is worth packing" for number in range(5_000))
EVENTS = 5
# What it reads is the length of the text, and how it came.
PAGE = """<!doctype html><title>page</title><script>
fetch("/packed/text").then(async answer => {
  const coding = answer.headers.get("content-encoding");
  document.body.textContent = "read " + (await answer.text()).length + " packed by " + coding;
});
</script><body>""" + "<!-- so that the page itself is packed, too -->" * 100


def play(stand: Stand) -> int:
    """Gives how many answers that were."""
    heard = threading.Semaphore(0)
    server = _server(stand.pages, heard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        return _curl(stand) + _streamed(stand, heard) + _browser(stand)
    finally:
        server.shutdown()
        server.server_close()


def _server(port: int, heard: threading.Semaphore) -> http.server.ThreadingHTTPServer:
    class Pages(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith("/packed/events"):
                return self._events()
            kind, text = ("text/plain", TEXT) if self.path.startswith("/packed/text") else ("text/html", PAGE)
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _events(self) -> None:
            """Each when the one before has been heard."""
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for number in range(EVENTS):
                self.wfile.write(f"data: {number}\n\n".encode())
                self.wfile.flush()
                if not heard.acquire(timeout=15):
                    return

        def log_message(self, *_: object) -> None:
            pass

    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages)


def _curl(stand: Stand) -> int:
    """Every coding that it knows comes back as the text; who asks for none gets it as it is."""
    features = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    codings = ["gzip", *(name for name, mark in [("br", "brotli"), ("zstd", "zstd")] if mark in features)]
    for version in ("--http1.1", "--http2-prior-knowledge"):
        for coding in codings:
            head, text = _asked(stand, version, "--compressed", "-H", f"Accept-Encoding: {coding}")
            found = re.findall(r"(?im)^content-encoding: (.*?)\r?$", head)
            _must(found == [coding], f"curl {version} gets {found} for {coding}")
            _must(text == TEXT, f"curl {version} reads another text from {coding}")
        head, text = _asked(stand, version)
        _must("content-encoding" not in head.lower() and text == TEXT, f"curl {version} gets {head}")
    return 2 * (len(codings) + 1)


def _asked(stand: Stand, *flags: str) -> tuple[str, str]:
    command = ["curl", "-sS", "-i", "-m", "20", *flags, f"http://{HOST}:{stand.web}/packed/text"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # Text mode: the head ends in an empty line.
    head, _, text = done.stdout.partition("\n\n")
    return head, text


def _streamed(stand: Stand, heard: threading.Semaphore) -> int:
    """The next event is sent when this one was read, so none may wait for another."""
    url = f"http://{HOST}:{stand.web}/packed/events"
    command = ["curl", "-sSN", "-m", "20", "--compressed", "-H", "Accept-Encoding: gzip", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        for number in range(EVENTS):
            line, end = client.stdout.readline(), client.stdout.readline()
            _must((line, end) == (f"data: {number}\n", "\n"), f"event {number} is {line!r}")
            heard.release()
    return EVENTS


def _browser(stand: Stand) -> int:
    """A page and what its script fetches."""
    folder = stand.folder / "browser"
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--disable-background-networking", f"--user-data-dir={folder}", "--timeout=20000"]
    command += ["--virtual-time-budget=10000", "--dump-dom", f"http://{HOST}:{stand.web}/packed/page"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    read = re.search(r"read (\d+) packed by (\w+)", done.stdout)
    _must(read is not None, f"the browser shows {done.stdout[-500:]} {done.stderr[-500:]}")
    length, coding = int(read[1]), read[2]
    _must(length == len(TEXT) and coding in ("gzip", "br", "zstd"), f"the browser read {read[0]}")
    return 2


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"readers: {otherwise}")
