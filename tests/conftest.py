"""Fixtures for all tests: the real recordings, if they lie anywhere; a simulated store; a tiny study."""

import os
from pathlib import Path
from typing import Any

import pytest

import checks

checks.install()  # before anything of the package is imported


@pytest.fixture(scope="session")
def pack() -> Path:
    """The real recordings: $ECGLIPSE_DATA, or `shared/data` beside the checkout; skips if absent."""
    named = os.environ.get("ECGLIPSE_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not (folder / "ptbxl" / "ptbxl_database.csv").is_file():
        pytest.skip(f"no real recordings at `{folder}`; set ECGLIPSE_DATA to test on them")
    return folder


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 160 simulated records, 80 patients."""
    from ecglipse.commands._demo import write_simulated_store

    path = tmp_path_factory.mktemp("stores") / "simulated"
    write_simulated_store(path, 160, seed=3)
    return path


@pytest.fixture
def tiny(simulated: Path, tmp_path: Path) -> dict[str, Any]:
    """The plain values of a config that runs in seconds on the simulated store; writes below `tmp_path`."""
    return {
        "name": "tiny",
        "store": str(simulated),
        "out": str(tmp_path / "study"),
        "split": {"kind": "patients"},
        "encoder": {"width": 8, "dim": 16, "projection_hidden": 32, "projection_dim": 16},
        "mask_network": {"width": 8},
        "pretrain": {"epochs": 3, "batch": 16, "checkpoint_every_s": 1e-6},
        "methods": {
            "random-init": {"kind": "init"},
            "scratch": {"kind": "scratch"},
            "simclr": {},
            "random-per-lead": {"masks": "random", "leads": "per-lead"},
            "3kg": {"views": "3kg"},
            "adversarial-per-lead": {"masks": "adversarial", "leads": "per-lead"},
        },
        "transfer": {
            "tasks": ["sex", "rhythm"],
            "fractions": [0.25, 1.0],
            "draws": 2,
            "probes": ["linear", "knn", "finetune"],
            "finetune_draws": 1,
            "finetune_epochs": 1,
        },
        "study": {"workers": 1, "baselines": ["simclr", "3kg"], "gallery": 2, "replicates": 50},
    }
