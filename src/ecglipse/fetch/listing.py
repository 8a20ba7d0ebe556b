"""What an archive says that it holds: names, digests, sizes; hostile names are refused. Pure."""

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urljoin

from ecglipse.errors import FetchError
from ecglipse.fetch.archives import Archive

LARGEST_LISTING = 2**28
_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S.*)")
_MOST_FILES = 5_000_000


@dataclass(frozen=True)
class Listed:
    """One file of an archive.

    Args:
        path: inside the folder, with "/" between its parts.
        url: where it is.
        algorithm: "sha256" or "md5".
        digest: hexadecimal.
        size: bytes, where the archive says it.
    """

    path: str
    url: str
    algorithm: str
    digest: str
    size: int | None = None


def listing_url(archive: Archive) -> str:
    """The address of the list of files."""
    return archive.base if archive.kind == "zenodo" else urljoin(archive.base, "SHA256SUMS.txt")


def listing(archive: Archive, content: bytes) -> list[Listed]:
    """Parse a list of files.

    Raises:
        FetchError: if it is not one, or names a path that does not stay inside the folder.
    """
    found = _zenodo(archive, content) if archive.kind == "zenodo" else _sums(archive, content)
    if not found:
        raise FetchError(f"{archive.name}: the archive lists no files")
    if len(found) > _MOST_FILES:
        raise FetchError(f"{archive.name}: the archive lists {len(found)} files, {_MOST_FILES} at most")
    names = {entry.path.lower() for entry in found}
    if len(names) < len(found):
        raise FetchError(f"{archive.name}: the archive lists a file twice")
    return found


def _sums(archive: Archive, content: bytes) -> list[Listed]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise FetchError(f"{archive.name}: SHA256SUMS.txt is not text") from None
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise FetchError(
                f"{archive.name}: SHA256SUMS.txt:{number}: not a digest and a name: {line!r:.80}"
            )
        path = _safe(match[2].removeprefix("./"), archive)
        found.append(Listed(path, urljoin(archive.base, quote(path)), "sha256", match[1].lower()))
    return found


def _zenodo(archive: Archive, content: bytes) -> list[Listed]:
    try:
        files: list[dict[str, Any]] = json.loads(content)["files"]
        found = []
        for file in files:
            algorithm, _, digest = str(file["checksum"]).partition(":")
            path, url = _safe(str(file["key"]), archive), str(file["links"]["self"])
            found.append(Listed(path, url, algorithm, digest.lower(), int(file["size"])))
        return found
    except (ValueError, KeyError, TypeError) as error:
        raise FetchError(
            f"{archive.name}: the archive's list of files cannot be read: {error!r:.100}"
        ) from None


def _safe(path: str, archive: Archive) -> str:
    """Refuse every path that is not a plain one inside the folder."""
    parts = PurePosixPath(path).parts
    plain = path.isprintable() and "\\" not in path and ":" not in path and len(path) <= 400
    if not parts or not plain or path.startswith("/") or any(part in ("..", ".") for part in parts):
        raise FetchError(
            f"{archive.name}: the archive names a file {path!r:.80}, which is no path inside a folder"
        )
    if any(part.startswith(".") or part.endswith(".part") for part in parts):
        raise FetchError(f"{archive.name}: the archive names a hidden or partial file {path!r:.80}")
    return "/".join(parts)
