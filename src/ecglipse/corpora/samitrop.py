"""SaMi-Trop: 1,631 patients with chronic Chagas cardiomyopathy, one HDF5 file and a table. Reads."""

import dataclasses
from functools import partial
from pathlib import Path

from ecglipse.corpora import telehealth
from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry
from ecglipse.corpora.telehealth import TABLE, TRACINGS, Exam
from ecglipse.errors import CorpusError, RecordError
from ecglipse.records.hdf5 import read_column, shape_of
from ecglipse.records.reading import Reading

FILE = "exams.hdf5"


def entries(folder: Path, *, reading: Reading = Reading()) -> list[Entry]:  # noqa: B008 (frozen)
    """All exams of the table; the tracing of each is the row of its line, or of its id if the file has ids.

    Raises:
        CorpusError: if the unit was not said, or table and tracings do not fit together.
    """
    listed = _placed(folder)
    if reading.unit is None:
        raise telehealth.ask_for_unit(folder, listed, "samitrop")
    return [
        Entry(exam.exam_id, partial(telehealth.load, folder, exam, "samitrop", reading)) for exam in listed
    ]


def guesses(folder: Path) -> list[str]:
    """Say how tracings were found."""
    how = "by their exam_id" if read_column(folder / FILE, "exam_id") is not None else "by the order of lines"
    return [f"tracings are matched to {TABLE} {how}; zeros before and after a tracing cut off"]


def _placed(folder: Path) -> list[Exam]:
    if not (folder / FILE).is_file():
        raise CorpusError(f"{folder}: no {FILE}", hint="unpack exams.zip in place")
    listed = list(telehealth.exams(folder / TABLE, "samitrop", ("normal_ecg",)))
    try:
        ids, shape = read_column(folder / FILE, "exam_id"), shape_of(folder / FILE, dataset=TRACINGS)
    except RecordError as error:
        raise CorpusError(f"{folder}: {error.message}", hint="fetch the file again") from None
    if len(shape) != 3 or shape[2] != 12 or (ids is not None and len(ids) != shape[0]):
        raise CorpusError(f"{folder / FILE}: tracings of shape {shape}, (n, 4096, 12) expected")
    if ids is None and len(listed) != shape[0]:
        raise CorpusError(
            f"{folder}: {len(listed)} lines in {TABLE}, {shape[0]} tracings: nothing says which is which"
        )
    order = [exam.exam_id for exam in listed] if ids is None else [str(exam_id) for exam_id in ids.tolist()]
    rows = {exam_id: row for row, exam_id in enumerate(order)}
    return [dataclasses.replace(exam, file=FILE, row=rows.get(exam.exam_id, -1)) for exam in listed]


def _matches(folder: Path) -> bool:
    return (folder / TABLE).is_file() and any((folder / name).is_file() for name in (FILE, "exams.zip"))


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    about = CodeInfo(description="a normal ECG", superclass=None, subclass=None, kinds=["diagnostic"])
    return {"samitrop:normal_ecg": about}


def _read_as(reading: Reading) -> Corpus:
    said = telehealth.only_unit(reading, "samitrop")
    return dataclasses.replace(CORPUS, entries=partial(entries, reading=said))


CORPUS = Corpus(
    name="samitrop",
    title="SaMi-Trop, chronic Chagas cardiomyopathy, Brazil (Zenodo 4905618)",
    licence="CC BY 4.0",
    citation="Ribeiro et al. 2021, Zenodo 4905618; Cardoso et al. 2016, BMJ Open 6:e011181; "
    "Lima et al. 2021, Nat Commun 12:5117",
    about=(
        "1,631 exams, one a patient, 400 Hz; every patient has chronic Chagas cardiomyopathy: normal_ecg is "
        "a normal tracing of a sick patient, no healthy control. The file has no exam ids: its rows follow "
        "the lines of exams.csv, so a table that was sorted or shortened labels wrongly. The unit must be "
        "said (`--unit`), zeros before and after are cut off, as in CODE-15%, which is from the same network "
        "and may share patients. Follow-up (death, timey) is not taken."
    ),
    matches=_matches,
    entries=entries,
    vocabulary=_vocabulary,
    guesses=guesses,
    read_as=_read_as,
)
