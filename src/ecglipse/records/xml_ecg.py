"""Reads an XML recording by whichever of the known roots it has."""

from pathlib import Path

from ecglipse.errors import RecordError
from ecglipse.records.aecg import read_aecg
from ecglipse.records.muse import read_muse
from ecglipse.records.record import Record
from ecglipse.records.xml_tree import read_tree

_READERS = {"RestingECG": read_muse, "AnnotatedECG": read_aecg}


def read_xml(path: Path) -> Record:
    """Read a GE MUSE or HL7 aECG file.

    Raises:
        RecordError: as the readers do; reason "format" for any other root.
    """
    root = read_tree(path)
    if root.tag not in _READERS:
        known = ", ".join(_READERS)
        raise RecordError(f"{path.name}: root {root.tag:.40} is not one of {known}", reason="format")
    return _READERS[root.tag](path, root)
