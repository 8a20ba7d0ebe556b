"""How fast recordings are read: ours against the reference reader, on the same files, values compared.

    python benchmarks/read_wfdb.py --json [--folder FOLDER]

Interleaved rounds in one process on the thread's own CPU clock, all files by ours and a sixth of them by the
reference in each; the ratio is the median over rounds. Without a folder it looks for $ECGLIPSE_DATA or
`shared/data` beside the checkout; where there is neither, it writes 300 records of noise to a temporary
folder and says so. Preparation's peak memory is that of a process of its own, for PTB-XL's folder and for
the folder listed four times over: bounded by a shard, it is nearly the same. Takes about 10 s.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import wfdb

from ecglipse.leads import LEADS
from ecglipse.records.wfdb import read_wfdb

PREPARE = """
import dataclasses, resource, sys
from pathlib import Path
from ecglipse import corpora
from ecglipse.commands import prepare
times = int(sys.argv[3])
real = corpora.get("ptbxl")
def entries(folder):
    found = real.entries(folder)
    return [dataclasses.replace(e, record_id=f"{e.record_id}-{k}") for k in range(times) for e in found]
corpora.CORPORA["ptbxl"] = dataclasses.replace(real, entries=entries)
made = prepare(Path(sys.argv[1]), Path(sys.argv[2]), corpus="ptbxl", progress=False)
print(made.n_records, made.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def data() -> Path:
    """The folder of real recordings."""
    named = os.environ.get("ECGLIPSE_DATA")
    return (Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data") / "ptbxl"


def write_noise(folder: Path, n: int) -> None:
    """Records such as PTB-XL's, of noise, by the reference writer."""
    rng = np.random.default_rng(0)
    for number in range(n):
        wfdb.wrsamp(
            f"{number:05d}",
            fs=100,
            units=["mV"] * 12,
            sig_name=list(LEADS),
            d_signal=rng.integers(-2000, 2000, (1000, 12)),
            fmt=["16"] * 12,
            adc_gain=[1000.0] * 12,
            baseline=[0] * 12,
            write_dir=str(folder),
        )


def read_reference(path: Path) -> object:
    """The same recording by the reference reader."""
    return wfdb.rdrecord(str(path)[:-4])


def timed(read: Callable[[Path], object], paths: list[Path]) -> float:
    """Thread CPU seconds to read all."""
    start = time.thread_time()
    for path in paths:
        read(path)
    return time.thread_time() - start


def prepared(folder: Path, times: int) -> tuple[int, float, float]:
    """Records, seconds and peak MiB of a preparation of the folder listed `times` times over."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-c", PREPARE, str(folder), f"{place}/store", str(times)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    n, seconds, peak = done.stdout.split()
    return int(n), float(seconds), float(peak)


def main() -> None:
    """Print one JSON line, or a few sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    if arguments.folder is not None and not arguments.folder.is_dir():
        sys.exit(f"error: {arguments.folder}: no such folder\n\nhint: give PTB-XL's folder with `--folder`")
    folder = arguments.folder or data()
    with tempfile.TemporaryDirectory() as place:
        is_real = folder.is_dir()
        if not is_real:
            folder = Path(place)
            write_noise(folder, 300)
        result = {"name": "read_wfdb", "recordings": "real" if is_real else "noise", **compare(folder)}
    if (folder / "ptbxl_database.csv").is_file():
        for key, times in (("preparation", 1), ("preparation_of_4_times_as_many", 4)):
            n, seconds, peak = prepared(folder, times)
            result |= {f"{key}_n": n, f"{key}_s": round(seconds, 1), f"{key}_peak_mib": round(peak)}
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


def compare(folder: Path) -> dict[str, float]:
    """Values held against each other, then the speeds, of up to 300 recordings of a folder."""
    paths = sorted(folder.rglob("*.hea"))[:300]
    if not paths:
        sys.exit(f"error: {folder}: no recordings\n\nhint: give PTB-XL's folder with `--folder`")
    worst = 0.0
    for path in paths[:100]:
        ours, theirs = read_wfdb(path), wfdb.rdrecord(str(path)[:-4])
        np.testing.assert_allclose(ours.signal.T, theirs.p_signal, rtol=1e-6, atol=1e-6)
        worst = max(worst, float(np.nanmax(np.abs(ours.signal.T - theirs.p_signal))))
    rounds = []
    for part in (paths[k::6] for k in range(6)):
        part = part or paths
        rounds.append((timed(read_wfdb, paths) / len(paths), timed(read_reference, part) / len(part)))
    return {
        "n": len(paths),
        "ratio_vs_rdrecord": round(statistics.median(theirs / ours for ours, theirs in rounds), 1),
        "ours_per_s": round(1 / statistics.median(ours for ours, _ in rounds)),
        "rdrecord_per_s": round(1 / statistics.median(theirs for _, theirs in rounds)),
        "largest_difference_mv": worst,
    }


if __name__ == "__main__":
    main()
