"""`report`: writes the page and the tables of a study; see `ecglipse.report.page`."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecglipse.report.page import Written


def report(folder: Path, *, out: Path | None = None, without_floors: bool = False) -> "Written":
    """Write `report.html`, `results.csv`, `.md` and `.tex`, more tables and two figures of a study so far.

    Args:
        folder: of the study.
        out: a folder for the files, or the page's own path, ending in .html; by default `folder`.
        without_floors: rank the methods even where floors are missing; the page says so.

    Raises:
        LedgerError: if the study or its ledger is missing or damaged.
        EcglipseError: if the files cannot be written.
    """
    from ecglipse.report.page import write_report

    return write_report(folder, out, without_floors=without_floors)
