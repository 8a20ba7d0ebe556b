"""PhysioNet/CinC Challenges 2020 and 2021: WFDB headers with age, sex and SNOMED CT diagnoses. Reads."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, headers
from ecglipse.corpora.wfdb_folder import entries
from ecglipse.errors import RecordError
from ecglipse.records.record import Record
from ecglipse.records.wfdb import read_header

SCORED: dict[str, tuple[str, str]] = {
    "164889003": ("AF", "atrial fibrillation"),
    "164890007": ("AFL", "atrial flutter"),
    "6374002": ("BBB", "bundle branch block"),
    "426627000": ("Brady", "bradycardia"),
    "733534002": ("CLBBB", "complete left bundle branch block"),
    "164909002": ("LBBB", "left bundle branch block"),
    "713427006": ("CRBBB", "complete right bundle branch block"),
    "59118001": ("RBBB", "right bundle branch block"),
    "270492004": ("IAVB", "1st degree AV block"),
    "713426002": ("IRBBB", "incomplete right bundle branch block"),
    "39732003": ("LAD", "left axis deviation"),
    "445118002": ("LAnFB", "left anterior fascicular block"),
    "251146004": ("LQRSV", "low QRS voltages"),
    "698252002": ("NSIVCB", "nonspecific intraventricular conduction disorder"),
    "426783006": ("NSR", "sinus rhythm"),
    "284470004": ("PAC", "premature atrial contraction"),
    "63593006": ("SVPB", "supraventricular premature beats"),
    "10370003": ("PR", "pacing rhythm"),
    "365413008": ("PRWP", "poor R wave progression"),
    "427172004": ("PVC", "premature ventricular contractions"),
    "17338001": ("VPB", "ventricular premature beats"),
    "164947007": ("LPR", "prolonged PR interval"),
    "111975006": ("LQT", "prolonged QT interval"),
    "164917005": ("QAb", "Q wave abnormal"),
    "47665007": ("RAD", "right axis deviation"),
    "427393009": ("SA", "sinus arrhythmia"),
    "426177001": ("SB", "sinus bradycardia"),
    "427084000": ("STach", "sinus tachycardia"),
    "164934002": ("TAb", "T wave abnormal"),
    "59931005": ("TInv", "T wave inversion"),
}
"""SNOMED CT codes scored in Challenge 2021 (Reyna et al. 2021, table of scored diagnoses), with their
abbreviations. Four pairs count as one there: CLBBB = LBBB, CRBBB = RBBB, PAC = SVPB, PVC = VPB."""

_RHYTHMS = {"AF", "AFL", "Brady", "NSR", "PAC", "SVPB", "PR", "PVC", "VPB", "SA", "SB", "STach"}


CPSC_WORDS = {
    "Normal": "426783006",
    "AF": "164889003",
    "I-AVB": "270492004",
    "LBBB": "164909002",
    "RBBB": "59118001",
    "PAC": "284470004",
    "PVC": "164884008",
    "STD": "429622005",
    "STE": "164931005",
}
"""What some releases of CPSC 2018 write in place of SNOMED codes; its PVC is 164884008, ectopic beats."""


def _entries(folder: Path) -> list[Entry]:
    """All records of the folder, with CPSC's words as SNOMED codes."""
    return [Entry(entry.record_id, partial(_load, entry)) for entry in entries(folder)]


def _load(entry: Entry) -> Record:
    record = entry.load()
    codes = dict.fromkeys(CPSC_WORDS.get(code, code) for code in record.codes)
    return replace(record, codes=tuple(codes))


def _matches(folder: Path) -> bool:
    """Whether the first readable header has diagnoses: one damaged file must not change the corpus."""
    for path in headers(folder)[:20] if folder.is_dir() else []:
        try:
            return any(comment.startswith("Dx") for comment in read_header(path).comments)
        except RecordError:
            continue
    return False


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    return {
        code: CodeInfo(
            description=f"{name}, {text}",
            superclass=None,
            subclass=None,
            kinds=["rhythm"] if name in _RHYTHMS else ["diagnostic"],
        )
        for code, (name, text) in SCORED.items()
    }


CORPUS = Corpus(
    name="cinc",
    title="PhysioNet/Computing in Cardiology Challenges 2020 and 2021",
    licence="CC BY 4.0",
    citation="Perez Alday et al. 2020, Physiol Meas 41:124003; Reyna et al. 2021, CinC 48",
    about=(
        "43,101 (2020) and 88,253 (2021) records of several sources, 257 to 1000 Hz, 5 s to 30 min, "
        "SNOMED CT diagnoses, no patient ids. 2020 holds PTB-XL; 2021 holds Chapman-Shaoxing too: "
        "pretraining on them and testing there leaks. Six records of Ningbo's and more of others have a "
        "constant lead."
    ),
    matches=_matches,
    entries=_entries,
    vocabulary=_vocabulary,
)


def _part(name: str, title: str, citation: str, about: str) -> Corpus:
    """A source of the challenges as a corpus of its own: the same files, found by name only."""
    return replace(
        CORPUS, name=name, title=title, citation=citation, about=about, matches=lambda folder: False
    )


PARTS = (
    _part(
        "cpsc2018",
        "China Physiological Signal Challenge 2018, training set",
        "Liu et al. 2018, J Med Imaging Health Inform 8:1368",
        "6,877 records of 6 to 60 s, 500 Hz, nine classes; some releases write words in place of SNOMED "
        "codes, which are read as the codes. In the challenges 2020 and 2021 too.",
    ),
    _part(
        "georgia",
        "Georgia 12-lead ECG Challenge database (G12EC)",
        "Perez Alday et al. 2020, Physiol Meas 41:124003",
        "10,344 records of 5 or 10 s, 500 Hz, SNOMED codes, no patient ids. In the challenges 2020 and 2021 "
        "too. E07509 and E07510 are one recording (`ecglipse leaks`).",
    ),
    _part(
        "ningbo",
        "Ningbo First Hospital 12-lead database",
        "Zheng et al. 2020, Sci Rep 10:2898",
        "34,905 records of 10 s, 500 Hz, SNOMED codes. In the challenge 2021 too. Some have constant chest "
        "leads and are refused by the gate.",
    ),
)
"""Sources of the challenges that are also used alone: `ecglipse prepare FOLDER STORE --corpus georgia`."""
