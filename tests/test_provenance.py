"""Provenance names code, versions and hardware; never a host, a user or a path; and it never fails."""

import getpass
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ecglipse
from ecglipse import provenance as module
from ecglipse.provenance import provenance


def git(folder: Path, *arguments: str) -> None:
    own = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package, committed, in a checkout of its own."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "src" / "thing"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "m")
    return folder


def test_versions_are_those_that_run() -> None:
    found = provenance()
    assert found["ecglipse"] == ecglipse.__version__
    assert found["python"] == platform.python_version()
    assert found["versions"]["numpy"] == np.__version__
    assert set(found["versions"]) == {"numpy", "scipy", "sklearn", "torch"}
    assert found["hardware"]["cores"] >= 1
    assert found["commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", found["commit"])


def test_it_names_no_host_user_or_path() -> None:
    text = json.dumps(provenance())
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text
    words = set(re.split(r"[^\w.-]+", text))
    assert getpass.getuser() not in words
    assert platform.node() not in words
    for path in ("/home", "/usr", "/tmp"):
        assert path not in text


def test_a_change_by_the_caller_stays_with_the_caller() -> None:
    provenance()["hardware"]["threads"]["OMP_NUM_THREADS"] = "999"
    assert provenance()["hardware"]["threads"]["OMP_NUM_THREADS"] != "999"


def test_it_loads_no_library() -> None:
    program = (
        "import sys; from ecglipse.provenance import provenance; provenance();"
        "print([m for m in ('numpy', 'scipy', 'sklearn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_commit_has_a_plus_when_the_package_was_changed(package: Path) -> None:
    clean = module._commit(package)
    assert clean is not None
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (package.parents[1] / "results.txt").write_text("beside the package")
    assert module._commit(package) == clean
    (package / "new.py").write_text("")
    assert module._commit(package) == f"{clean}+"
    (package / "new.py").unlink()
    (package / "__init__.py").write_text("changed")
    assert module._commit(package) == f"{clean}+"


def test_another_projects_checkout_does_not_count(package: Path) -> None:
    installed = package.parents[1] / ".venv" / "thing"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert module._commit(installed) is None
    assert module._commit(package) is not None


def test_git_of_the_environment_is_not_asked(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = module._commit(package)
    monkeypatch.setenv("GIT_DIR", os.devnull)
    assert module._commit(package) == here


@pytest.mark.parametrize("problem", [FileNotFoundError("git"), subprocess.TimeoutExpired("git", 10)])
def test_without_git_there_is_no_commit_and_no_error(
    package: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(module.subprocess, "run", fail)
    assert module._commit(package) is None


def test_what_is_not_installed_has_no_version() -> None:
    assert module._version("no-such-distribution") is None
    assert module._version("numpy") == np.__version__


def test_a_copy_without_a_checkout_has_the_commit_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_commit", lambda _: None)
    monkeypatch.setenv("ECGLIPSE_COMMIT", "a" * 40)
    assert module._read.__wrapped__()["commit"] == "a" * 40
    monkeypatch.setattr(module, "_commit", lambda _: "b" * 40)
    assert module._read.__wrapped__()["commit"] == "b" * 40
