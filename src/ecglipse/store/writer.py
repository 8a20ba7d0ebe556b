"""`StoreWriter`: writes an array store, whole or not at all. Touches the disk."""

import errno
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, final

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int16

from ecglipse import __version__
from ecglipse.errors import Busy, StoreError
from ecglipse.leads import LEADS
from ecglipse.records.record import Record
from ecglipse.store import _folder, _journal, _shards, _tables
from ecglipse.store.manifest import FILE, TABLES, Manifest, TableFile, parse_manifest, replaceable
from ecglipse.store.packing import Packed, Window, pack

REJECTS = "rejects.jsonl"


@final
class StoreWriter:
    """Writes a store of recordings that have its rate, length and leads already.

        with StoreWriter(path, corpus="ptb-xl", fs=100.0, ...) as writer:
            for record in records:
                writer.add(record)
            writer.commit()

    All is written to a hidden folder beside `path`, which takes the place of `path` at `commit`, in one step;
    without a commit, or on any error, it is removed and what was at `path` stays. With a `key`, the finished
    shards of a writer that was stopped stay, and the next writer of the same key goes on after
    `entries_done`. Memory holds one shard and its rows. Folder and files are for their owner alone.

    Args:
        path: folder of the store; a store that is there is replaced at `commit`.
        corpus: name of the corpus.
        fs: samples per second, Hz.
        duration_s: length of every record, s.
        vocabulary: what the codes mean, see docs/architecture.md.
        processing: sentences: what was done to the signals; `self.processing` may be added to until `commit`.
        leads: names, in the order of the signals.
        shard_records: records in each shard but the last.
        scale_mv: millivolts a unit, the same for all leads.
        key: names the work: equal only where the same recordings come in the same order, treated equally.

    Raises:
        ValueError: if a number is not positive.
        StoreError: on entering, if there is something else at `path` or another writes there; and from every
            method, if the disk fails or is full.
    """

    def __init__(
        self,
        path: Path,
        *,
        corpus: str,
        fs: float,
        duration_s: float,
        vocabulary: Mapping[str, Mapping[str, Any]],
        processing: Sequence[str],
        leads: tuple[str, ...] = LEADS,
        shard_records: int = 4096,
        scale_mv: float = 0.001,
        key: str | None = None,
    ) -> None:
        for name, value in {"fs": fs, "duration_s": duration_s, "scale_mv": scale_mv}.items():
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"`{name}` must be > 0; got {value}")
        if shard_records < 1:
            raise ValueError(f"`shard_records` must be >= 1; got {shard_records}")
        if round(fs * duration_s) < 1:
            raise ValueError(f"`fs` * `duration_s` must be >= 1 sample; got {fs} Hz * {duration_s} s")
        self.path = path
        self.corpus = corpus
        self.leads = leads
        self.fs, self.duration_s, self.n_samples = float(fs), float(duration_s), round(fs * duration_s)
        self.scale_mv = float(scale_mv)
        self.vocabulary = {code: dict(meaning) for code, meaning in vocabulary.items()}
        self.processing = list(processing)
        self.n_records = 0
        self.rejects: dict[str, int] = {}
        self._shard_records = shard_records
        self._key = key
        self._stack = ExitStack()
        self._entered = False

    def __enter__(self) -> "StoreWriter":
        with self._disk():
            self._place = self.path.resolve()
            self._replaces = replaceable(self._place, self.path)
            self._place.parent.mkdir(parents=True, exist_ok=True)
            try:
                held = _folder.partial_folder(self._place, key=self._key, keep=_journal.FILE)
                self._folder = self._stack.enter_context(held)
            except FileExistsError:
                raise Busy(f"{self.path}: is being written already", hint="wait for it to end") from None
            self._go_on()
        self._units: Int16[np.ndarray, "shard lead time"] = np.empty(
            (self._shard_records, len(self.leads), self.n_samples), dtype="<i2"
        )  # pages are taken as records come
        self._rows: list[dict[str, Any]] = []
        self._wave_rows: list[dict[str, Any]] = []
        self._entered = True
        return self

    def _go_on(self) -> None:
        """Take over what the journal vouches for; forget the rest."""
        self._done = journal = _journal.read_journal(self._folder)
        self._entries, self._skip = journal.entries, journal.windows
        self.rejects = dict(journal.rejects)
        self.n_records = sum(shard.records for shard in journal.shards)
        descriptor = os.open(self._folder / REJECTS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        self._rejects_file = os.fdopen(descriptor, "r+b")
        self._stack.enter_context(self._rejects_file)
        self._rejects_file.truncate(journal.rejects_bytes)
        self._rejects_file.seek(journal.rejects_bytes)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        self._stack.close()

    @property
    def entries_done(self) -> int:
        """Recordings that were stored or rejected, by a writer of the same key before or by this one."""
        return self._entries

    def add(self, record: Record | Window) -> None:
        """Store a recording as the next row.

        Args:
            record: at the store's rate and length, its leads in the store's order. Its patient id is kept as
                it is: give a keyed hash, as corpora do (`corpora.corpus.hashed_patient`).

        Raises:
            RecordError: reason "amplitude" if a value does not fit in 16 bits, "not-finite" if one is no
                number; the record is then not stored, and others may follow.
            ValueError: if the record has another rate, length or lead order.
        """
        window = record if isinstance(record, Window) else Window(record)
        self.put(
            [pack(window, leads=self.leads, fs=self.fs, n_samples=self.n_samples, scale_mv=self.scale_mv)]
        )

    def put(self, packed: Sequence[Packed]) -> None:
        """Store the windows of the next recording as rows; `pack` made them."""
        self._check_entered()
        for number, window in enumerate(packed, start=1):
            if number <= self._skip:
                continue
            self._units[len(self._rows)] = window.units
            self._wave_rows += [{"row": self.n_records} | wave for wave in window.waves]
            self._rows.append(window.row)
            self.n_records += 1
            if len(self._rows) == self._shard_records:
                last = number == len(packed)
                self._write_shard(self._entries + last, windows=0 if last else number)
        self._entries, self._skip = self._entries + 1, 0

    def reject(self, record_id: str, reason: str, message: str) -> None:
        """Count the next recording as left out, and list it in `rejects.jsonl`.

        Args:
            record_id: the source's name of the recording.
            reason: a short stable word, as `RecordError.reason`.
            message: what was wrong, without the machine's paths.
        """
        self._check_entered()
        line = json.dumps({"record_id": record_id, "reason": reason, "message": message}, ensure_ascii=False)
        with self._disk():
            self._rejects_file.write(line.encode(errors="replace") + b"\n")
        self.rejects[reason] = self.rejects.get(reason, 0) + 1
        self._entries += 1

    def columns(self, *names: str) -> pd.DataFrame:
        """Give columns of the table of what was stored so far, in order."""
        self._check_entered()
        with self._disk():
            return _tables.read_columns(self._parts("records"), self._rows, names)

    def commit(self) -> Manifest:
        """Finish the store and put it in its place; the writer cannot be used afterwards.

        Raises:
            StoreError: if no record was stored, or if something came to be at `path` meanwhile.
        """
        self._check_entered()
        if self.n_records == 0:
            raise self._nothing()
        if self._rows:
            self._write_shard(self._entries, windows=0)
        with self._disk():
            manifest = self._write_manifest(self._finish_tables())
            for entry in manifest.files:
                if (self._folder / entry.file).stat().st_size != entry.bytes:
                    raise StoreError(f"{self.path}: {entry.file} was changed while the store was written")
            if replaceable(self._place, self.path) and not self._replaces:
                raise StoreError(f"{self.path}: another store appeared there meanwhile")
            (self._folder / _journal.FILE).unlink()
            _folder.put(self._folder, self._place)
        self._entered = False
        return manifest

    def _nothing(self) -> StoreError:
        """Say why there is nothing to store; the list of reasons is left beside the store's place."""
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(self.rejects.items()))
        if not counts:
            return StoreError(f"{self.path}: no record to store")
        listed = self._place.with_name(f"{self._place.name}.{REJECTS}")
        with self._disk():
            self._rejects_file.flush()
            (self._folder / REJECTS).replace(listed)
        return StoreError(
            f"{self.path}: no record to store; rejected: {counts}",
            hint=f"the reason of each is in `{listed.name}` beside it",
        )

    def _write_shard(self, entries: int, *, windows: int) -> None:
        """Write the held records as a shard and its parts of the tables; then say so in the journal."""
        number, held = len(self._done.shards), len(self._rows)
        with self._disk():
            place = self._folder / f"signals-{number:05d}.npy"
            place.unlink(missing_ok=True)
            shard = _shards.write_shard(place, self._units[:held])
            _tables.write_part(self._part("records", number), self._rows, _tables.RECORDS)
            _tables.write_part(self._part("waves", number), self._wave_rows, _tables.WAVES)
            self._rejects_file.flush()
            os.fsync(self._rejects_file.fileno())
            self._done = _journal.Journal(
                [*self._done.shards, shard], entries, windows, dict(self.rejects), self._rejects_file.tell()
            )
            _journal.write_journal(self._folder, self._done)
        self._rows, self._wave_rows = [], []

    def _part(self, table: str, number: int) -> Path:
        return self._folder / f"{table}-{number:05d}.part"

    def _parts(self, table: str) -> list[Path]:
        return [self._part(table, number) for number in range(len(self._done.shards))]

    def _finish_tables(self) -> tuple[TableFile, ...]:
        """Merge the parts, remove them, and leave out tables without rows."""
        self._rejects_file.flush()
        os.fsync(self._rejects_file.fileno())
        for name, schema in {"records": _tables.RECORDS, "waves": _tables.WAVES}.items():
            _tables.merge_parts(self._parts(name), self._folder / f"{name}.parquet", schema)
        if _tables.is_empty(self._folder / "waves.parquet"):
            (self._folder / "waves.parquet").unlink()
        if not self.rejects:
            (self._folder / REJECTS).unlink()
        wanted = {*TABLES, _journal.FILE, *(shard.file for shard in self._done.shards)}
        for file in self._folder.iterdir():
            if file.name not in wanted:
                file.unlink()
        paths = [path for name in TABLES if (path := self._folder / name).exists()]
        return tuple(TableFile(path.name, path.stat().st_size, _folder.sha256_of(path)) for path in paths)

    def _write_manifest(self, tables: tuple[TableFile, ...]) -> Manifest:
        text = Manifest(
            corpus=self.corpus,
            fs=self.fs,
            duration_s=self.duration_s,
            n_samples=self.n_samples,
            leads=self.leads,
            scale_mv=(self.scale_mv,) * len(self.leads),
            n_records=self.n_records,
            shards=tuple(self._done.shards),
            tables=tables,
            vocabulary=self.vocabulary,
            processing=tuple(self.processing),
            rejects=dict(sorted(self.rejects.items())),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            ecglipse=__version__,
        ).text()
        manifest = parse_manifest(json.loads(text), where=FILE)
        (self._folder / FILE).unlink(missing_ok=True)
        _folder.write_new(self._folder / FILE, [text.encode()])
        return manifest

    def _check_entered(self) -> None:
        if not self._entered:
            raise ValueError("a StoreWriter is used within `with`, and not after `commit`")

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Say a failure of the disk as a StoreError."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            why = getattr(error, "strerror", None) or str(error)
            full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            hint = "make room and run it again" if full else None
            raise StoreError(f"{self.path}: cannot be written: {why}", hint=hint) from None
