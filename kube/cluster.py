"""A cluster without machines: an API server over etcd, and kubectl."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from install import Tools

API, ETCD, PEERS = 6443, 2379, 2380
# Nobody checks who serves: it is this very process's child.
UNCHECKED = ssl._create_unverified_context()  # noqa: S323


class Cluster:
    """Started and ended with the `with` block; its API server may be killed in between."""

    def __init__(self, tools: Tools, folder: Path) -> None:
        self.tools, self.folder = tools, folder
        self.kubeconfig = folder / "api" / "kubeconfig"
        self.etcd: subprocess.Popen[bytes] | None = None
        self.api: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Cluster:
        (self.folder / "api").mkdir(parents=True)
        tokens = 'limited-token,system:serviceaccount:edge:carnet,2,"system:serviceaccounts"\n'
        (self.folder / "tokens.csv").write_text(tokens, encoding="utf-8")
        client, peers = f"http://127.0.0.1:{ETCD}", f"http://127.0.0.1:{PEERS}"
        self.etcd = self._start("etcd", [
            str(self.tools.etcd), "--data-dir", str(self.folder / "etcd"),
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
            "--initial-cluster", f"default={peers}", "--unsafe-no-fsync",
        ])
        try:
            self.start_api()
        except SystemExit:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.api, self.etcd):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(timeout=20)

    def start_api(self) -> None:
        """The API server, with whatever etcd still has."""
        self.api = self._start("api-server", [
            str(self.tools.api_server), "-dir", str(self.folder / "api"),
            "-etcd", f"http://127.0.0.1:{ETCD}", "-port", str(API),
            "-tokens", str(self.folder / "tokens.csv"),
        ])
        until = time.monotonic() + 60
        while time.monotonic() < until and self.api.poll() is None:
            try:
                if self.get("/readyz") == b"ok":
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit("error: the API server does not start:\n" + (self.folder / "api-server.log").read_text()[-2000:])

    def kill_api(self) -> None:
        """Without a farewell."""
        assert self.api is not None
        self.api.kill()
        self.api.wait(timeout=20)

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(f"https://127.0.0.1:{API}{path}")
        request.add_header("Authorization", "Bearer admin-token")
        with urllib.request.urlopen(request, timeout=5, context=UNCHECKED) as answer:
            return answer.read()

    def kubectl(self, *arguments: str, given: str | None = None, token: str | None = None) -> str:
        """What kubectl prints; it must not fail."""
        done = self.try_kubectl(*arguments, given=given, token=token)
        if done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def try_kubectl(
        self, *arguments: str, given: str | None = None, token: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [str(self.tools.kubectl), *arguments]
        if token is not None:
            where = f"https://127.0.0.1:{API}"
            command += ["--server", where, "--insecure-skip-tls-verify", "--token", token]
        config = os.devnull if token is not None else str(self.kubeconfig)
        environment = {**os.environ, "KUBECONFIG": config, "HOME": str(self.folder)}
        return subprocess.run(
            command, input=given, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def apply(self, *objects: dict[str, object]) -> str:
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        return self.kubectl("apply", "-f", "-", given=json.dumps(listed))

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")}
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**environment, "HOME": str(self.folder)}, cwd=self.folder,
            )
