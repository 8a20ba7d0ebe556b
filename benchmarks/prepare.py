"""Preparation at full size, and with bad recordings among good ones.

    python benchmarks/prepare.py --json [--folder FOLDER] [--records 21799]

The recordings of the PTB-XL folder (`--folder`, $ECGLIPSE_DATA/ptbxl, or `shared/data/ptbxl` beside the
checkout) are copied under other names until there are as many as in the whole of PTB-XL, and prepared in a
process of its own with one worker a core: its wall time, and the peak memory of it and its workers together
(the sum of the peaks of each). Then 10,000 of them with 1, 100 and all of them spoilt (cut, a wrong
checksum, a header that lies, a constant lead): the rejects must be those that were spoilt, and the good ones
the same to the byte as without the bad. Takes three minutes; copies 0.6 GB to the temporary folder.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from ecglipse.commands import prepare
from ecglipse.errors import StoreError
from ecglipse.store import Store

ALONE = """
import json, os, sys, threading, time
from pathlib import Path
from ecglipse.commands import prepare
peaks = {}
def watch():
    while True:
        found = [os.getpid()]
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == os.getpid():
                    found.append(int(folder.name))
            except OSError:
                pass
        for process in found:
            try:
                for line in Path(f"/proc/{process}/status").read_text().splitlines():
                    if line.startswith("VmHWM"):
                        peaks[process] = int(line.split()[1]) / 1024
            except OSError:
                pass
        time.sleep(0.05)
threading.Thread(target=watch, daemon=True).start()
made = prepare(Path(sys.argv[1]), Path(sys.argv[2]), progress=False)
print(json.dumps({"n": made.n_records, "seconds": made.seconds, "peaks_mib": sorted(peaks.values())}))
"""


def data() -> Path:
    """The folder of real recordings."""
    named = os.environ.get("ECGLIPSE_DATA")
    return (Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data") / "ptbxl"


def enlarge(source: Path, folder: Path, n: int) -> list[Path]:
    """Copy records under other names until there are `n`; gives their headers, in order."""
    table = pd.read_csv(source / "ptbxl_database.csv")
    table = table[[(source / f"{name}.hea").exists() for name in table["filename_lr"]]]
    rows, headers = [], []
    for number in range(n):
        row = table.iloc[number % len(table)].copy()
        old = source / row["filename_lr"]
        name = f"{number + 1:05d}_lr"
        row["ecg_id"], row["filename_lr"] = number + 1, f"records100/{number // 1000:02d}000/{name}"
        place = folder / row["filename_lr"]
        place.parent.mkdir(parents=True, exist_ok=True)
        text = old.with_suffix(".hea").read_text().replace(old.name, name)
        place.with_suffix(".hea").write_text(text)
        shutil.copyfile(old.with_suffix(".dat"), place.with_suffix(".dat"))
        rows.append(row)
        headers.append(place.with_suffix(".hea"))
    pd.DataFrame(rows).to_csv(folder / "ptbxl_database.csv", index=False)
    shutil.copyfile(source / "scp_statements.csv", folder / "scp_statements.csv")
    return headers


def cut(header: Path) -> None:
    data = header.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:-7])


def wrong_checksum(header: Path) -> None:
    data = header.with_suffix(".dat")
    content = bytearray(data.read_bytes())
    content[5000] ^= 4
    data.write_bytes(content)


def lying(header: Path) -> None:
    header.write_text(header.read_text().replace(" 12 100 1000", " 12 100 2000"))


def constant(header: Path) -> None:
    lines = header.read_text().splitlines()
    data = header.with_suffix(".dat")
    samples = np.frombuffer(data.read_bytes(), dtype="<i2").reshape(1000, 12).copy()
    samples[:, 7] = 5
    words = lines[8].split()
    words[5], words[6] = "5", str(5000 if 5000 < 32768 else 5000 - 65536)
    lines[8] = " ".join(words)
    data.write_bytes(samples.tobytes())
    header.write_text("\n".join(lines) + "\n")


SPOIL: tuple[Callable[[Path], None], ...] = (cut, wrong_checksum, lying, constant)


def with_bad(headers: list[Path], folder: Path, clean: np.ndarray, bad: int, place: Path) -> bool:
    """Spoil `bad` of the records, spread evenly; say whether just they are rejected."""
    chosen = [int(index) for index in np.linspace(0, len(headers) - 1, bad).round()]
    kept: dict[Path, bytes] = {}
    for turn, index in enumerate(chosen):
        for path in (headers[index], headers[index].with_suffix(".dat")):
            kept[path] = path.read_bytes()
        SPOIL[turn % len(SPOIL)](headers[index])
    try:
        try:
            prepare(folder, place, limit=len(headers), progress=False)
        except StoreError:
            listed = place.with_name(f"{place.name}.rejects.jsonl").read_text().splitlines()
            return [int(json.loads(line)["record_id"]) - 1 for line in listed] == chosen
        store = Store.open(place)
        names = [int(row["record_id"]) - 1 for row in store.rejects]
        good = np.setdiff1d(np.arange(len(headers)), chosen)
        return names == chosen and np.array_equal(store.signals(np.arange(len(store))), clean[good])
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON line (always)")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--records", type=int, default=21_799)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ptbxl"
        folder.mkdir()
        headers = enlarge(arguments.folder or data(), folder, arguments.records)
        command = [sys.executable, "-c", ALONE, str(folder), str(Path(name) / "store")]
        alone = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        result = {
            "name": "prepare",
            "records": alone["n"],
            "seconds": round(alone["seconds"], 1),
            "peak_mib": round(sum(alone["peaks_mib"])),
            "processes": len(alone["peaks_mib"]),
        }
        some = headers[: min(10_000, len(headers))]
        clean = Store.open(Path(name) / "store").signals(np.arange(len(some)))
        for bad in (1, 100, len(some)):
            result[f"bad_{bad}_of_{len(some)}_exact"] = with_bad(
                some, folder, clean, bad, Path(name) / str(bad)
            )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
