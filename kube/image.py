"""The file system of the image, and programs in it as a container runtime would start them: a root that
cannot be written to, a user that is not root, no capabilities, no new privileges, and no system call but
those of `deploy/seccomp/carnet.json`, with death for any other."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import struct
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
PROFILE = ROOT / "deploy" / "seccomp" / "carnet.json"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
# What the programs may write to.
DATA = "/data"
# From the kernel's headers: linux/prctl.h, linux/seccomp.h, linux/audit.h, linux/capability.h.
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 24, 38, 2
KILL, ALLOW = 0x80000000, 0x7FFF0000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LAST_CAPABILITY = 40


class Image:
    """A root for programs of one folder, which is shown to them read-only at its own path."""

    def __init__(self, program: str, folder: Path, shown: list[Path]) -> None:
        self.root = folder / "root"
        binaries = self.root / "usr" / "bin"
        for path in (binaries, self.root / DATA[1:], self.root / "proc", self.root / "etc", self.root / "dev"):
            path.mkdir(parents=True)
        (binaries / "carnet").touch()
        for name in _links():
            (binaries / name).symlink_to("carnet")
        for library in _libraries(program):
            target = self.root / library[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(library).read_bytes())
            target.chmod(0o755)
        for path in shown:
            (self.root / str(path)[1:]).mkdir(parents=True, exist_ok=True)
        for name in ("hosts", "resolv.conf"):
            (self.root / "etc" / name).touch()
        # Distroless has the authorities of the web.
        authorities = self.root / AUTHORITIES[1:]
        authorities.parent.mkdir(parents=True)
        authorities.write_bytes(Path(AUTHORITIES).read_bytes())
        (self.root / "dev" / "null").touch()
        self._mount(program, shown)
        self.filter = allowing(PROFILE)

    def _mount(self, program: str, shown: list[Path]) -> None:
        mounts = [("/etc/hosts", "/etc/hosts"), ("/etc/resolv.conf", "/etc/resolv.conf"), ("/dev/null", "/dev/null")]
        mounts += [(program, "/usr/bin/carnet"), *((str(path), str(path)) for path in shown)]
        _run("mount", "--bind", str(self.root), str(self.root))
        for source, target in mounts:
            _run("mount", "--bind", source, f"{self.root}{target}")
            if source != "/dev/null":
                _run("mount", "-o", "remount,bind,ro", f"{self.root}{target}")
        _run("mount", "-t", "tmpfs", "-o", "size=64m,mode=1777", "data", f"{self.root}{DATA}")
        _run("mount", "-t", "proc", "proc", f"{self.root}/proc")
        _run("mount", "-o", "remount,bind,ro", str(self.root))

    def close(self) -> None:
        """Leaves the folders as they were, to be removed."""
        _run("umount", "--recursive", "--lazy", str(self.root))

    def enter(self, user: int) -> None:
        """What a runtime does between fork and exec."""
        os.chroot(self.root)
        os.chdir(DATA)
        for capability in range(LAST_CAPABILITY + 1):
            _prctl(PR_CAPBSET_DROP, capability)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        confine(self.filter)


def _links() -> list[str]:
    """The names that the Containerfile links to the program."""
    found = re.search(r"for name in ([a-z -]+); do ln -s carnet", CONTAINERFILE.read_text(encoding="utf-8"))
    assert found, "the Containerfile makes links"
    return found[1].split()


def _libraries(program: str) -> list[str]:
    """Those of distroless/cc, as this machine has them."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


def allowed(profile: Path) -> list[str]:
    """Names of system calls, and how the profile deals with all others."""
    read = json.loads(profile.read_text(encoding="utf-8"))
    assert read["defaultAction"] == "SCMP_ACT_ERRNO", "others are refused"
    assert [rule["action"] for rule in read["syscalls"]] == ["SCMP_ACT_ALLOW"]
    return read["syscalls"][0]["names"]


def allowing(profile: Path) -> bytes:
    """A filter in the kernel's form: the calls of the profile, and death for any other."""
    numbers = _numbers()
    known = [numbers[name] for name in allowed(profile) if name in numbers]
    lines = [(0x20, 0, 0, 4), (0x15, 1, 0, ARCHITECTURES[platform.machine()]), (0x06, 0, 0, KILL), (0x20, 0, 0, 0)]
    for number in known:
        lines += [(0x15, 0, 1, number), (0x06, 0, 0, ALLOW)]
    lines.append((0x06, 0, 0, KILL))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _numbers() -> dict[str, int]:
    """Of this machine's architecture."""
    include = "#include <asm/unistd.h>\n"
    said = subprocess.run(["cc", "-E", "-dM", "-"], input=include, capture_output=True, text=True, check=True).stdout
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", said)}


def confine(program: bytes) -> None:
    """This process and its children, for good."""
    code = ctypes.create_string_buffer(program, len(program))
    form = struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(form, len(form)))


_LIBC = ctypes.CDLL(None, use_errno=True)


def _prctl(what: int, *arguments: object) -> None:
    if _LIBC.prctl(what, *arguments, *[0] * (4 - len(arguments))):
        raise OSError(ctypes.get_errno(), f"prctl {what}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
