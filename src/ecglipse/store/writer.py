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
from typing import Any, BinaryIO, final

import numpy as np
import pyarrow as pa
from jaxtyping import Int16

from ecglipse import __version__
from ecglipse.errors import StoreError
from ecglipse.leads import LEADS
from ecglipse.records.record import Record
from ecglipse.store import _folder, _shards, _tables
from ecglipse.store.manifest import FILE, TABLES, Manifest, ShardFile, TableFile, belongs, parse_manifest


@final
class StoreWriter:
    """Writes a store of recordings that have its rate, length and leads already.

        with StoreWriter(path, corpus="ptb-xl", fs=100.0, ...) as writer:
            for record in records:
                writer.add(record)
            writer.commit()

    All is written to a hidden folder beside `path`, which takes the place of `path` at `commit`, in one step;
    without a commit, or on any error, it is removed and what was at `path` stays. Memory holds one shard and
    its rows. Folder and files are for their owner alone.

    Args:
        path: folder of the store; a store that is there is replaced at `commit`.
        corpus: name of the corpus.
        fs: samples per second, Hz.
        duration_s: length of every record, s.
        vocabulary: what the codes mean, see docs/architecture.md.
        processing: sentences: what was done to the signals; `self.processing` may be added to until `commit`.
        shard_records: records in each shard but the last.
        scale_mv: millivolts a unit, the same for all leads.

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
        shard_records: int = 4096,
        scale_mv: float = 0.001,
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
        self.fs, self.duration_s, self.n_samples = float(fs), float(duration_s), round(fs * duration_s)
        self.scale_mv = float(scale_mv)
        self.vocabulary = {code: dict(meaning) for code, meaning in vocabulary.items()}
        self.processing = list(processing)
        self.n_records = 0
        self.rejects: dict[str, int] = {}
        self._shard_records = shard_records
        self._stack = ExitStack()
        self._entered = False

    def __enter__(self) -> "StoreWriter":
        with self._disk():
            self._place = self.path.resolve()
            self._replaces = _replaceable(self._place, self.path)
            self._place.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._folder = self._stack.enter_context(_folder.partial_folder(self._place))
            except FileExistsError:
                raise StoreError(
                    f"{self.path}: is being written already", hint="wait for it to end"
                ) from None
        self._units: Int16[np.ndarray, "shard 12 time"] = np.empty(
            (self._shard_records, len(LEADS), self.n_samples), dtype="<i2"
        )  # pages are taken as records come
        self._held = 0
        self._shards: list[ShardFile] = []
        self._rows: list[dict[str, Any]] = []
        self._wave_rows: list[dict[str, Any]] = []
        self._tables: dict[str, _tables.TableWriter] = {}
        self._rejects_file: BinaryIO | None = None
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        self._stack.close()

    def add(self, record: Record) -> None:
        """Store a record as the next row.

        Args:
            record: at the store's rate and length, its leads in the order of `LEADS`. Its patient id is kept
                as it is: give a keyed hash, as corpora do (`corpora.corpus.hashed_patient`).

        Raises:
            RecordError: reason "amplitude" if a value does not fit in 16 bits, "not-finite" if one is no
                number; the record is then not stored, and others may follow.
            ValueError: if the record has another rate, length or lead order.
        """
        self._check_entered()
        wanted = (len(LEADS), self.n_samples)
        if record.fs != self.fs or record.leads != LEADS or record.signal.shape != wanted:
            found = f"{record.fs} Hz, {record.signal.shape}, {record.leads}"
            raise ValueError(
                f"`record` must have {self.fs} Hz, shape {wanted} and the leads of LEADS; got {found}"
            )
        self._units[self._held] = _shards.to_units(record.signal, self.scale_mv, record_id=record.record_id)
        self._rows.append(_tables.record_row(record))
        self._wave_rows += _tables.wave_rows(self.n_records, record)
        self._held += 1
        self.n_records += 1
        if self._held == self._shard_records:
            self._write_shard()

    def reject(self, record_id: str, reason: str, message: str) -> None:
        """Count a recording that is left out, and list it in `rejects.jsonl`.

        Args:
            record_id: the source's name of the recording.
            reason: a short stable word, as `RecordError.reason`.
            message: what was wrong, without the machine's paths.
        """
        self._check_entered()
        line = json.dumps({"record_id": record_id, "reason": reason, "message": message}, ensure_ascii=False)
        with self._disk():
            if self._rejects_file is None:
                file = os.fdopen(_folder.open_new(self._folder / "rejects.jsonl"), "wb")
                self._rejects_file = self._stack.enter_context(file)
            self._rejects_file.write(line.encode(errors="replace") + b"\n")
        self.rejects[reason] = self.rejects.get(reason, 0) + 1

    def commit(self) -> Manifest:
        """Finish the store and put it in its place; the writer cannot be used afterwards.

        Raises:
            StoreError: if no record was stored, or if something came to be at `path` meanwhile.
        """
        self._check_entered()
        if self.n_records == 0:
            counts = ", ".join(f"{count} {reason}" for reason, count in sorted(self.rejects.items()))
            raise StoreError(
                f"{self.path}: no record to store; rejected: {counts or 'none'}",
                hint="look at one of the recordings with `ecglipse show FILE.hea`",
            )
        if self._held:
            self._write_shard()
        with self._disk():
            manifest = self._write_manifest(self._finish_tables())
            for entry in manifest.files:
                if (self._folder / entry.file).stat().st_size != entry.bytes:
                    raise StoreError(f"{self.path}: {entry.file} was changed while the store was written")
            if _replaceable(self._place, self.path) and not self._replaces:
                raise StoreError(f"{self.path}: another store appeared there meanwhile")
            _folder.put(self._folder, self._place)
        self._entered = False
        return manifest

    def _write_shard(self) -> None:
        """Write the held records as a shard, and their rows as a row group of each table."""
        name = f"signals-{len(self._shards):05d}.npy"
        with self._disk():
            shard = _shards.write_shard(self._folder / name, self._units[: self._held])
            self._append("records.parquet", _tables.RECORDS, self._rows)
            if self._wave_rows:
                self._append("waves.parquet", _tables.WAVES, self._wave_rows)
        self._shards.append(shard)
        self._rows, self._wave_rows, self._held = [], [], 0

    def _append(self, name: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> None:
        if name not in self._tables:
            self._tables[name] = _tables.TableWriter(self._folder / name, schema)
            self._stack.callback(self._tables[name].abandon)
        self._tables[name].append(rows)

    def _finish_tables(self) -> tuple[TableFile, ...]:
        for table in self._tables.values():
            table.close()
        if self._rejects_file is not None:
            self._rejects_file.flush()
            os.fsync(self._rejects_file.fileno())
        paths = [path for name in TABLES if (path := self._folder / name).exists()]
        return tuple(TableFile(path.name, path.stat().st_size, _folder.sha256_of(path)) for path in paths)

    def _write_manifest(self, tables: tuple[TableFile, ...]) -> Manifest:
        text = Manifest(
            corpus=self.corpus,
            fs=self.fs,
            duration_s=self.duration_s,
            n_samples=self.n_samples,
            leads=LEADS,
            scale_mv=(self.scale_mv,) * len(LEADS),
            n_records=self.n_records,
            shards=tuple(self._shards),
            tables=tables,
            vocabulary=self.vocabulary,
            processing=tuple(self.processing),
            rejects=dict(sorted(self.rejects.items())),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            ecglipse=__version__,
        ).text()
        manifest = parse_manifest(json.loads(text), where=FILE)
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


def _replaceable(place: Path, shown: Path) -> bool:
    """Whether a store is there; an empty folder counts as nothing.

    Raises:
        StoreError: if something is there that is not a store, which must not be removed.
    """
    if not place.exists():
        return False
    names = sorted(entry.name for entry in place.iterdir()) if place.is_dir() else [place.name]
    foreign = [name for name in names if not place.is_dir() or not belongs(name) or (place / name).is_dir()]
    if foreign:
        raise StoreError(f"{shown}: holds `{foreign[0]}`, which no store has", hint="choose another folder")
    return bool(names)
