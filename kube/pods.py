"""Processes in place of pods: what controllers of a cluster would write about them, written by the
tests."""

from __future__ import annotations

from cluster import Cluster


def endpoint_slice(
    namespace: str, service: str, address: str, ports: dict[str, int], suffix: str = "1", ready: bool = True
) -> dict[str, object]:
    """The ports of a Service, by their names, are served at this address."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-{suffix}",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": ready}}],
        "ports": [{"name": name, "port": port} for name, port in ports.items()],
    }


def ready_pod(cluster: Cluster, namespace: str, name: str, labels: dict[str, str], address: str) -> None:
    """A Pod that kubelet says is ready, for `kubectl wait`."""
    cluster.apply({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": name, "image": "a-process-of-this-test"}]},
    })
    status = '{"status": {"phase": "Running", "podIP": "%s", "conditions": [{"type": "Ready", "status": "True"}]}}'
    patch = ["patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", status % address]
    cluster.kubectl(*patch)
