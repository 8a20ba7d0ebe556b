"""Corpora: where recordings come from, one file each; `detect` tells them apart by what a folder holds."""

import difflib
from pathlib import Path

from ecglipse.corpora import (
    chapman,
    cinc,
    cinc2011,
    code15,
    ludb,
    mimic,
    own,
    ptbxl,
    samitrop,
    wfdb_folder,
)
from ecglipse.corpora.corpus import CodeInfo as CodeInfo
from ecglipse.corpora.corpus import Corpus as Corpus
from ecglipse.corpora.corpus import Entry as Entry
from ecglipse.errors import CorpusError

_MODULES = (ptbxl, ludb, cinc2011, chapman, mimic, code15, samitrop, cinc, wfdb_folder, own)
CORPORA: dict[str, Corpus] = {
    corpus.name: corpus for corpus in (*(module.CORPUS for module in _MODULES), *cinc.PARTS)
}
"""All corpora by name, in the order in which a folder is held against them."""


def get(name: str) -> Corpus:
    """Give a corpus by name.

    Raises:
        CorpusError: if there is none of that name; a near miss is suggested.
    """
    if name not in CORPORA:
        near = difflib.get_close_matches(name, CORPORA, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise CorpusError(f"no corpus {name!r}{meant}", hint=f"corpora are {', '.join(CORPORA)}")
    return CORPORA[name]


def detect(folder: Path) -> Corpus:
    """Find out which corpus a folder holds.

    Raises:
        CorpusError: if the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder}: no such folder", hint="give the folder that holds the recordings")
    for corpus in CORPORA.values():
        if corpus.matches(folder):
            return corpus
    raise CorpusError(
        f"{folder}: no recordings found",
        hint="looked for `ptbxl_database.csv`, `ludb.csv`, `exams.csv`, CinC 2011's array, `.hea`, "
        "`.csv`, `.tsv`, "
        "`.parquet`, `.npy`, `.npz`, `.h5`, `.hdf5`, `.edf`, `.dcm`, `.scp` and `.xml` files",
    )
