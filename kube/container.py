"""The tutorial in containers: every program in the file system of the image, as the manifests ask for it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import image
import tutorial
from carnet import Carnet
from cluster import Cluster

# The user that the tutorial's manifests name, and ours; MiB of memory that a program may take.
USERS = {"hydra": 65534, "consent": 65534, "whoami": 65534}
OUR_USER = 65532
LIMITS = {"hydra": 392, "consent": 64, "gateway": 512}
# The programs that images of these names begin with; they stand before the arguments otherwise.
LINKS = {"hydra": "hydra", "consent": "hail-hydra", "whoami": "whoami"}
# Calls by which one leaves a container, or looks into another.
FORBIDDEN = {
    "bpf", "chroot", "init_module", "kexec_load", "keyctl", "mount", "open_by_handle_at", "perf_event_open",
    "pivot_root", "process_vm_writev", "ptrace", "reboot", "setns", "setuid", "swapon", "umount2", "unshare",
    "userfaultfd",
}


class Contained(Carnet):
    """Starts programs as a container runtime would."""

    def __init__(self, program: str, folder: Path) -> None:
        super().__init__(program, folder)
        self.files = folder / "shown"
        self.files.mkdir(parents=True)
        self.image = image.Image(program, folder, [self.files])

    def __exit__(self, *problem: object) -> None:
        super().__exit__(*problem)
        self.image.close()

    def begun(self, name: str, command: list[str]) -> dict[str, object]:
        link = LINKS.get(name, "carnet")
        arguments = command[1:] if command[0] == name and name != "hydra" and name in LINKS else command
        user = USERS.get(name, OUR_USER)
        return {"args": [f"/usr/bin/{link}", *arguments], "preexec_fn": lambda: self.image.enter(user)}

    def following(self, cluster: Cluster, name: str, static: str) -> tuple[list[str], dict[str, str]]:
        self.authority = cluster.folder / "api" / "kube-api.crt"
        self.written(self.authority.name, self.authority.read_text(encoding="utf-8"))
        return super().following(cluster, name, static)

    def written(self, name: str, text: str) -> Path:
        text = text.replace(str(self.authority), str(self.files / self.authority.name))
        path = super().written(name, text)
        path.chmod(0o400)
        os.chown(path, OUR_USER, OUR_USER)
        return path


# Holds OP-01, OP-02, OP-03.
def play(cluster: Cluster, carnet: Carnet) -> str:
    """Both scenes of the tutorial."""
    names = set(image.allowed(image.PROFILE))
    assert not names & FORBIDDEN, f"the profile allows {sorted(names & FORBIDDEN)}"
    with Contained(carnet.program, carnet.folder / "contained") as contained:
        _is_confined(contained)
        _hydra(contained, ["migrate", "sql", "-e", "--yes"])
        contained.gateway(cluster)
        tutorial.play(cluster, contained, tutorial.editions()[0])
        peaks = {name: _peak(contained.running[name].pid) for name in LIMITS}
        for name, limit in LIMITS.items():
            assert peaks[name] < limit, f"{name} takes {peaks[name]} MiB of {limit}"
        for name in list(contained.running):
            assert contained.stop(name) == 0, f"{name} does not end as it should"
    told = ", ".join(f"{name} {peak} MiB" for name, peak in peaks.items())
    return f"{len(names)} system calls; at most {told}"


def _hydra(contained: Contained, command: list[str]) -> None:
    """What the tutorial's init container does."""
    begun = contained.begun("hydra", command)
    done = subprocess.run(**begun, env={"DSN": "memory"}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}: {done.returncode} {done.stderr}"


def _is_confined(contained: Contained) -> None:
    """The root cannot be written to, there is no shell, no way to be root; other calls are death."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            contained.image.enter(OUR_USER)
            code = _problem()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, f"the container is open: {status}"
    child = os.fork()
    if child == 0:
        contained.image.enter(OUR_USER)
        os.setuid(OUR_USER)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS, f"a forbidden call: {status}"


def _problem() -> int:
    """0: none."""
    if os.path.exists("/bin/sh") or os.path.exists("/tmp/x") or os.getuid() != OUR_USER:
        return 2
    for path in ("/x", "/usr/bin/x", "/etc/x"):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            return 3
        except OSError:
            pass
    os.close(os.open(f"{image.DATA}/x", os.O_CREAT | os.O_WRONLY))
    return 0


def _peak(pid: int) -> int:
    """MiB of memory at most, so far."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024
