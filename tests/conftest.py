"""Fixtures for all tests: where the real recordings lie, if they lie anywhere."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pack() -> Path:
    """The folder of real recordings: $ECGLIPSE_DATA, or `shared/data` beside the checkout; skips if absent."""
    named = os.environ.get("ECGLIPSE_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not (folder / "ptbxl" / "ptbxl_database.csv").is_file():
        pytest.skip(f"no real recordings at `{folder}`; set ECGLIPSE_DATA to test on them")
    return folder
