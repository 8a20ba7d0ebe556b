"""Fetching from a server on this machine that breaks, lies, changes and hangs."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ecglipse.commands import fetch
from ecglipse.errors import FetchError
from ecglipse.fetch import ARCHIVES, Line, listing

BASE = "/files/"


@dataclass
class Shelf:
    """What the server holds, and how it behaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    sums: str | None = None
    tricks: dict[str, list[Callable[[http.server.BaseHTTPRequestHandler, bytes], bool]]] = field(
        default_factory=dict
    )
    """By path: what to do instead of answering, one for each request until there are no more."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    etag: str = '"one"'
    address: str = ""

    def listed(self) -> str:
        if self.sums is not None:
            return self.sums
        return "".join(f"{hashlib.sha256(c).hexdigest()} {name}\n" for name, c in self.files.items())


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """A server of three small files."""
    rng = np.random.default_rng(0)
    held = Shelf({name: rng.bytes(200_000) for name in ("RECORDS", "a/one.dat", "a/two.dat")})

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_HEAD(self) -> None:
            content = held.files.get(self.path.removeprefix(BASE), b"")
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()

        def do_GET(self) -> None:
            path = self.path.removeprefix(BASE)
            wanted = self.headers.get("Range")
            held.asked.append((path, wanted))
            content = held.listed().encode() if path == "SHA256SUMS.txt" else held.files.get(path)
            if content is None:
                self.send_error(404)
                return
            if held.tricks.get(path) and held.tricks[path].pop(0)(self, content):
                self.close_connection = True
                return
            start = 0
            if wanted and self.headers.get("If-Range") == held.etag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("ETag", held.etag)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:])

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    held.address = f"http://127.0.0.1:{server.server_port}{BASE}"
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


def half(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> bool:
    """Announce all, send half, hang up."""
    handler.send_response(200)
    handler.send_header("ETag", '"one"')
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    return True


def busy(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> bool:
    handler.send_error(503)
    return True


def garbage(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(bytes(len(content)))
    return True


def short(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> bool:
    """Announce fewer bytes than there are."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) - 1000))
    handler.end_headers()
    handler.wfile.write(content[:-1000])
    return True


def silent(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> bool:
    """Say nothing for longer than the client waits."""
    threading.Event().wait(0.5)
    return True


def elsewhere(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> bool:
    handler.send_response(302)
    handler.send_header("Location", "http://198.51.100.7/evil")
    handler.send_header("Content-Length", "0")
    handler.end_headers()
    return True


LINE = Line(hosts=("127.0.0.1",), timeout_s=0.2, tries=4, pause_s=0.001)


def run(shelf: Shelf, folder: Path, **options: object) -> object:
    return fetch("ludb", folder, base=shelf.address, line=LINE, progress=False, **options)  # type: ignore[arg-type]


def held_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_all_files_come_and_a_second_call_fetches_none(shelf: Shelf, tmp_path: Path) -> None:
    made = run(shelf, tmp_path / "d")
    assert held_in(tmp_path / "d") == shelf.files
    assert (made.files, made.fetched, made.bytes, made.estimate) == (3, 3, 600_000, 600_000)
    shelf.asked.clear()
    again = run(shelf, tmp_path / "d")
    assert (again.fetched, again.bytes) == (0, 0)
    assert [path for path, _ in shelf.asked] == ["SHA256SUMS.txt"]


@pytest.mark.parametrize("trick", [half, busy, garbage, short, silent])
def test_one_bad_answer_is_survived(trick: Callable[..., bool], shelf: Shelf, tmp_path: Path) -> None:
    shelf.tricks["a/one.dat"] = [trick]
    run(shelf, tmp_path / "d")
    assert held_in(tmp_path / "d") == shelf.files


def test_a_broken_connection_is_resumed_where_it_broke(shelf: Shelf, tmp_path: Path) -> None:
    shelf.tricks["a/one.dat"] = [half]
    run(shelf, tmp_path / "d")
    ranges = [wanted for path, wanted in shelf.asked if path == "a/one.dat"]
    assert ranges == [None, "bytes=100000-"]


def test_a_call_that_was_stopped_is_resumed_by_the_next(shelf: Shelf, tmp_path: Path) -> None:
    shelf.tricks["a/one.dat"] = [half, busy, busy, busy]
    with pytest.raises(FetchError, match=r"1 of 3 files are missing: a/one\.dat: the server answered 503"):
        run(shelf, tmp_path / "d")
    assert set(held_in(tmp_path / "d")) == {"RECORDS", "a/two.dat", "a/one.dat.part", "a/one.dat.part.json"}
    shelf.asked.clear()
    made = run(shelf, tmp_path / "d")
    assert made.fetched == 1
    assert ("a/one.dat", "bytes=100000-") in shelf.asked
    assert held_in(tmp_path / "d") == shelf.files


def test_a_file_that_changed_meanwhile_starts_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.tricks["a/one.dat"] = [half, busy, busy, busy]
    with pytest.raises(FetchError):
        run(shelf, tmp_path / "d")
    shelf.files["a/one.dat"], shelf.etag = b"new" * 50_000, '"two"'
    run(shelf, tmp_path / "d")
    assert held_in(tmp_path / "d") == shelf.files


def test_wrong_bytes_are_asked_for_once_more_and_never_take_their_place(shelf: Shelf, tmp_path: Path) -> None:
    shelf.tricks["a/one.dat"] = [garbage, garbage]
    with pytest.raises(FetchError, match="its bytes do not match the archive's digest"):
        run(shelf, tmp_path / "d")
    assert set(held_in(tmp_path / "d")) == {"RECORDS", "a/two.dat"}


def test_a_damaged_file_is_found_by_a_check_and_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    run(shelf, tmp_path / "d")
    spoilt = bytearray(shelf.files["RECORDS"])
    spoilt[7] ^= 1
    (tmp_path / "d" / "RECORDS").write_bytes(spoilt)
    assert run(shelf, tmp_path / "d").fetched == 0
    assert run(shelf, tmp_path / "d", check=True).fetched == 1
    assert held_in(tmp_path / "d") == shelf.files
    (tmp_path / "d" / "RECORDS").write_bytes(b"short")
    assert run(shelf, tmp_path / "d").fetched == 1


def test_a_redirect_to_another_host_is_not_followed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.tricks["a/one.dat"] = [elsewhere] * 9
    with pytest.raises(FetchError, match=r"http://198\.51\.100\.7: not an address"):
        run(shelf, tmp_path / "d")


def test_a_dry_run_writes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    made = run(shelf, tmp_path / "d", dry_run=True)
    assert (made.files, made.fetched, made.estimate) == (3, 0, 600_000)
    assert list(tmp_path.iterdir()) == []


def test_rates_and_numbers_of_records_choose_files(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files = {
        f"records{rate}/{number}{ending}": b"x"
        for rate in (100, 500)
        for number in range(4)
        for ending in (".hea", ".dat")
    } | {"ptbxl_database.csv": b"table"}
    fetch("ptbxl", tmp_path / "p", base=shelf.address, rate=100, limit_records=2, line=LINE, progress=False)
    wanted = {"ptbxl_database.csv", *(f"records100/{n}{e}" for n in (0, 1) for e in (".hea", ".dat"))}
    assert set(held_in(tmp_path / "p")) == wanted
    with pytest.raises(FetchError, match="no rate 250 Hz to be fetched apart; it has 100, 500"):
        fetch("ptbxl", tmp_path / "q", base=shelf.address, rate=250, line=LINE)


SUM = "0" * 64
HOSTILE = {
    "../evil": "no path inside a folder",
    "/etc/passwd": "no path inside a folder",
    "a/../../b": "no path inside a folder",
    "C:evil": "no path inside a folder",
    "a\\b": "no path inside a folder",
    "a\x07b": "no path inside a folder",
    ".ssh/keys": "hidden or partial",
    "x.part": "hidden or partial",
}


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_path_in_the_list_is_refused_before_anything_is_written(
    path: str, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.sums = f"{SUM} good.txt\n{SUM} {path}\n"
    with pytest.raises(FetchError, match=HOSTILE[path]):
        run(shelf, tmp_path / "d")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        ("", "lists no files"),
        ("<html>not found</html>\n", "SHA256SUMS.txt:1: not a digest and a name"),
        (f"{SUM} a\n{SUM} A\n", "lists a file twice"),
    ],
)
def test_a_list_that_is_none_is_refused(sums: str, words: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.sums = sums
    with pytest.raises(FetchError, match=words):
        run(shelf, tmp_path / "d")


def test_nothing_is_written_through_a_link(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "d" / "a").symlink_to(tmp_path / "outside")
    with pytest.raises(FetchError, match="leads out of the folder"):
        run(shelf, tmp_path / "d")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_zenodo_record_is_read_with_sizes_and_sums() -> None:
    content = b"abc"
    record = {
        "files": [
            {
                "key": "exams.csv",
                "size": 3,
                "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
                "links": {"self": "https://zenodo.org/api/records/4916206/files/exams.csv/content"},
            }
        ]
    }
    (entry,) = listing(ARCHIVES["code15"], json.dumps(record).encode())
    assert (entry.path, entry.size, entry.algorithm) == ("exams.csv", 3, "md5")
    with pytest.raises(FetchError, match="list of files cannot be read"):
        listing(ARCHIVES["code15"], b"[]")


def test_unknown_corpora_and_plain_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no corpus 'ptbxxl' to fetch; did you mean 'ptbxl'"):
        fetch("ptbxxl", tmp_path)
    with pytest.raises(FetchError, match="not an address"):
        fetch("ludb", tmp_path, base="http://example.org/files/", progress=False)
