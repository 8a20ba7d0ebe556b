"""`Fetching`: what of an archive is still to come, and bringing it, a few files at once. Network, disk."""

import json
import os
import shutil
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from pathlib import Path, PurePosixPath

from ecglipse.errors import FetchError
from ecglipse.fetch.archives import Archive
from ecglipse.fetch.download import Line, Stopping, digest_of, download, small
from ecglipse.fetch.listing import LARGEST_LISTING, Listed, listing, listing_url

JOURNAL = ".ecglipse-fetched.jsonl"
_RECORD_ENDINGS = (".hea", ".dat", ".mat", ".atr", ".xml")
_SAMPLED = 12


class Fetching:
    """A corpus on its way to a folder.

    Args:
        archive: what.
        folder: where to.
        base: another address to fetch it from: a mirror, or this machine.
        rate: Hz; only this rate of a corpus that has several.
        limit_records: only the first so many recordings, with all other files.
        check: hold files that are there against their digests, and not only their sizes.
        line: how to speak to the server; by default the archive's hosts, with patience.
    """

    def __init__(
        self,
        archive: Archive,
        folder: Path,
        *,
        base: str | None = None,
        rate: int | None = None,
        limit_records: int | None = None,
        check: bool = False,
        line: Line | None = None,
    ) -> None:
        if base is not None:
            archive = Archive(**(vars(archive) | {"base": base}))
        host = urllib.parse.urlsplit(archive.base).hostname or ""
        self.archive, self.folder = archive, folder
        self.line = line or Line(hosts=(host, *archive.hosts))
        self.stop = threading.Event()
        content = small(listing_url(archive), self.line, most=LARGEST_LISTING)
        self.files = _chosen(listing(archive, content), archive, rate=rate, limit_records=limit_records)
        known = _journal(folder)
        self.missing = [entry for entry in self.files if not self._there(entry, known, check=check)]

    def _there(self, entry: Listed, known: dict[str, int], *, check: bool) -> bool:
        place = self.folder / entry.path
        try:
            size = place.lstat().st_size
        except OSError:
            return False
        if place.is_symlink() or not place.is_file():
            raise FetchError(f"{place}: is there and is not a plain file", hint="move it away")
        if not check and known.get(entry.path) == size:
            return True
        return digest_of(place, entry.algorithm) == entry.digest

    @cached_property
    def estimate(self) -> int | None:
        """Bytes that are still to come: stated, or from the sizes of a dozen files; None if unknown."""
        if not self.missing:
            return 0
        if all(entry.size is not None for entry in self.missing):
            return sum(entry.size or 0 for entry in self.missing)
        step = max(len(self.missing) // _SAMPLED, 1)
        sizes = [size for entry in self.missing[::step][:_SAMPLED] if (size := self._size(entry)) is not None]
        return round(sum(sizes) / len(sizes) * len(self.missing)) if sizes else None

    def _size(self, entry: Listed) -> int | None:
        try:
            with self.line.open(entry.url, {}, method="HEAD") as answer:
                stated = answer.headers.get("Content-Length")
        except (OSError, FetchError):
            return None
        return int(stated) if stated and stated.isdigit() else None

    def run(self, *, connections: int = 4) -> Iterator[tuple[str, int, str]]:
        """Bring the missing files; gives (path, bytes, "") for each, or (path, 0, problem).

        Raises:
            FetchError: if the disk is full or the folder cannot be written.
        """
        self._check_room()
        gone: dict[Future[int], Listed] = {}
        left = iter(self.missing)
        with ThreadPoolExecutor(connections) as pool:
            try:
                while True:
                    while len(gone) < 2 * connections and (entry := next(left, None)) is not None:
                        gone[pool.submit(self._one, entry)] = entry
                    if not gone:
                        return
                    for future in wait(gone, return_when=FIRST_COMPLETED).done:
                        entry = gone.pop(future)
                        yield self._result(entry, future)
            finally:
                self.stop.set()
                for future in gone:
                    future.cancel()

    def _result(self, entry: Listed, future: "Future[int]") -> tuple[str, int, str]:
        try:
            size = future.result()
        except FetchError as error:
            if "cannot be written" in error.message:
                raise
            return entry.path, 0, error.message
        except Stopping:
            return entry.path, 0, "stopped"
        line = json.dumps({"path": entry.path, "size": size, "digest": entry.digest})
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        return entry.path, size, ""

    def _one(self, entry: Listed) -> int:
        place = self.folder / entry.path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.parent.resolve().is_relative_to(self.folder.resolve()):
            raise FetchError(f"{place.parent}: cannot be written: leads out of the folder")
        return download(entry, place, self.line, stop=self.stop, on_bytes=lambda _: None)

    def _check_room(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise FetchError(f"{self.folder}: cannot be written: {error.strerror}") from None
        if not os.access(self.folder, os.W_OK):
            raise FetchError(f"{self.folder}: cannot be written: no permission")
        needed = self.estimate
        if needed is not None and needed > free:
            raise FetchError(
                f"{self.folder}: about {needed / 1e9:.1f} GB are to come, {free / 1e9:.1f} GB are free",
                hint="make room, or fetch less with `--rate` or `--limit-records`",
            )


def _journal(folder: Path) -> dict[str, int]:
    """Sizes of the files that were brought here and held against their digests."""
    known: dict[str, int] = {}
    try:
        lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return known
    for line in lines:
        try:
            entry = json.loads(line)
            known[str(entry["path"])] = int(entry["size"])
        except (ValueError, KeyError, TypeError):
            continue
    return known


def _chosen(
    files: Sequence[Listed], archive: Archive, *, rate: int | None, limit_records: int | None
) -> list[Listed]:
    """The files that were asked for."""
    kept = list(files)
    if rate is not None:
        folders = dict(archive.rates)
        if rate not in folders:
            have = ", ".join(f"{hz}" for hz in folders) or "one rate only"
            raise FetchError(f"{archive.name}: no rate {rate} Hz to be fetched apart; it has {have}")
        others = tuple(folder for hz, folder in archive.rates if hz != rate)
        kept = [entry for entry in kept if not entry.path.startswith(others)]
    if limit_records is not None:
        if limit_records < 1:
            raise FetchError(f"--limit-records must be >= 1; got {limit_records}")
        records = list(dict.fromkeys(_record(entry) for entry in kept if entry.path.endswith(".hea")))
        first = set(records[:limit_records])
        kept = [
            entry
            for entry in kept
            if PurePosixPath(entry.path).suffix not in _RECORD_ENDINGS or _record(entry) in first
        ]
    return kept


def _record(entry: Listed) -> str:
    return str(PurePosixPath(entry.path).with_suffix(""))
