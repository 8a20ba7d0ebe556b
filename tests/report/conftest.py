"""Fixtures of the report's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dummy_study import Make, write_study
from wide_study import wide_summary

from ecglipse.report.summary import Summary


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """The ledger flushes every cell to the disk, which a test that ends here and now has no use for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda file: None)
        yield


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a study into a folder of its own; see `dummy_study.write_study`."""
    made = iter(range(1000))
    return lambda **wishes: write_study(tmp_path / f"study{next(made)}", **wishes)


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """A study that is hard to set in tables; see `wide_study`."""
    return wide_summary(tmp_path_factory.mktemp("wide") / "study")
