"""Pods come and go under load, as a rolling update has it: the new one is ready, the old one is told to
end, serves for a little while and is gone. No request is lost."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter

import guarded
import pods
import stage
from carnet import Carnet
from cluster import Cluster

HOST = "rolling.example"
FIRST_PORT = 9000
# Between its end's announcement and its SIGTERM, as a preStop hook has it: longer than a rebuild may wait.
NOTICE = 1.0


def play(cluster: Cluster, carnet: Carnet, times: int) -> str:
    """One pod at a time."""
    address = stage.pod_address(70)
    route = {"match": f"Host(`{HOST}`)", "services": [{"name": "rolling", "port": 80}]}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guarded"}},
        guarded.made("v1", "Service", "rolling", {"ports": [{"name": "http", "port": 80}]}),
        guarded.made("traefik.io/v1alpha1", "IngressRoute", "rolling", {"routes": [route]}),
    )
    _start(cluster, carnet, address, 0)
    carnet.gateway(cluster)
    guarded.until(HOST, "/", 200)
    seen: Counter[int] = Counter()
    ended = threading.Event()
    threads = [threading.Thread(target=_ask, args=(seen, ended)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, times + 1):
            _start(cluster, carnet, address, number)
            cluster.apply(_slice(address, number - 1, {"ready": False, "serving": True, "terminating": True}))
            time.sleep(NOTICE)
            carnet.stop(f"pod{number - 1}")
            cluster.kubectl("delete", "endpointslice", f"rolling-{number - 1}", "-n", "guarded")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    lost = sum(seen.values()) - seen[200]
    assert not lost, f"requests are lost: {dict(seen)}"
    return f"{times} pods replaced, {seen[200]} requests, none lost"


def _start(cluster: Cluster, carnet: Carnet, address: str, number: int) -> None:
    port = FIRST_PORT + number
    carnet.start(f"pod{number}", ["whoami", "--port", str(port)], ready=f"http://{address}:{port}/health")
    cluster.apply(_slice(address, number, {"ready": True}))


def _slice(address: str, number: int, conditions: dict[str, bool]) -> dict[str, object]:
    made = pods.endpoint_slice("guarded", "rolling", address, {"http": FIRST_PORT + number}, suffix=str(number))
    made["endpoints"] = [{"addresses": [address], "conditions": conditions}]
    return made


def _ask(seen: Counter[int], ended: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    while not ended.is_set():
        try:
            connection.request("GET", "/", headers={"Host": HOST})
            answer = connection.getresponse()
            answer.read()
            seen[answer.status] += 1
        except (OSError, http.client.HTTPException):
            seen[0] += 1
            connection.close()
