"""`prepare`: writes an array store from a folder of recordings, and pictures of what it left out."""

import contextlib
import difflib
import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecglipse import __version__
from ecglipse.commands._pictures import Seen, page_beside, write_pictures
from ecglipse.commands._progress import with_bar
from ecglipse.commands._sentences import count_sentences, form_sentences, reading_sentences
from ecglipse.commands._workers import cores, in_order
from ecglipse.errors import Busy, ConfigError, CorpusError, RecordError, StoreError

if TYPE_CHECKING:
    from ecglipse.commands._form import Form
    from ecglipse.corpora import Entry
    from ecglipse.records.reading import Reading
    from ecglipse.store import Packed, StoreWriter

_LONGEST = 500
"""Letters of a reject's message that are kept."""

_FEW = 512
"""Recordings for which a second process is not worth its start."""

_SHARD_RECORDS = 4096
"""Records in a shard: what is lost at most when a preparation is killed, and what memory holds."""

_PATIENCE_S = 0.2
"""Time between two looks at a store that another process writes, s."""

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
        guessed: what was concluded from files that do not say all.
        pictures: a page beside the store that shows some of what was left out or flagged, if anything was.
    """

    store: Path
    n_records: int
    rejects: dict[str, int]
    seconds: float
    digest: str
    existed: bool = False
    guessed: tuple[str, ...] = ()
    pictures: Path | None = None


def prepare(
    source: Path,
    store: Path,
    *,
    corpus: str | None = None,
    form: "Form | None" = None,
    reading: "Reading | None" = None,
    without: Sequence[str] = (),
    limit: int | None = None,
    replace: bool = False,
    workers: int | None = None,
    progress: bool = True,
) -> Prepared:
    """Turn a folder of recordings into an array store; it appears whole or not at all.

    A recording that cannot be used is left out and listed with its reason. Asked again for a store that is
    there, of recordings of the same names and in the same form, the verb changes nothing; asked again after
    it was stopped, it goes on after the last shard that was finished. Several at once take turns.

    Args:
        source: folder of recordings.
        store: folder to write.
        corpus: name of the corpus; by default found out from the folder.
        form: rate, length, leads, windows, filters and limits of the store.
        reading: what the files of a folder of your own do not say: unit, rate, leads, dataset; the unit of
            some corpora.
        without: ids of recordings that are not taken, such as copies that `ecglipse leaks` found.
        limit: take only the first so many recordings.
        replace: write over a store that is there.
        workers: processes that read; by default one per core, and this one for few recordings. The store
            does not depend on it.
        progress: show a bar on stderr, where that is a terminal.

    Raises:
        CorpusError: if the folder is not of a corpus, or has no recordings.
        ConfigError: if an option is out of its range.
        StoreError: if another store is there, no recording can be used, or the disk fails.
    """
    from ecglipse import corpora
    from ecglipse.commands._form import Form
    from ecglipse.records.reading import Reading
    from ecglipse.store import StoreWriter

    began = time.monotonic()
    form = form or Form()
    for name, count in {"limit": limit, "workers": workers}.items():
        if count is not None and count < 1:
            raise ConfigError(f"--{name} must be >= 1; got {count}")
    found = corpora.get(corpus) if corpus is not None else corpora.detect(source)
    if reading is not None and reading != Reading():
        if found.read_as is None:
            options = "--unit, --source-fs, --source-leads, --dataset"
            raise ConfigError(
                f"{options} are for your own folders; {source} is {found.name!r}",
                hint="leave them out, or give `--corpus own`",
            )
        found = found.read_as(reading)
    entries = _but(list(found.entries(source)), without, source)[:limit]
    if not entries:
        raise CorpusError(f"{source}: no recordings of corpus {found.name!r}")
    names = [entry.record_id for entry in entries]
    guessed = tuple(found.guesses(source)) if found.guesses is not None else ()
    writer = StoreWriter(
        store,
        corpus=found.name,
        fs=form.fs,
        duration_s=form.duration_s,
        leads=form.leads,
        vocabulary=found.vocabulary(source),
        processing=reading_sentences(reading) + form_sentences(form),
        shard_records=_SHARD_RECORDS,
        key=_key(found.name, source, form, reading, names),
    )
    with contextlib.ExitStack() as stack:
        while True:
            if not replace and store.exists() and any(store.iterdir() if store.is_dir() else [store]):
                return _already(store, found.name, form, writer.processing, names, began)
            try:
                stack.enter_context(writer)
                break
            except Busy:
                time.sleep(_PATIENCE_S)
        seen = _take_all(writer, entries, form, source=source, workers=workers, progress=progress)
        writer.processing += count_sentences(writer, form)
        try:
            manifest = writer.commit()
        except StoreError:
            if writer.n_records == 0:
                write_pictures(store, seen, entries, form)
            raise
        pictures = write_pictures(store, seen, entries, form)
    seconds = time.monotonic() - began
    rejects = dict(manifest.rejects)
    return Prepared(
        store, manifest.n_records, rejects, seconds, manifest.digest, guessed=guessed, pictures=pictures
    )


def _but(entries: "list[Entry]", without: Sequence[str], source: Path) -> "list[Entry]":
    """The recordings but for some.

    Raises:
        ConfigError: if there is none of such an id.
    """
    there = {entry.record_id for entry in entries}
    strange = [name for name in without if name not in there]
    if strange:
        near = difflib.get_close_matches(strange[0], there, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"--without: {source} has no recording {strange[0]!r}{meant}")
    return [entry for entry in entries if entry.record_id not in set(without)]


def _key(corpus: str, source: Path, form: "Form", reading: "Reading | None", names: Sequence[str]) -> str:
    """Name the work: the same recordings, of the same folder, brought to the same form by this version."""
    what = [__version__, corpus, str(source.resolve()), repr(form), repr(reading), *names]
    return hashlib.sha256("\x1f".join(what).encode()).hexdigest()[:16]


def _take_all(
    writer: "StoreWriter",
    entries: Sequence["Entry"],
    form: "Form",
    *,
    source: Path,
    workers: int | None,
    progress: bool,
) -> Seen:
    """Store or reject every recording that the writer does not have yet; say what was odd."""
    numbers = range(writer.entries_done, len(entries))
    count = workers or (cores() if len(numbers) >= _FEW else 1)
    results = in_order(
        _read, numbers, workers=count, setup=_set_up, arguments=(entries, form, writer.scale_mv, source)
    )
    seen = Seen()
    shown = with_bar(results, done=numbers.start, total=len(entries), progress=progress)
    for number, result in zip(numbers, shown, strict=True):
        seen.note(number, result)
        if isinstance(result, tuple):
            writer.reject(*result)
        else:
            writer.put(result)
    return seen


_task: "tuple[Sequence[Entry], Form, float, Path]"
"""What `_read` works on; set in each process by `_set_up`."""


def _set_up(entries: "Sequence[Entry]", form: "Form", scale_mv: float, source: Path) -> None:
    global _task
    _task = (entries, form, scale_mv, source)


def _read(numbers: range) -> "list[list[Packed] | tuple[str, str, str]]":
    """Read recordings and pack their windows; a bad one gives its id, reason and message."""
    from ecglipse.commands._fit import fit
    from ecglipse.store.packing import pack

    entries, form, scale_mv, source = _task
    results: list[list[Packed] | tuple[str, str, str]] = []
    for number in numbers:
        entry = entries[number]
        try:
            windows = fit(entry.load(), form)
            results.append(
                [
                    pack(w, leads=form.leads, fs=form.fs, n_samples=form.n_samples, scale_mv=scale_mv)
                    for w in windows
                ]
            )
        except RecordError as error:
            results.append((entry.record_id, error.reason, _without_paths(error.message, source)))
        except Exception as error:  # a reader's fault must not stop the others; it is listed with its type
            message = f"{type(error).__name__}: {error}"
            results.append((entry.record_id, "unreadable", _without_paths(message, source)))
    return results


def _without_paths(message: str, source: Path) -> str:
    """A message with files named from the source's folder on, and other folders left out."""
    for folder in (str(source.resolve()), str(source.absolute()), str(source)):
        if folder not in ("/", "."):
            message = message.replace(f"{folder}/", "")
    return re.sub(r"(?<![\w.])/(?:[^/\s'\"`:]+/)+", "", message)[:_LONGEST]


def _already(
    store: Path, corpus: str, form: "Form", processing: Sequence[str], names: Sequence[str], began: float
) -> Prepared:
    """Give the store that is there, if it is what was asked for.

    Raises:
        StoreError: if it is not; says what differs.
    """
    from ecglipse.store import Store

    there = Store.open(store)
    manifest = there.manifest
    wanted = {
        "corpus": corpus,
        "fs": float(form.fs),
        "duration_s": float(form.duration_s),
        "leads": form.leads,
    }
    for name, value in wanted.items():
        if (has := getattr(manifest, name)) != value:
            raise StoreError(f"{store}: a store is there whose {name} is {has}, not {value}", hint=_ANOTHER)
    done = manifest.processing[: len(processing)]
    if done != tuple(processing):
        raise StoreError(
            f"{store}: a store is there that was treated otherwise: {'; '.join(done)}", hint=_ANOTHER
        )
    known = set(there.table["record_id"]) | {line["record_id"] for line in there.rejects}
    asked = set(names)
    if known != asked:
        differ = f"{len(known - asked)} recordings are only there, {len(asked - known)} only in the source"
        raise StoreError(f"{store}: a store of other recordings is there: {differ}", hint=_ANOTHER)
    seconds = time.monotonic() - began
    pictures = page_beside(store) if page_beside(store).is_file() else None
    return Prepared(
        store, len(there), dict(manifest.rejects), seconds, there.digest, existed=True, pictures=pictures
    )
