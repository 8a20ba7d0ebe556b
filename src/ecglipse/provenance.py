"""Reads git and the processor's facts: what made a result, without naming a host, a user or a path."""

import copy
import functools
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import ecglipse

_DISTRIBUTIONS = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "torch": "torch"}
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def provenance() -> dict[str, Any]:
    """Say which code, on which versions and hardware, is running; it never fails, and loads no library.

    Returns:
        `ecglipse` its version; `commit` of the checkout that the package lies in, with "+" if the package
        was changed since; if it lies in none (a container, a copy), $ECGLIPSE_COMMIT or None; `python`;
        `versions` of numpy, scipy, sklearn and torch (None: not installed); `platform`; `hardware`: `cpu` its
        model, `cores` that this process may use, `threads` the variables that limit numerical libraries.
        Read once a process; the dict is the caller's.
    """
    return copy.deepcopy(_read())


@functools.cache
def _read() -> dict[str, Any]:
    return {
        "ecglipse": ecglipse.__version__,
        "commit": _commit(Path(__file__).resolve().parent) or os.environ.get("ECGLIPSE_COMMIT"),
        "python": platform.python_version(),
        "versions": {name: _version(distribution) for name, distribution in _DISTRIBUTIONS.items()},
        "platform": f"{platform.system()} {platform.machine()}".strip(),
        "hardware": {
            "cpu": _cpu(),
            "cores": _cores(),
            "threads": {name: os.environ.get(name) for name in _THREADS},
        },
    }


def _commit(package: Path) -> str | None:
    """Commit of the checkout that tracks the package; another project's checkout around it does not count."""
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    head = _git(package, "rev-parse", "HEAD")
    if not head:
        return None
    changed = _git(package, "status", "--porcelain", "--", ".")
    return head if changed == "" else f"{head}+"


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None if it fails, is not there, or takes too long."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str | None:
    """The processor's model, as the system names it."""
    try:
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or None
    for line in facts.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or None


def _cores() -> int | None:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()
