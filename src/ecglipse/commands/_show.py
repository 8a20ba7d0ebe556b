"""`show`: says what a thing is; writes one picture where it is a recording or a row of a store."""

from pathlib import Path
from typing import TYPE_CHECKING

from ecglipse.commands import _describe
from ecglipse.commands._describe import Shown as Shown

if TYPE_CHECKING:
    import numpy as np

_OTHERS = (".edf", ".dcm", ".xml", ".scp", ".npz")
"""Endings of recordings that say all of themselves, beside `.hea`."""


def show(thing: str, *, out: Path | None = None, row: int | None = None) -> Shown:
    """Describe a recording, store, run, study, config or corpus.

    Args:
        thing: path of a recording's file (.hea, .edf, .dcm, .xml, .scp, .npz), of a store's, run's or study's
            folder, or of a TOML file; or the name of a corpus, or "corpora" for a list of them.
        out: where to write the picture; NAME.png in the current folder by default.
        row: row of a store to draw; none is drawn by default.

    Raises:
        EcglipseError: if it is none of these, or is damaged.
    """
    path = Path(thing)
    header = path if path.suffix == ".hea" else Path(f"{thing}.hea")
    if header == path or header.is_file():
        return _recording(header, out)
    if path.is_file() and path.suffix.lower() in _OTHERS:
        return _recording(path, out)
    if thing == "corpora" and not path.exists():
        return _describe.corpora()
    if path.suffix == ".toml":
        return _describe.config(path)
    if path.is_dir():
        for name, describe in (("study.json", _describe.study), ("config.json", _describe.run)):
            if (path / name).is_file():
                return describe(path)
        if (path / "manifest.json").is_file():
            return _describe.store(path, out=out, row=row)
    return _describe.corpus(thing)


def _read(path: Path) -> "tuple[np.ndarray, float, tuple[str, ...], tuple[str, ...]]":
    """Signal in mV, rate, leads and comments of a recording's file."""
    ending = path.suffix.lower()
    if ending == ".hea":
        from ecglipse.records.wfdb import read_wfdb

        found = read_wfdb(path)
        return found.signal, float(found.fs), found.leads, found.comments
    from ecglipse.records.arrays import read_array
    from ecglipse.records.dicom import read_dicom
    from ecglipse.records.edf import read_edf
    from ecglipse.records.reading import Reading
    from ecglipse.records.scp import read_scp
    from ecglipse.records.xml_ecg import read_xml

    readers = {".edf": read_edf, ".dcm": read_dicom, ".xml": read_xml, ".scp": read_scp}
    record = readers[ending](path) if ending in readers else read_array(path, Reading())
    return record.signal, record.fs, record.leads, ()


def _recording(path: Path, out: Path | None) -> Shown:
    import numpy as np

    signal, fs, leads, comments = _read(path)
    ranges: dict[str, dict[str, float | int | None]] = {}
    for lead, trace in zip(leads, signal, strict=True):
        finite = trace[np.isfinite(trace)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
        ranges[lead] = {"low_mv": low, "high_mv": high, "undefined": int(trace.size - finite.size)}
    picture = Path(f"{path.stem}.png") if out is None else out
    said = _describe.draw(signal, fs, leads, title=path.stem, path=picture)
    seconds = signal.shape[1] / fs
    head = _describe.lines_of(
        {
            "recording": path,
            "leads": f"{len(leads)}: {', '.join(leads)}",
            "rate": f"{fs:g} Hz",
            "length": f"{seconds:g} s, {signal.shape[1]} samples",
            "comments": "; ".join(str(c) for c in comments),
        }
    )
    table = ["lead    lowest mV  highest mV"]
    for lead, r in ranges.items():
        numbers = (
            "       n/a         n/a" if r["low_mv"] is None else f"{r['low_mv']:10.3f}  {r['high_mv']:10.3f}"
        )
        flat = "  flat" if r["low_mv"] is not None and r["low_mv"] == r["high_mv"] else ""
        gaps = f"  {r['undefined']} undefined samples" if r["undefined"] else ""
        table.append(f"{lead:<6} {numbers}{flat}{gaps}")
    data = {
        "kind": "recording",
        "path": str(path),
        "leads": list(leads),
        "fs": fs,
        "seconds": seconds,
        "ranges": ranges,
        "comments": [str(c) for c in comments],
        "picture": str(picture),
    }
    return Shown("\n".join([head, "", *table, "", said]), picture, data)
