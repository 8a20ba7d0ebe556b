"""How fast recordings are read: ours against the reference reader, on the same files, values compared.

    python benchmarks/read_wfdb.py --json [--folder PTB-XL-FOLDER]

Interleaved rounds in one process on the thread's own CPU clock, all files by ours and a sixth of them by the
reference in each; the ratio is the median over rounds. Without
a folder it looks for $ECGLIPSE_DATA or `shared/data` beside the checkout. Preparation's peak memory is that
of a process of its own, for the folder and for the folder listed four times over: bounded by a shard, it is
nearly the same.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import wfdb

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


def timed(read: object, paths: list[Path]) -> float:
    """Thread CPU seconds to read all."""
    start = time.thread_time()
    for path in paths:
        read(path)  # type: ignore[operator]
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
    parser.add_argument("--folder", type=Path, default=data())
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.rglob("*.hea"))[:300]
    if not paths:
        sys.exit(f"error: {arguments.folder}: no recordings\n\nhint: give PTB-XL's folder with `--folder`")
    worst = 0.0
    for path in paths[:100]:
        ours, theirs = read_wfdb(path), wfdb.rdrecord(str(path)[:-4])
        worst = max(worst, float(np.abs(ours.signal.T - theirs.p_signal).max()))
    if worst > 1e-6:
        sys.exit(f"error: values differ by up to {worst} mV")
    rounds = []
    for part in (paths[k::6] for k in range(6)):
        ours = timed(read_wfdb, paths) / len(paths)
        theirs = timed(lambda path: wfdb.rdrecord(str(path)[:-4]), part or paths) / len(part or paths)
        rounds.append((ours, theirs))
    result = {
        "name": "read_wfdb",
        "n": len(paths),
        "ratio_vs_rdrecord": round(statistics.median(b / a for a, b in rounds), 1),
        "ours_per_s": round(1 / statistics.median(a for a, _ in rounds)),
        "rdrecord_per_s": round(1 / statistics.median(b for _, b in rounds)),
        "largest_difference_mv": worst,
    }
    if (arguments.folder / "ptbxl_database.csv").is_file():
        for times in (1, 4):
            n, seconds, peak = prepared(arguments.folder, times)
            result |= {
                f"prepare_{n}_records_s": round(seconds, 1),
                f"prepare_{n}_records_peak_mib": round(peak),
            }
    result["own_peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
