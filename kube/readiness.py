"""Being alive and being ready are different questions, whatever the API server does; signals end nothing
but what they are for."""

from __future__ import annotations

import signal
import time
import urllib.error
import urllib.request

import guarded
from carnet import Carnet
from cluster import Cluster

ADDRESS = "http://127.0.0.1:8081"


# Holds OP-09, OP-10.
def play(cluster: Cluster, carnet: Carnet) -> None:
    """From before the API server's start until after its end."""
    cluster.kill_api()
    process = carnet.gateway(cluster, ready=False)
    carnet.until_alive(within=10)
    _expect(livez=200, readyz=503)
    cluster.start_api()
    carnet.until_ready(within=10)
    guarded.until("nobody.example", "/", 404)
    for number in (signal.SIGHUP, signal.SIGUSR1):
        process.send_signal(number)
    cluster.kill_api()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        _expect(livez=200, readyz=200)
        time.sleep(0.1)
    guarded.until("nobody.example", "/", 404)
    assert carnet.stop("gateway") == 0, "SIGTERM ends it as it should"
    wrong = carnet.written("wrong.yaml", "entryPoints: {web: {adress: ':80'}}\n")
    code = carnet.start("gateway", ["gateway", f"--configfile={wrong}"]).wait(timeout=20)
    del carnet.running["gateway"]
    assert code == 1, f"a wrong configuration ends with 1, not {code}"
    cluster.start_api()


def _expect(**statuses: int) -> None:
    for path, wanted in statuses.items():
        found = _status(f"{ADDRESS}/{path}")
        assert found == wanted, f"/{path} answers {found}, not {wanted}"


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
