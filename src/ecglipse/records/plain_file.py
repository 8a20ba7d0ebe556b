"""`read_plain`, `check_plain`: files of recordings, never through a link; sizes are seen first."""

import errno
import os
import stat
from pathlib import Path

from ecglipse.errors import RecordError


def read_plain(path: str, name: str, *, most: int | None = None, exactly: tuple[int, ...] = ()) -> bytes:
    """Read a plain file.

    Args:
        path: of the file.
        name: as messages shall call it, without its folder.
        most: read at most so many bytes.
        exactly: the lengths that the file may have, bytes; none: any.

    Raises:
        RecordError: reason "missing-file", "unsafe-path" (link, pipe, folder), "length" or "unreadable".
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise RecordError(
            f"{name}: no such file", reason="missing-file", hint="a record is a `.hea` file and its samples"
        ) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise RecordError(f"{name}: is a link", reason="unsafe-path") from None
        if error.errno == errno.ENXIO:
            raise RecordError(f"{name}: is not a plain file", reason="unsafe-path") from None
        raise RecordError(f"{name:.60}: cannot be opened ({error.strerror})", reason="unreadable") from None
    except ValueError:
        raise RecordError(f"{name!r:.60}: is no file name", reason="unsafe-path") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise RecordError(f"{name}: is not a plain file", reason="unsafe-path")
        if exactly and facts.st_size not in exactly:
            raise RecordError(
                f"{name}: {facts.st_size} bytes, the header's lengths need {exactly[0]}",
                reason="length",
                hint="the file is cut short, or belongs to another header: fetch it again",
            )
        wanted = facts.st_size if most is None else min(facts.st_size, most)
        content = os.read(descriptor, wanted)
        while len(content) < wanted:
            more = os.read(descriptor, wanted - len(content))
            if not more:
                raise RecordError(f"{name}: ends after {len(content)} of {wanted} bytes", reason="length")
            content += more
        return content
    except OSError as error:
        raise RecordError(f"{name}: cannot be read ({error.strerror})", reason="unreadable") from None
    finally:
        os.close(descriptor)


def check_plain(path: Path) -> None:
    """Refuse links, pipes and folders before a library opens a file by its name.

    Raises:
        RecordError: reason "missing-file", "unsafe-path" or "unreadable".
    """
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        raise RecordError(f"{path.name}: no such file", reason="missing-file") from None
    except OSError as error:
        raise RecordError(f"{path.name}: cannot be opened ({error.strerror})", reason="unreadable") from None
    if not stat.S_ISREG(facts.st_mode):
        raise RecordError(f"{path.name}: is not a plain file", reason="unsafe-path")
