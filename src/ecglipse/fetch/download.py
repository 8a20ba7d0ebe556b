"""`download`: one file, resumed where it stopped, taking its place only when its digest is right."""

import contextlib
import hashlib
import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecglipse.errors import FetchError
from ecglipse.fetch.listing import Listed

_CHUNK = 1 << 18
_LARGEST = 2**40
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


@dataclass(frozen=True)
class Line:
    """How to speak to a server.

    Args:
        hosts: that may be spoken to; https only, but for this machine's own.
        timeout_s: of connecting and of each read.
        tries: of one file, all told.
        pause_s: before the second try; doubled with every other, 30 s at most.
    """

    hosts: tuple[str, ...]
    timeout_s: float = 30.0
    tries: int = 6
    pause_s: float = 0.5

    def open(self, url: str, headers: dict[str, str], *, method: str = "GET") -> Any:
        """Send a request; redirects go where `hosts` allows and nowhere else."""
        self.check(url)
        opener = urllib.request.build_opener(_Redirects(self))
        headers = {"User-Agent": "ecglipse"} | headers
        request = urllib.request.Request(url, headers=headers, method=method)
        return opener.open(request, timeout=self.timeout_s)

    def check(self, url: str) -> None:
        """Refuse an address that this line is not for.

        Raises:
            FetchError: naming the host.
        """
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
        if not secure or host not in self.hosts:
            raise FetchError(f"{parts.scheme}://{host}: not an address that this corpus is fetched from")


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, line: Line) -> None:
        self.line = line

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        try:
            self.line.check(newurl)
        except FetchError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Stopping(Exception):
    """The user asked to stop; parts stay for the next call."""


def download(
    entry: Listed, place: Path, line: Line, *, stop: threading.Event, on_bytes: Callable[[int], None]
) -> int:
    """Bring a file to its place.

    Args:
        entry: what it is, and where.
        place: where it goes; a `.part` beside it holds what came so far.
        line: how to speak to the server.
        stop: set to make it end soon.
        on_bytes: told of every piece that came, and of what is lost (negative) when a file starts anew.

    Returns:
        Its size, bytes.

    Raises:
        FetchError: after the last try, saying what went wrong; `Stopping` if `stop` was set.
    """
    part = place.with_name(f"{place.name}.part")
    problem, wrong = "", 0
    for turn in range(line.tries):
        if turn and stop.wait(min(line.pause_s * 2 ** (turn - 1), 30.0)):
            raise Stopping
        try:
            _bring(entry, part, line, stop=stop, on_bytes=on_bytes)
            if _digest(part, entry.algorithm) == entry.digest:
                size = part.stat().st_size
                os.replace(part, place)
                _tag(part).unlink(missing_ok=True)
                return size
            problem, wrong = "its bytes do not match the archive's digest", wrong + 1
            _forget(part, on_bytes)
            if wrong == 2:
                break
        except (FetchError, Stopping):
            raise
        except urllib.error.HTTPError as error:
            problem = f"the server answered {error.code} {error.reason}"
            error.close()
            if error.code == 416:
                _forget(part, on_bytes)
            elif error.code < 500 and error.code not in (408, 425, 429):
                break
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _DISK:
                raise FetchError(f"{place}: cannot be written: {error.strerror}", hint="make room") from None
            reason = getattr(error, "reason", None) or error
            problem = f"{type(error).__name__}: {reason}"[:120]
    raise FetchError(f"{entry.path}: {problem}")


_DISK = (28, 122, 27, 13, 30)
"""No space, quota, file too large, no permission, read-only."""


def _bring(
    entry: Listed, part: Path, line: Line, *, stop: threading.Event, on_bytes: Callable[[int], None]
) -> None:
    """Add to the part what it lacks; OSError or HTTPException if the connection breaks."""
    have = part.stat().st_size if part.exists() else 0
    tag = _read_tag(part)
    if have and tag is None:
        _forget(part, on_bytes)
        have = 0
    headers = {"Range": f"bytes={have}-", "If-Range": tag} if have and tag else {}
    with contextlib.closing(line.open(entry.url, headers)) as answer:
        if have and answer.status != 206:
            _forget(part, on_bytes)
            have = 0
        elif have and not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
            _forget(part, on_bytes)
            raise http.client.HTTPException("another range than was asked for")
        stated = answer.headers.get("Content-Length")
        most = (int(stated) if stated and stated.isdigit() else _LARGEST) + have
        if entry.size is not None and most != entry.size and stated:
            raise http.client.HTTPException(f"{most} bytes announced, the archive lists {entry.size}")
        etag = answer.headers.get("ETag")
        _tag(part).write_text(json.dumps({"etag": etag}) if etag and not etag.startswith("W/") else "{}")
        with part.open("ab") as file:
            while piece := answer.read(_CHUNK):
                if stop.is_set():
                    raise Stopping
                have += len(piece)
                if have > most:
                    raise http.client.HTTPException("more bytes than the server announced")
                file.write(piece)
                on_bytes(len(piece))
            file.flush()
            os.fsync(file.fileno())
        if stated and have < most:
            raise http.client.IncompleteRead(b"", most - have)


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def digest_of(path: Path, algorithm: str) -> str:
    """A file's digest, hexadecimal."""
    return _digest(path, algorithm)


def _tag(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_tag(part: Path) -> str | None:
    try:
        found = json.loads(_tag(part).read_text()).get("etag")
    except (OSError, ValueError, AttributeError):
        return None
    return str(found) if found else None


def _forget(part: Path, on_bytes: Callable[[int], None]) -> None:
    """Start a file anew."""
    if part.exists():
        on_bytes(-part.stat().st_size)
        part.unlink()
    _tag(part).unlink(missing_ok=True)


def small(url: str, line: Line, *, most: int) -> bytes:
    """Fetch a small thing into memory, with the same patience.

    Raises:
        FetchError: if it cannot be had, or is larger than `most` bytes.
    """
    problem = ""
    for turn in range(line.tries):
        if turn:
            time.sleep(min(line.pause_s * 2 ** (turn - 1), 30.0))
        try:
            with contextlib.closing(line.open(url, {})) as answer:
                content: bytes = answer.read(most + 1)
            if len(content) > most:
                raise FetchError(f"{url}: more than {most} bytes")
            return content
        except urllib.error.HTTPError as error:
            problem = f"the server answered {error.code} {error.reason}"
            error.close()
            if error.code < 500 and error.code not in (408, 425, 429):
                break
        except (OSError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__}: {getattr(error, 'reason', None) or error}"[:120]
    raise FetchError(f"{url}: {problem}", hint="see whether this machine reaches the network, and try again")
