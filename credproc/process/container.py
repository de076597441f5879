"""Whether this process is in a container, whose users may share their numbers with those of the machine."""

import os
from collections.abc import Mapping

_MARKS = (".dockerenv", "run/.containerenv")  # Docker, Podman
_SYSTEMD = "run/systemd/container"  # what systemd found at its start
_NAMESPACE = "proc/self/ns/pid"
_INITIAL_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO of Linux
_RELEASE = "proc/sys/kernel/osrelease"
_VARIABLES = ("container", "KUBERNETES_SERVICE_HOST")  # systemd-nspawn, LXC and Podman; Kubernetes


def is_container(environ: Mapping[str, str], root: str = "/") -> bool:
    """Return whether this process is in a container; ``root`` is the root directory.

    A distribution of WSL is none, although its processes are in a namespace of their own.
    """
    if any(os.path.lexists(os.path.join(root, mark)) for mark in _MARKS) or any(map(environ.get, _VARIABLES)):
        return True
    manager = _text(os.path.join(root, _SYSTEMD)).strip()
    if manager not in ("", "wsl"):
        return True
    if "microsoft" in _text(os.path.join(root, _RELEASE)).lower():
        return False
    try:
        return os.readlink(os.path.join(root, _NAMESPACE)) != _INITIAL_NAMESPACE
    except OSError:  # no /proc, as in a chroot
        return True


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""
