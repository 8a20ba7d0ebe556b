"""How real simulated recordings are: distributions beside PTB-XL's, and classifiers of the two.

    python benchmarks/realism.py --json [--store STORE] [--n 1024] [--no-encoder]

Real: the records of a PTB-XL store at 100 Hz that are marked NORM and SR. Simulated: as many in sinus rhythm.
Rate, PR, QRS and QTc (Fridericia) are medians over beats by neurokit2's peak finder and its "prominence"
delineator, at 500 Hz (resampled), then over leads I, II and V5; the same measurement on the simulator's own
truth says how wrong it is. neurokit2 pins an older pandas than this package uses and works with the newer:
`pip install --no-deps neurokit2`; without it these four are null. R and S: largest and smallest value of the
median beat within 60 ms of R, against the level 70-90 ms before. Bands: log10 of power, mean over the leads,
of the whole record and of its quietest stretches.

`ks` is the two-sample Kolmogorov-Smirnov distance (0 alike, 1 apart); `sex_and_age_*` the mean at 55 years
and the slope per year. `auroc_*` are of out-of-fold scores
in five folds by patient: gradient boosting on the measurements, and this package's own ResNet (width 8,
3 epochs from scratch) on the signals, as they are and filtered to 0.7-35 Hz; 0.5 would be "cannot be told
apart". Takes about 5 minutes on one core.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import butter, find_peaks, resample_poly, sosfiltfilt
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from ecglipse.corpora.simulator import Simulated, simulate_arrays
from ecglipse.leads import INDEPENDENT, LEADS
from ecglipse.store import Store

FS = 100
EIGHT = [LEADS.index(name) for name in INDEPENDENT]
INTERVALS = ("rate", "pr_ms", "qrs_ms", "qtc_ms")
BANDS_HZ = ((0.1, 0.5), (0.5, 1), (1, 5), (5, 15), (15, 25), (25, 40), (40, 49))
QUIET_HZ = ((10, 22), (22, 35), (35, 45))


def real(path: Path, n: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Signals in mV (record, 12, 1000) of the normal records in sinus rhythm, and their table."""
    store = Store.open(path)
    if store.fs != FS or store.leads != LEADS:
        sys.exit(f"error: {path}: not 12 leads at {FS} Hz\n\nhint: prepare PTB-XL's 100 Hz records")
    wanted = [{"NORM", "SR"} <= set(codes) for codes in store.table["codes"]]
    rows = np.flatnonzero(wanted)[:n]
    return store.millivolts(rows), store.table.iloc[rows].reset_index(drop=True)


def intervals(signal: np.ndarray) -> list[float]:
    """Rate (a minute), PR, QRS and QTc (ms) of one record by neurokit2; NaN where it finds none."""
    import neurokit2 as nk

    found = []
    for lead in (0, 1, 10):
        try:
            clean = nk.ecg_clean(resample_poly(signal[lead].astype(float), 5, 1), sampling_rate=500)
            peaks = nk.ecg_peaks(clean, sampling_rate=500)[1]["ECG_R_Peaks"]
            waves = nk.ecg_delineate(clean, peaks, sampling_rate=500, method="prominence")[1]
            on, off, p, t = (
                np.array(waves[f"ECG_{name}"], float)
                for name in ("R_Onsets", "R_Offsets", "P_Onsets", "T_Offsets")
            )
            rr = np.median(np.diff(peaks)) / 500
            spans = [np.nanmedian(2 * span) for span in (on - p, off - on, t - on)]
        except (ValueError, IndexError, ZeroDivisionError, KeyError):
            continue  # it fails on a lead without clear beats; the other leads remain
        found.append([60 / rr, *spans[:2], spans[2] / np.cbrt(rr)])
    return list(np.nanmedian(found, axis=0)) if found else [np.nan] * 4


def r_peaks(signal: np.ndarray) -> np.ndarray:
    """Samples of the steepest moments over all leads, moved to the largest energy nearby."""
    level = signal - np.median(signal, axis=1, keepdims=True)
    steep = np.convolve((np.gradient(level, axis=1) ** 2).sum(axis=0), np.ones(7) / 7, "same")
    found, _ = find_peaks(steep, height=0.25 * np.quantile(steep, 0.985), distance=28)
    energy = (level**2).sum(axis=0)
    return np.array([k - 5 + energy[k - 5 : k + 6].argmax() for k in found if 20 < k < len(energy) - 20], int)


def measurements(signals: np.ndarray, *, with_intervals: bool) -> pd.DataFrame:
    """One row a record: the intervals, R and S per lead, T per lead, bands."""
    rows = []
    hz = np.fft.rfftfreq(signals.shape[-1], 1 / FS)
    for signal in signals:
        row = dict(zip(INTERVALS, intervals(signal), strict=True)) if with_intervals else {}
        at = r_peaks(signal)
        own = signal[EIGHT]
        if len(at):
            beat = np.median([own[:, k - 10 : k + 7] for k in at], axis=0)
            beat = beat - beat[:, 1:4].mean(axis=1, keepdims=True)
            for name, values in zip(INDEPENDENT, beat[:, 4:], strict=True):
                row[f"R {name}"], row[f"S {name}"] = max(values.max(), 0), max(-values.min(), 0)
        power = np.abs(np.fft.rfft(own, axis=-1)) ** 2
        for low, high in BANDS_HZ:
            inside = power[:, (hz >= low) & (hz < high)].mean(axis=1)
            row[f"{low}-{high} Hz"] = float(np.log10(inside + 1e-12).mean())
        rows.append(row | quiet(own))
    return pd.DataFrame(rows)


def quiet(own: np.ndarray) -> dict[str, float]:
    """Log10 of power in the six stretches of 160 ms with the smallest steps, mean over the leads."""
    width = 16
    every = np.lib.stride_tricks.sliding_window_view(own, width, axis=1)[:, ::8]
    few = every[:, (np.diff(every, axis=-1) ** 2).sum(axis=(0, 2)).argsort()[:6]]
    few = (few - few.mean(axis=-1, keepdims=True)) * np.hanning(width)
    power = (np.abs(np.fft.rfft(few, axis=-1)) ** 2).mean(axis=(0, 1))
    hz = np.fft.rfftfreq(width, 1 / FS)
    return {
        f"quiet {low}-{high} Hz": float(np.log10(power[(hz >= low) & (hz < high)].mean() + 1e-12))
        for low, high in QUIET_HZ
    }


def own_error(made: Simulated, got: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Median error, and median absolute error about it, of the measurement against the simulator's truth."""
    truth = made.truth
    true = {
        "rate": truth["rate"],
        "pr_ms": 1e3 * truth["pr_s"],
        "qrs_ms": 1e3 * truth["qrs_s"],
        "qtc_ms": 1e3 * truth["qtc_s"],
    }
    out = {}
    for name, values in true.items():
        off = (got[name] - values.to_numpy()).dropna()
        bias = off.median()
        out[name] = {
            "median_error": round(bias, 1),
            "median_absolute_deviation": round((off - bias).abs().median(), 1),
            "within_20": round(float((off.abs() <= 20).mean()), 3),
            "not_found": int(len(got) - len(off)),
        }
    return out


def sex_and_age(got: pd.DataFrame, known: pd.DataFrame) -> dict[str, dict[str, list[float]]]:
    """By sex, of some measurements: mean at 55 years and slope per year, by least squares; R and S in mV."""
    out: dict[str, dict[str, list[float]]] = {}
    for sex in ("female", "male"):
        out[sex] = {}
        for name in ("rate", "pr_ms", "qtc_ms", "R V5", "S V2"):
            if name not in got:
                continue
            rows = (known["sex"] == sex) & known["age"].notna() & got[name].notna()
            slope, mean = np.polyfit(known["age"][rows].astype(float) - 55, got[name][rows], 1)
            out[sex][name] = [round(float(mean), 3), round(float(slope), 4)]
    return out


def boosted(x: np.ndarray, y: np.ndarray, patients: np.ndarray) -> float:
    """Out-of-fold AUROC of gradient boosting, folds by patient."""
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    model = HistGradientBoostingClassifier(max_iter=150, random_state=0)
    scores = cross_val_predict(model, x, y, groups=patients, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(y, scores))


def encoded(signals: np.ndarray, y: np.ndarray, patients: np.ndarray, *, epochs: int = 3) -> float:
    """Out-of-fold AUROC of the package's ResNet (width 8) with a linear head, trained from scratch."""
    import torch
    from torch import nn

    from ecglipse.models.resnet import resnet18

    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    scores = np.zeros(len(y))
    data, target = torch.from_numpy(signals).float(), torch.from_numpy(y).float()
    for number, (train, test) in enumerate(folds.split(signals, y, patients)):
        generator = torch.Generator().manual_seed(number)
        body = resnet18(leads=12, width=8, dim=64, generator=generator)
        torch.manual_seed(number)
        model = nn.Sequential(body, nn.Linear(64, 1))
        optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
        for _ in range(epochs):
            order = torch.from_numpy(train)[torch.randperm(len(train), generator=generator)]
            for rows in order.split(64):
                loss = nn.functional.binary_cross_entropy_with_logits(model(data[rows])[:, 0], target[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        model.eval()
        with torch.no_grad():
            scores[test] = torch.cat([model(part)[:, 0] for part in data[test].split(256)]).numpy()
    return float(roc_auc_score(y, scores))


def compare(path: Path, n: int, *, with_encoder: bool) -> dict[str, Any]:
    """Everything that the module's docstring promises."""
    try:
        import neurokit2

        version = neurokit2.__version__
    except ImportError:
        version = None
    theirs, known = real(path, n)
    patients = pd.factorize(known["patient_id"])[0]
    made = simulate_arrays(len(theirs), rhythms=("SR",), seed=0)
    tables = [measurements(signals, with_intervals=version is not None) for signals in (theirs, made.signal)]
    both = pd.concat(tables, ignore_index=True)
    y = np.repeat([1, 0], [len(theirs), len(made.signal)])
    groups = np.concatenate([patients, patients.max() + 1 + pd.factorize(made.truth["patient_id"])[0]])
    result: dict[str, Any] = {
        "name": "realism",
        "n_real": len(theirs),
        "n_real_patients": int(patients.max() + 1),
        "n_simulated": len(made.signal),
        "neurokit2": version,
        "ks": {},
        "median_real": {},
        "median_simulated": {},
    }
    for name in both.columns:
        a, b = (table[name].dropna() for table in tables)
        result["ks"][name] = round(float(ks_2samp(a, b).statistic), 3)
        result["median_real"][name] = round(float(a.median()), 3)
        result["median_simulated"][name] = round(float(b.median()), 3)
    result["sex_and_age_real"] = sex_and_age(tables[0], known)
    result["sex_and_age_simulated"] = sex_and_age(tables[1], made.truth)
    result["measurement_error"] = own_error(made, tables[1]) if version else None
    bands = [name for name in both.columns if name.endswith("Hz")]
    values = {
        "all": list(both.columns),
        "bands": [name for name in bands if not name.startswith("quiet")],
        "without_bands": [name for name in both.columns if name not in bands],
    }
    for name, columns in values.items():
        result[f"auroc_measurements_{name}"] = round(boosted(both[columns].to_numpy(), y, groups), 3)
    if with_encoder:
        signals = np.concatenate([theirs, made.signal]).astype(np.float32)
        result["auroc_encoder"] = round(encoded(signals, y, groups), 3)
        band = butter(4, (0.7, 35), "bandpass", fs=FS, output="sos")
        slim = sosfiltfilt(band, signals, axis=-1).astype(np.float32)
        result["auroc_encoder_0.7-35_hz"] = round(encoded(slim, y, groups), 3)
    return result


def main() -> None:
    """Print one JSON line, or one value a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--store", type=Path, default=Path("stores/ptbxl"))
    parser.add_argument("--n", type=int, default=1024)
    parser.add_argument("--no-encoder", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.store / "manifest.json").is_file():
        sys.exit(
            f"error: {arguments.store}: no store\n\nhint: `ecglipse prepare` PTB-XL, give it by `--store`"
        )
    warnings.filterwarnings("ignore", module="neurokit2")
    result = compare(arguments.store, arguments.n, with_encoder=not arguments.no_encoder)
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
