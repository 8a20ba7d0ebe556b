"""Fixtures of the report's tests."""

from pathlib import Path

import pytest
from dummy_study import Make, write_study


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a study into a folder of its own; see `dummy_study.write_study`."""
    made = iter(range(1000))
    return lambda **wishes: write_study(tmp_path / f"study{next(made)}", **wishes)
