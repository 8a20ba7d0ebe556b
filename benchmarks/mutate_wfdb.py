"""The WFDB reader under mutated headers, samples and paths, in every format.

    python benchmarks/mutate_wfdb.py --json [--n 100000]

Seeded mutations of small records of each sample format, of a MATLAB file and of a record of segments: seven
of ten change the header as a damaged or hostile one would be, two change the samples (a bit, a byte, a
stretch, the length), one plays with paths (`..`, absolute, a link, a pipe, a folder). Counted are:

undocumented    exceptions that are not RecordError
outside         files opened outside the record's folder (seen by an audit hook)
slow            reads of over a second
changed         records accepted with other samples at some place: a reader's fault
beyond          of formats 24 and 32: other samples that differ by multiples of 65,536, which the format's own
                16-bit checksum cannot see
stated          records accepted whose header states another rate, gain, baseline, lead name or order of
                segments, with the same samples: nothing else in the files speaks of these

Takes about a minute.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "records")]

from test_wfdb_mutations import changed, mutated, steps  # noqa: E402

from ecglipse.errors import RecordError  # noqa: E402
from ecglipse.records.wfdb import WfdbRecord, read_wfdb  # noqa: E402
from wfdb_miniatures import samples, write_mat, write_packed, write_segments  # noqa: E402

BITS = {8: 7, 16: 16, 24: 24, 32: 31, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}
NAMES = (
    "../secret.dat",
    "/etc/passwd",
    "..",
    ".",
    "~",
    "link.dat",
    "pipe.dat",
    "sub",
    "sub/x.dat",
    "r.hea",
    "http://a/b",
)


def records(folder: Path) -> list[Path]:
    """One record of every kind, each in a folder of its own with things beside it that must not be opened."""
    rng = np.random.default_rng(0)
    found = []
    for form, bits in BITS.items():
        x = rng.integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1), (50, 12))
        place = folder / f"form{form}"
        place.mkdir()
        found.append(write_packed(place, np.cumsum(x // 16, axis=0) if form == 8 else x, form=form))
    (folder / "mat").mkdir()
    found.append(write_mat(folder / "mat", "r", x=samples()))
    (folder / "segments").mkdir()
    found.append(write_segments(folder / "segments", [samples(30), samples(20, seed=1)]))
    (folder / "secret.dat").write_bytes(samples().tobytes())
    for path in found:
        (path.parent / "link.dat").symlink_to(folder / "secret.dat")
        os.mkfifo(path.parent / "pipe.dat")
        (path.parent / "sub").mkdir()
    return found


def spoil_samples(path: Path, rng: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    at = int(rng.integers(len(content)))
    match int(rng.integers(5)):
        case 0:
            content[at] ^= 1 << int(rng.integers(8))
        case 1:
            content[at] = int(rng.integers(256))
        case 2:
            content[at : at + 4] = rng.bytes(len(content[at : at + 4]))
        case 3:
            del content[at:]
        case _:
            content += rng.bytes(int(rng.integers(1, 30)))
    path.write_bytes(content)


def spoil_path(text: str, rng: np.random.Generator) -> str:
    name = NAMES[int(rng.integers(len(NAMES)))]
    old = next(word for line in text.splitlines()[1:] for word in line.split()[:1])
    return text.replace(old, name, int(rng.choice([1, -1])))


def same(path: Path, originals: dict[Path, WfdbRecord], read: WfdbRecord) -> set[str]:
    """What is stated otherwise; AssertionError if a sample is another."""
    original = originals[path]
    if not original.header.segments:
        return changed(original, read)
    if original.header.segments != read.header.segments:
        return {"segments"}
    parts = [part for part in originals if part.parent == path.parent and part != path]
    return set().union(*(changed(originals[part], read_wfdb(part)) for part in parts))


def beyond(original: WfdbRecord, read: WfdbRecord) -> bool:
    """Whether samples differ, and only in bits that a 16-bit sum does not hold."""
    if not read.header.signals or read.header.signals[0].form not in (24, 32):
        return False
    difference = steps(read) - steps(original)
    room = np.maximum(np.abs(steps(original)), np.abs(steps(read))) * 2.0**-22 + 1  # of float32
    rest = np.abs((difference + 32768) % 65536 - 32768)
    return bool(difference.any() and (rest <= room).all())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON line (always)")
    parser.add_argument("--n", type=int, default=100_000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    outcome: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    odd: list[str] = []
    inside = ""
    outside: list[str] = []

    def watch(event: str, details: tuple[object, ...]) -> None:
        if event == "open" and inside and isinstance(details[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(details[0]))  # links inside are refused, not followed
            if not path.startswith(inside):
                outside.append(path)

    sys.addaudithook(watch)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        paths = records(Path(name).resolve())
        originals = {part: read_wfdb(part) for path in paths for part in sorted(path.parent.glob("r*.hea"))}
        slowest = 0.0
        for turn in range(arguments.n):
            path = paths[turn % len(paths)]
            parts = sorted(path.parent.glob("r*.hea"))
            header = parts[int(rng.integers(len(parts)))]
            data = sorted(p for p in path.parent.glob("r*.[dm]at") if not p.is_symlink())
            target = (
                header if (draw := rng.random()) < 0.7 or draw >= 0.9 else data[int(rng.integers(len(data)))]
            )
            kept = target.read_bytes()
            if target is not header:
                spoil_samples(target, rng)
            else:
                text = kept.decode()
                header.write_text(
                    mutated(text, rng) if draw < 0.7 else spoil_path(text, rng), encoding="utf-8"
                )
            start = time.perf_counter()
            inside = str(path.parent) + os.sep
            try:
                read: WfdbRecord | None = read_wfdb(path)
            except RecordError as error:
                read = None
                outcome["refused"] += 1
                reasons[error.reason] += 1
            except BaseException as error:
                read = None
                outcome["undocumented"] += 1
                odd.append(f"{type(error).__name__}: {error}"[:200])
            inside = ""
            slowest = max(slowest, time.perf_counter() - start)
            outcome["slow"] += time.perf_counter() - start > 1
            if read is not None:
                try:
                    stated = same(path, originals, read)
                    outcome["stated" if stated else "same"] += 1
                except AssertionError:
                    if beyond(originals[path], read):
                        outcome["beyond"] += 1
                    else:
                        outcome["changed"] += 1
                        odd.append(f"changed: {path.parent.name}: {target.name}: {header.read_text()[:80]}")
            target.write_bytes(kept)
    counts = {
        key: outcome[key]
        for key in ("refused", "same", "stated", "beyond", "changed", "undocumented", "slow")
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"name": "mutate_wfdb", "n": arguments.n}
            | counts
            | {"outside": len(outside), "slowest_s": round(slowest, 3), "peak_mib": round(peak)}
            | {"reasons": dict(reasons.most_common()), "odd": odd[:10] + outside[:10]}
            | {"seconds": round(time.monotonic() - began, 1)}
        )
    )


if __name__ == "__main__":
    main()
