"""`fetch`: brings a public corpus to a folder; run again it goes on, and then changes nothing."""

import difflib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecglipse.errors import FetchError

if TYPE_CHECKING:
    from ecglipse.fetch import Archive, Fetching, Line


@dataclass(frozen=True)
class Fetched:
    """What `fetch` did, or would do.

    Args:
        corpus: its name and version.
        folder: where to.
        files: asked for.
        fetched: brought by this call.
        bytes: of those.
        estimate: bytes that were to come before; None where the archive does not say.
        seconds: it took.
        licence: of the recordings.
        citation: to be given.
    """

    corpus: str
    folder: Path
    files: int
    fetched: int
    bytes: int
    estimate: int | None
    seconds: float
    licence: str
    citation: str


def fetch(
    corpus: str,
    folder: Path,
    *,
    rate: int | None = None,
    limit_records: int | None = None,
    base: str | None = None,
    check: bool = False,
    dry_run: bool = False,
    connections: int = 4,
    line: "Line | None" = None,
    progress: bool = True,
) -> Fetched:
    """Fetch a public corpus in its pinned version; every file is held against the archive's digest.

    Args:
        corpus: name of an archive.
        folder: where to.
        rate: Hz; only this rate, where a corpus has several.
        limit_records: only the first so many recordings.
        base: another address to fetch it from.
        check: hold files that are there against their digests too.
        dry_run: say what would be fetched, and fetch nothing.
        connections: files at a time.
        line: how to speak to the server.
        progress: show a bar on stderr, where that is a terminal.

    Raises:
        FetchError: if there is no such corpus, the archive cannot be read, or files are still missing at the
            end; what came stays, and the same call goes on.
    """
    from ecglipse.fetch import ARCHIVES, Fetching

    began = time.monotonic()
    if corpus not in ARCHIVES:
        near = difflib.get_close_matches(corpus, ARCHIVES, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise FetchError(f"no corpus {corpus!r} to fetch{meant}", hint=f"there are {', '.join(ARCHIVES)}")
    if connections < 1:
        raise FetchError(f"--connections must be >= 1; got {connections}")
    archive = ARCHIVES[corpus]
    if archive.restricted and base is None:
        raise FetchError(f"{corpus}: {archive.restricted}")
    fetching = Fetching(
        archive, folder, base=base, rate=rate, limit_records=limit_records, check=check, line=line
    )
    estimate = fetching.estimate
    name, files = f"{archive.name} {archive.version}", len(fetching.files)
    if dry_run:
        return _said(archive, folder, files, (0, 0), estimate, began)
    if fetching.missing:
        size = "an unknown size" if estimate is None else f"about {estimate / 1e6:,.0f} MB"
        _say(f"{name}: {len(fetching.missing)} of {files} files to come, {size}; {archive.licence}")
    done, total, failed = _run(fetching, connections=connections, progress=progress)
    if failed:
        shown = "; ".join(failed[:5]) + (f"; and {len(failed) - 5} more" if len(failed) > 5 else "")
        raise FetchError(
            f"{name}: {len(failed)} of {files} files are missing: {shown}",
            hint="the same command goes on from here",
        )
    return _said(archive, folder, files, (done, total), estimate, began)


def _said(
    archive: "Archive", folder: Path, files: int, came: tuple[int, int], estimate: int | None, began: float
) -> Fetched:
    return Fetched(
        f"{archive.name} {archive.version}",
        folder,
        files,
        *came,
        estimate=estimate,
        seconds=time.monotonic() - began,
        licence=archive.licence,
        citation=archive.citation,
    )


def _run(fetching: "Fetching", *, connections: int, progress: bool) -> tuple[int, int, list[str]]:
    """Bring the files; gives how many came, their bytes, and what is wrong with the others."""
    done, total = 0, 0
    failed: list[str] = []
    began = time.monotonic()
    shown = progress and sys.stderr.isatty()
    for path, size, problem in fetching.run(connections=connections):
        if problem:
            failed.append(problem if path in problem else f"{path}: {problem}")
        else:
            done, total = done + 1, total + size
        if shown:
            speed = total / max(time.monotonic() - began, 1e-3)
            left = (len(fetching.missing) - done - len(failed)) * (time.monotonic() - began) / max(done, 1)
            so_far = f"{done}/{len(fetching.missing)} files, {total / 1e6:,.0f} MB"
            sys.stderr.write(f"\r{so_far}, {speed / 1e6:.1f} MB/s, {left:.0f} s left ")
    if shown:
        sys.stderr.write("\n")
    return done, total, failed


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
