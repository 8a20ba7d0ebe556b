"""`prepare`: writes an array store from a folder of recordings."""

import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ecglipse.errors import CorpusError, RecordError, StoreError

if TYPE_CHECKING:
    from ecglipse.corpora import Entry
    from ecglipse.records.record import Record
    from ecglipse.store import StoreWriter

_LONGEST = 500
"""Letters of a reject's message that are kept."""

_ANOTHER = "rerun with `--replace` to write over it, or choose another folder"


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made.

    Args:
        store: its folder.
        n_records: stored.
        rejects: recordings left out, by reason; `rejects.jsonl` in the store lists them.
        seconds: it took.
        digest: names the store's content.
        existed: the same store was there already and was left as it is.
    """

    store: Path
    n_records: int
    rejects: dict[str, int]
    seconds: float
    digest: str
    existed: bool = False


def prepare(
    source: Path,
    store: Path,
    *,
    corpus: str | None = None,
    fs: float = 100.0,
    duration_s: float = 10.0,
    limit: int | None = None,
    replace: bool = False,
    progress: bool = True,
) -> Prepared:
    """Turn a folder of recordings into an array store; it appears whole or not at all.

    A recording that cannot be used is left out and listed with its reason. Asked again for a store that is
    there, of recordings of the same names, the verb changes nothing.

    Args:
        source: folder of recordings.
        store: folder to write.
        corpus: name of the corpus; by default found out from the folder.
        fs: sampling rate of the store, Hz.
        duration_s: length of every stored record, s; longer ones give their middle.
        limit: take only the first so many recordings.
        replace: write over a store that is there.
        progress: show a bar on stderr, where that is a terminal.

    Raises:
        CorpusError: if the folder is not of a corpus, or has no recordings.
        StoreError: if another store is there, no recording can be used, or the disk fails.
    """
    from ecglipse import corpora
    from ecglipse.store import StoreWriter

    began = time.monotonic()
    _check_options(fs, duration_s, limit)
    found = corpora.get(corpus) if corpus is not None else corpora.detect(source)
    entries = list(found.entries(source))[:limit]
    if not entries:
        raise CorpusError(f"{source}: no recordings of corpus {found.name!r}")
    if store.exists() and not replace and any(store.iterdir() if store.is_dir() else [store]):
        return _already(store, (found.name, float(fs), float(duration_s)), entries, began)
    tally = _Tally(fs, duration_s)
    writer = StoreWriter(
        store,
        corpus=found.name,
        fs=fs,
        duration_s=duration_s,
        vocabulary=found.vocabulary(source),
        processing=[],
    )
    with writer:
        for entry in _shown(entries, progress=progress):
            _take(entry, writer, tally, source)
        writer.processing += tally.sentences(writer.scale_mv)
        manifest = writer.commit()
    seconds = time.monotonic() - began
    return Prepared(store, manifest.n_records, dict(manifest.rejects), seconds, manifest.digest)


def _check_options(fs: float, duration_s: float, limit: int | None) -> None:
    for name, value in {"fs": fs, "duration-s": duration_s}.items():
        if not (value > 0 and math.isfinite(value)):
            raise StoreError(f"--{name} must be > 0; got {value}")
    if round(fs * duration_s) < 1:
        raise StoreError(f"--fs {fs:g} Hz and --duration-s {duration_s:g} s give records without a sample")
    if limit is not None and limit < 1:
        raise StoreError(f"--limit must be >= 1; got {limit}")


@dataclass
class _Tally:
    """Counts what was done to the recordings that were stored."""

    fs: float
    duration_s: float
    rates: Counter[float] = field(default_factory=Counter)
    cut: int = 0

    def count(self, record: "Record") -> None:
        self.rates[record.fs] += 1
        self.cut += record.signal.shape[1] > math.ceil(round(self.duration_s * record.fs, 6))

    def sentences(self, scale_mv: float) -> list[str]:
        """Say it, for the manifest."""
        n = sum(self.rates.values())
        said = [f"twelve leads put in order in {n} records"]
        if self.cut:
            said.append(f"middle {self.duration_s:g} s taken of {self.cut} longer records")
        for rate, count in sorted(self.rates.items()):
            same = rate == self.fs
            what = f"kept at {rate:g} Hz" if same else f"resampled from {rate:g} Hz to {self.fs:g} Hz"
            said.append(f"{what}: {count} records")
        return [*said, f"rounded to units of {scale_mv:g} mV"]


def _take(entry: "Entry", writer: "StoreWriter", tally: _Tally, source: Path) -> None:
    """Store one recording or list it as rejected; only a failure to write goes further."""
    from ecglipse.commands._fit import fit

    try:
        record = entry.load()
        fitted = fit(record, fs=writer.fs, duration_s=writer.duration_s)
    except RecordError as error:
        writer.reject(entry.record_id, error.reason, _without_paths(error.message, source))
        return
    except Exception as error:  # a reader's fault must not stop the others; it is listed with its type
        message = f"{type(error).__name__}: {error}"
        writer.reject(entry.record_id, "unreadable", _without_paths(message, source))
        return
    try:
        writer.add(fitted)
    except RecordError as error:
        writer.reject(entry.record_id, error.reason, error.message)
        return
    tally.count(record)


def _without_paths(message: str, source: Path) -> str:
    """A message with files named from the source's folder on, and other folders left out."""
    for folder in (str(source.resolve()), str(source.absolute()), str(source)):
        if folder not in ("/", "."):
            message = message.replace(f"{folder}/", "")
    return re.sub(r"(?<![\w.])/(?:[^/\s'\"`:]+/)+", "", message)[:_LONGEST]


def _already(
    store: Path, wanted: tuple[str, float, float], entries: Sequence["Entry"], began: float
) -> Prepared:
    """Give the store that is there, if it is what was asked for.

    Raises:
        StoreError: if it is not; says what differs.
    """
    from ecglipse.store import Store

    there = Store.open(store)
    manifest = there.manifest
    has = (manifest.corpus, manifest.fs, manifest.duration_s)
    for name, one, other in zip(("corpus", "fs", "duration_s"), has, wanted, strict=True):
        if one != other:
            raise StoreError(f"{store}: a store is there whose {name} is {one}, not {other}", hint=_ANOTHER)
    known = Counter(there.table["record_id"])
    known.update(line["record_id"] for line in there.rejects)
    asked = Counter(entry.record_id for entry in entries)
    if known != asked:
        gone, new = (known - asked).total(), (asked - known).total()
        differ = f"{gone} recordings are only there, {new} only in the source"
        raise StoreError(f"{store}: a store of other recordings is there: {differ}", hint=_ANOTHER)
    seconds = time.monotonic() - began
    return Prepared(store, len(there), dict(manifest.rejects), seconds, there.digest, existed=True)


def _shown(entries: Sequence["Entry"], *, progress: bool) -> Iterator["Entry"]:
    """Go through the entries; with a bar, a speed and the time left where stderr is a terminal."""
    if not (progress and sys.stderr.isatty()):
        yield from entries
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.0f} records/s")

    columns = BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(entries)
