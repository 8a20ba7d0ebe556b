"""PhysioNet/CinC Challenge 2011, set-a: 1,000 recordings graded by quality, as one array. Reads."""

from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, hashed_patient
from ecglipse.errors import CorpusError, RecordError
from ecglipse.leads import canonical
from ecglipse.records.record import Record

FILE = "set_a_12lead_500hz_uV_int16.npz"
FS = 500.0


def _matches(folder: Path) -> bool:
    return (folder / FILE).is_file()


def _entries(folder: Path) -> list[Entry]:
    try:
        with (folder / FILE).open("rb") as file:  # opened here: NumPy leaves it open if it is no archive
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            x, names = archive["x"], [str(name) for name in archive["record"]]
            leads = tuple(canonical(str(name)) for name in archive["leads"])
            grade = archive["quality_group"] if "quality_group" in archive.files else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, RecordError) as error:
        raise CorpusError(f"{folder / FILE}: not the array of set-a ({error})") from None
    if x.dtype != np.int16 or x.ndim != 3 or x.shape[::2] != (len(names), len(leads)):
        raise CorpusError(f"{folder / FILE}: x is {x.dtype} {x.shape}, int16 (record, time, lead) expected")
    if grade is not None and grade.shape != (len(names),):
        raise CorpusError(f"{folder / FILE}: {grade.shape} grades for {len(names)} records")
    grades = ["" if grade is None else str(grade[index]) for index in range(len(names))]
    return [
        Entry(name, partial(_load, x, index, name, leads, grades[index])) for index, name in enumerate(names)
    ]


def _load(x: np.ndarray, index: int, name: str, leads: tuple[str, ...], grade: str) -> Record:
    return Record(
        signal=np.ascontiguousarray(x[index].T, dtype=np.float32) / np.float32(1000),
        fs=FS,
        leads=leads,
        record_id=name,
        patient_id=hashed_patient("cinc2011", name),
        source="cinc2011",
        codes=(f"quality:{grade}",) if grade else (),
    )


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    return {}


CORPUS = Corpus(
    name="cinc2011",
    title="PhysioNet/Computing in Cardiology Challenge 2011, set-a",
    licence="ODC-By 1.0",
    citation="Silva et al. 2011, CinC 38:273",
    about=(
        "1,000 records, 10 s, 500 Hz, 12 leads, without diagnoses: for pretraining and for measuring a "
        "quality gate (773 acceptable, 225 not, 2 ungraded). Read from one array of the published "
        "integers in microvolts."
    ),
    matches=_matches,
    entries=_entries,
    vocabulary=_vocabulary,
)
