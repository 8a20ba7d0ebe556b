"""CODE-15%: 345,779 exams of the Telehealth Network of Minas Gerais, 18 HDF5 files and a table. Reads."""

import dataclasses
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ecglipse.corpora import telehealth
from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry
from ecglipse.corpora.telehealth import TABLE, TRACINGS, Exam
from ecglipse.errors import CorpusError, RecordError
from ecglipse.records.hdf5 import read_column, shape_of
from ecglipse.records.reading import Reading
from ecglipse.records.record import Record

PARTS = "exams_part*.hdf5"
CLASSES: dict[str, tuple[str, str]] = {
    "1dAVb": ("1st degree AV block", "diagnostic"),
    "RBBB": ("right bundle branch block", "diagnostic"),
    "LBBB": ("left bundle branch block", "diagnostic"),
    "SB": ("sinus bradycardia", "rhythm"),
    "ST": ("sinus tachycardia", "rhythm"),
    "AF": ("atrial fibrillation", "rhythm"),
    "normal_ecg": ("a normal ECG", "diagnostic"),
}
"""Columns of `exams.csv`. Source: Ribeiro et al. 2020, Nat Commun 11:1760; Zenodo 4916206."""
_FILLER = 0
"""Id of the row that ends each file and holds no exam."""


def entries(folder: Path, *, reading: Reading = Reading()) -> list[Entry]:  # noqa: B008 (frozen)
    """The exams of the files that are there, in the table's order; then tracings that no exam names.

    Raises:
        CorpusError: if the unit was not said, or the table or a file is not what it must be.
    """
    listed, left = _placed(folder)
    if reading.unit is None:
        raise telehealth.ask_for_unit(folder, listed, "code15")
    return [
        *(Entry(exam.exam_id, partial(telehealth.load, folder, exam, "code15", reading)) for exam in listed),
        *(Entry(name, partial(_refuse, name, why)) for name, why in left.items()),
    ]


def guesses(folder: Path) -> list[str]:
    """Say what was left out, and why."""
    parts = _parts(folder)
    fillers = sum(int((ids == _FILLER).sum()) for _, ids in _ids(folder))
    known = {exam.file for exam in telehealth.exams(folder / TABLE, "code15", ())}
    absent = len(known - {path.name for path in parts})
    said = [f"{fillers} filler rows (exam_id 0) left out; zeros before and after a tracing cut off"]
    return said + ([f"{absent} of the table's {len(known)} files are not here"] if absent else [])


def _placed(folder: Path) -> tuple[list[Exam], dict[str, str]]:
    """Exams with the row of their tracing, and what is left: row names and why they cannot be used."""
    places: dict[tuple[str, str], int] = {}
    left: dict[str, str] = {}
    for file, ids in _ids(folder):
        for row, exam_id in enumerate(ids.tolist()):
            if exam_id == _FILLER:
                continue
            if (file, str(exam_id)) in places:
                left[f"{Path(file).stem}-row{row}"] = f"exam {exam_id} is in {file} twice"
            else:
                places[file, str(exam_id)] = row
    here = {path.name for path in _parts(folder)}
    listed = []
    for exam in telehealth.exams(folder / TABLE, "code15", tuple(CLASSES)):
        if exam.file in here:
            row = places.pop((exam.file, exam.exam_id), -1)
            listed.append(dataclasses.replace(exam, row=row))
    for (file, exam_id), row in places.items():
        left[f"{Path(file).stem}-row{row}"] = f"exam {exam_id} of {file} is not in {TABLE}"
    return listed, left


def _ids(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Each file's name and its exam ids, one a tracing."""
    for path in _parts(folder):
        try:
            ids, shape = read_column(path, "exam_id"), shape_of(path, dataset=TRACINGS)
        except RecordError as error:
            raise CorpusError(f"{folder}: {error.message}", hint="fetch the file again") from None
        if ids is None or len(shape) != 3 or len(ids) != shape[0] or shape[2] != 12:
            count = "no" if ids is None else len(ids)
            raise CorpusError(
                f"{path}: {count} exam ids and tracings of shape {shape}, (n, 4096, 12) expected"
            )
        yield path.name, ids


def _parts(folder: Path) -> list[Path]:
    """The HDF5 files, by number.

    Raises:
        CorpusError: if none is there.
    """
    found = sorted(folder.glob(PARTS), key=lambda path: (len(path.name), path.name))
    if not found:
        packed = any(folder.glob("exams_part*.zip"))
        hint = "unpack its zip files in place" if packed else "`ecglipse fetch code15 FOLDER` brings them"
        raise CorpusError(f"{folder}: no {PARTS}", hint=hint)
    return found


def _refuse(name: str, why: str) -> Record:
    raise RecordError(f"{name}: {why}", reason="labels")


def _matches(folder: Path) -> bool:
    has_files = any(True for ending in ("hdf5", "zip") for _ in folder.glob(f"exams_part*.{ending}"))
    return (folder / TABLE).is_file() and has_files


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    return {
        f"code15:{code}": CodeInfo(description=text, superclass=None, subclass=None, kinds=[kind])
        for code, (text, kind) in CLASSES.items()
    }


def _read_as(reading: Reading) -> Corpus:
    said = telehealth.only_unit(reading, "code15")
    return dataclasses.replace(CORPUS, entries=partial(entries, reading=said))


CORPUS = Corpus(
    name="code15",
    title="CODE-15%, Telehealth Network of Minas Gerais, Brazil (Zenodo 4916206)",
    licence="CC BY 4.0",
    citation="Ribeiro et al. 2021, Zenodo 4916206; Ribeiro et al. 2020, Nat Commun 11:1760; "
    "Lima et al. 2021, Nat Commun 12:5117",
    about=(
        "345,779 exams of 233,770 patients, 400 Hz, six abnormalities and normal ECGs; AF means atrial "
        "fibrillation. The unit is documented as 1e-4 V, meant as mV by its authors, and measured to be near "
        "0.5 mV by users: `--unit` must say it. Tracings are filled with zeros to 4096 samples; they are "
        "cut off, and about 60 % are then 7.3 s long: `--duration-s 7`, or `--short pad`. The last row of a "
        "file is a filler (exam_id 0); some exams are all zeros or the same as another. nn_predicted_age "
        "(a model's output) and follow-up (death, timey) are not taken. SaMi-Trop is from the same network."
    ),
    matches=_matches,
    entries=entries,
    vocabulary=_vocabulary,
    guesses=guesses,
    read_as=_read_as,
)
