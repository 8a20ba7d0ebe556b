"""Reads wave marks from WFDB annotation files (MIT format): onset, peak and offset of P, QRS and T.

Specification: WFDB Applications Guide, annot(5). Each annotation is a 16-bit word of a 6-bit code and a
10-bit time difference, with escapes for long gaps and for attached text.
"""

import math
from pathlib import Path
from typing import Literal

from ecglipse.errors import RecordError
from ecglipse.records.plain_file import read_plain
from ecglipse.records.record import Wave

_ONSET, _OFFSET = 39, 40
_PEAKS: dict[int, Literal["P", "QRS", "T"]] = {24: "P", 1: "QRS", 27: "T"}
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
_LARGEST = 16 * 2**20


def read_waves(path: Path, *, fs: float, lead: str) -> tuple[Wave, ...]:
    """Read the waves marked in one lead, in order of time; NaN where a peak has no onset or offset.

    Every peak is a wave, and only a peak is. An onset counts when it stands before its peak, an offset when
    it stands after: in LUDB 29 of 58,423 waves have an offset, and 131 an onset, that is missing or on the
    other side of the peak.

    Args:
        path: of the annotation file, such as `data/1.ii`.
        fs: rate of the record it belongs to, Hz.
        lead: canonical name of the lead it marks.

    Raises:
        RecordError: reason "annotations" if the file ends within an annotation or goes back before its start.
    """
    content = read_plain(str(path), path.name, most=_LARGEST)
    waves: list[Wave] = []
    onset = offset = math.nan
    peak: tuple[Literal["P", "QRS", "T"], float] | None = None

    def end() -> None:
        """Keep the wave whose peak has been met, with what else is known of it."""
        nonlocal onset, offset, peak
        if peak is not None:
            waves.append(Wave(peak[0], onset, peak[1], offset, lead))
        onset, offset, peak = math.nan, math.nan, None

    for code, sample in _annotations(content, path.name):
        if code == _ONSET:
            end()
            onset = sample / fs
        elif code in _PEAKS:
            if peak is not None:
                end()
            peak = (_PEAKS[code], sample / fs)
        elif code == _OFFSET:
            offset = sample / fs
            end()
    end()
    return tuple(waves)


def _annotations(content: bytes, name: str) -> list[tuple[int, int]]:
    """Codes and sample numbers."""
    found: list[tuple[int, int]] = []
    place, time = 0, 0
    while place + 2 <= len(content):
        word = int.from_bytes(content[place : place + 2], "little")
        place += 2
        code, difference = word >> 10, word & 0x3FF
        if word == 0:
            return found
        if code == _SKIP:
            if place + 4 > len(content):
                break
            high, low = content[place : place + 2], content[place + 2 : place + 4]
            time += int.from_bytes(low + high, "little", signed=True)
            place += 4
            if time < 0:
                raise RecordError(f"{name}: a mark before the recording's start", reason="annotations")
        elif code == _AUX:
            place += difference + (difference & 1)
        elif code not in (_NUM, _SUB, _CHN):
            time += difference
            found.append((code, time))
    raise RecordError(f"{name}: ends within an annotation", reason="annotations")
