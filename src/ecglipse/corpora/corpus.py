"""What a corpus is: a way to find recordings in a folder, and what one should know of them."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ecglipse.errors import CorpusError
from ecglipse.records.reading import Reading
from ecglipse.records.record import Record


class CodeInfo(TypedDict):
    """What a code means."""

    description: str
    superclass: str | None
    subclass: str | None
    kinds: list[str]
    """Of "diagnostic", "form", "rhythm"."""


@dataclass(frozen=True)
class Entry:
    """One recording that a corpus knows of and has not read yet.

    Args:
        record_id: the source's own name.
        load: reads it; raises RecordError if it cannot be used.
    """

    record_id: str
    load: Callable[[], Record]


@dataclass(frozen=True)
class Corpus:
    """A corpus that `prepare` can read.

    Args:
        name: as on the command line.
        title: in full.
        licence: of the recordings.
        citation: to be given when they are used.
        about: what it holds, and its traps.
        matches: whether a folder is of this corpus; looks at names, and at a few headers at most.
        entries: all recordings of a folder, in a fixed order.
        vocabulary: meaning of the corpus' codes.
        guesses: sentences about what was concluded from the files, where they do not say all.
        read_as: the corpus with what the user says of its files, where they do not say all.
    """

    name: str
    title: str
    licence: str
    citation: str
    about: str
    matches: Callable[[Path], bool]
    entries: Callable[[Path], list[Entry]]
    vocabulary: Callable[[Path], dict[str, CodeInfo]]
    guesses: Callable[[Path], list[str]] | None = None
    read_as: "Callable[[Reading], Corpus] | None" = None


def hashed_patient(source: str, patient: str) -> str:
    """Give the id under which a patient is stored: equal for equal persons, and naming nobody.

    A keyed hash: set `ECGLIPSE_ID_KEY` to a secret of your own, so that nobody who knows the ids of a corpus
    can find a person by hashing them all.
    """
    key = os.environ.get("ECGLIPSE_ID_KEY", "").encode()[:64]
    return hashlib.blake2b(f"{source}\x1f{patient}".encode(), digest_size=8, key=key).hexdigest()


def headers(folder: Path) -> list[Path]:
    """All `.hea` files of a folder and its sub-folders, in order of their paths; links are not followed.

    Raises:
        CorpusError: if a sub-folder cannot be listed: its recordings would be left out in silence.
    """

    def stop(error: OSError) -> None:
        raise CorpusError(f"{error.filename}: cannot be listed ({error.strerror})") from None

    return sorted(
        Path(place) / name
        for place, _, names in os.walk(folder, onerror=stop)
        for name in names
        if name.endswith(".hea") and not name.startswith(".")
    )
