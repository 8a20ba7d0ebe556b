"""How well the delineator's marks agree with the marks made by hand in LUDB.

    pip install "ecglipse[delineate]"
    python benchmarks/delineator.py --json [--folder LUDB] [--fs 100]

Each of the 200 recordings is stored at `--fs` (100 Hz, the rate of the pack's encoders) and delineated; the
marks, which hold for all leads, are compared with LUDB's own marks of each lead, within its marked span and
150 ms. For each kind of wave and mark: sensitivity, positive predictive value, mean and standard deviation
of the error in ms (found minus true). `sinus`: the same without the recordings of atrial fibrillation or
flutter, in which LUDB marks no P wave. Half a minute on one core.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from ecglipse.commands import prepare
from ecglipse.commands._form import Form
from ecglipse.store import Store
from ecglipse.waves import agreement
from ecglipse.waves.delineator import delineate_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON line (always)")
    named = os.environ.get("ECGLIPSE_DATA")
    data = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--folder", type=Path, default=data / "ludb")
    parser.add_argument("--fs", type=float, default=100.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        made = prepare(arguments.folder, Path(place) / "ludb", form=Form(fs=arguments.fs), progress=False)
        store = Store.open(made.store)
        began = time.monotonic()
        found = delineate_rows(store.millivolts, range(len(store)), store.fs)
        seconds = time.monotonic() - began
        truth = store.waves
        fibrillating = [
            any("fibrillation" in c or "flutter" in c for c in codes) for codes in store.table["codes"]
        ]
        sinus = np.flatnonzero(~np.array(fibrillating))
    result = {
        "name": "delineator",
        "fs": arguments.fs,
        "records": len(store),
        "seconds_per_record": round(seconds / len(store), 3),
        "all": table(found, truth),
        "sinus_records": len(sinus),
        "sinus": table(found[found["row"].isin(sinus)], truth[truth["row"].isin(sinus)]),
    }
    print(json.dumps(result))


def table(found, truth):  # type: ignore[no-untyped-def]
    return {
        f"{a.kind} {a.mark}": {
            "true": a.true,
            "sensitivity": round(a.sensitivity, 4),
            "ppv": round(a.ppv, 4),
            "mean_ms": round(a.mean_ms, 1),
            "sd_ms": round(a.sd_ms, 1),
        }
        for a in agreement(found, truth)
    }


if __name__ == "__main__":
    main()
