"""nginx: a service that `forwardAuth` asks, with passwords of its own; and a server that fails half of the
time, behind `retry` and `errors` under load."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from stand import HOST, Stand, listens

REQUESTS = 4_000

CONFIGURATION = """
daemon off;
# Its files lie in a folder of the one who runs this.
user root;
worker_processes 1;
pid @FOLDER@/nginx.pid;
error_log @FOLDER@/nginx.err warn;
events {}
http {
    access_log off;
    client_body_temp_path @FOLDER@/nginx-body;
    proxy_temp_path @FOLDER@/nginx-proxy;
    fastcgi_temp_path @FOLDER@/nginx-fastcgi;
    uwsgi_temp_path @FOLDER@/nginx-uwsgi;
    scgi_temp_path @FOLDER@/nginx-scgi;
    split_clients $request_id $fails { 50% 1; * 0; }
    server {
        listen 127.0.0.1:@AUTH@;
        location = /auth {
            auth_basic people;
            auth_basic_user_file @FOLDER@/people;
            add_header X-Auth-User $remote_user;
            root @FOLDER@;
            try_files /allowed =404;
        }
    }
    server {
        listen 127.0.0.1:@FLAKY@;
        location = /flaky/never { return 503 raw; }
        location / {
            if ($fails) { return 503 raw; }
            return 200 fine;
        }
    }
}
"""


def play(stand: Stand) -> int:
    """Gives how many requests that were."""
    folder = stand.folder
    hashed = subprocess.run(["openssl", "passwd", "-apr1", "secret"], capture_output=True, text=True, check=True)
    (folder / "people").write_text(f"alice:{hashed.stdout}", encoding="ascii")
    (folder / "allowed").write_text("", encoding="ascii")
    configuration = CONFIGURATION.replace("@FOLDER@", str(folder))
    configuration = configuration.replace("@AUTH@", str(stand.auth)).replace("@FLAKY@", str(stand.flaky))
    file = folder / "nginx.conf"
    file.write_text(configuration, encoding="utf-8")
    _closed(stand)
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") or "nginx"
    command = [nginx, "-p", str(folder), "-c", str(file)]
    stand.processes.start("nginx", command, lambda: listens(stand.flaky))
    return _guarded(stand) + _under_load(stand)


def _closed(stand: Stand) -> None:
    """While nobody answers for callers, none of them passes."""
    status, text = _curl(stand, "/guarded", "-u", "alice:secret")
    _must(status == 500 and "Hostname" not in text, f"without its service the guard answers {status}: {text}")


def _guarded(stand: Stand) -> int:
    right = ["-u", "alice:secret"]
    for wrong in ([], ["-u", "alice:guess"], ["-u", "bob:secret"], ["-H", "X-Auth-User: alice"]):
        status, text = _curl(stand, "/guarded", "-i", *wrong)
        _must(status == 401 and "Hostname" not in text, f"{wrong} gets {status}")
        _must('Basic realm="people"' in text, f"{wrong} is not told how to log in: {text}")
    for more in ([], ["-H", "X-Auth-User: bob"], ["-H", "x_auth_user: bob"], ["-d", "hello"]):
        status, text = _curl(stand, "/guarded", *right, *more)
        _must(status == 200, f"alice gets {status} with {more}")
        users = re.findall(r"(?im)^x.auth.user: (.*?)\r?$", text)
        _must(users == ["alice"], f"the application is told of {users} with {more}")
    _must(text.endswith("hello"), f"the body is gone: {text}")
    return 9


def _under_load(stand: Stand) -> int:
    """Whoever asks gets an answer of the server or the page, and nothing raw."""
    status, text = _curl(stand, "/flaky/never")
    _must(status == 200 and "GET /page/503 " in text, f"a failure shows {status}: {text}")
    for flags in (["--h1"], []):
        url = f"http://{HOST}:{stand.web}/flaky"
        command = ["h2load", *flags, "-n", str(REQUESTS), "-c", "16", "-T", "20", url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        wanted = f"{REQUESTS} done, {REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout"
        _must(wanted in done.stdout, f"{' '.join(command)}: {done.stdout}{done.stderr}")
        _must(f"status codes: {REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx" in done.stdout, done.stdout)
    return 1 + 2 * REQUESTS


def _curl(stand: Stand, path: str, *more: str) -> tuple[int, str]:
    command = ["curl", "-sS", "-m", "20", "-w", "\n%{http_code}", *more, f"http://{HOST}:{stand.web}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    _must(done.returncode == 0, f"{' '.join(command)}: {done.stderr}")
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"nginx: {otherwise}")
