"""Does a mask network that is trained for real hide the one wave that tells records apart, and is that found?

    python benchmarks/planted_wave.py --json [--kind T] [--epochs 30] [--records 512] [--any-phase]

Records of equal beats (P, QRS and T as Gaussians, at the same times), but for one wave, the planted one: its
shape and its lead vector are drawn for each record, and are the same in all of its beats. Nothing else tells
two records apart but white noise, and with `--any-phase` when the beats come. An encoder and its masks are
pretrained as in a study, and `ecglipse masks` looks at records that they have not seen. One line with the
enrichment of each region, p after Holm, and the planted wave's rank, for adversarial and for random masks.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from ecglipse.commands import masks, pretrain
from ecglipse.config import check
from ecglipse.leads import LEADS
from ecglipse.records.record import Record, Wave
from ecglipse.store import StoreWriter

FS, SECONDS, RR_S = 100.0, 10.0, 0.9
WAVES = {"P": (-0.20, 0.10), "QRS": (-0.05, 0.10), "T": (0.18, 0.20)}
"""Onset relative to the beat and length, s."""


def write_store(path: Path, n: int, *, kind: str, any_phase: bool, seed: int = 0) -> None:
    """Write a store of `n` records with the planted wave."""
    rng = np.random.default_rng(seed)
    vectors = {name: rng.normal(0, 1, 12) for name in WAVES}
    size = {"P": 0.15, "QRS": 1.0, "T": 0.3}
    with StoreWriter(
        path, corpus="planted", fs=FS, duration_s=SECONDS, vocabulary={}, processing=[]
    ) as writer:
        for number in range(n):
            own = {
                name: np.outer(size[name] * vector, bumps(name, [1.0])) for name, vector in vectors.items()
            }
            shape = rng.normal(0, 1, 3)
            own[kind] = np.outer(rng.normal(0, size[kind], 12), bumps(kind, shape / np.linalg.norm(shape)))
            writer.add(record(number, own, rng, any_phase=any_phase))
        writer.commit()


def bumps(kind: str, heights: object) -> np.ndarray:
    """A wave of Gaussian bumps side by side, over its length."""
    heights = np.asarray(heights, dtype=float)
    t = np.arange(round(WAVES[kind][1] * FS)) / (WAVES[kind][1] * FS)
    centres = (np.arange(heights.size) + 1) / (heights.size + 1)
    return heights @ np.exp(-(((t - centres[:, None]) * 2.5 * (heights.size + 1)) ** 2))


def record(number: int, own: dict[str, np.ndarray], rng: np.random.Generator, *, any_phase: bool) -> Record:
    """One record: its waves in each beat, noise, and the marks of the waves that lie wholly inside."""
    time_n = round(SECONDS * FS)
    x = rng.normal(0, 0.02, (12, time_n))
    marks = []
    first = rng.uniform(0, RR_S) if any_phase else RR_S / 2
    for beat in np.arange(first, SECONDS + RR_S, RR_S):
        for name, (onset, _) in WAVES.items():
            start = round((beat + onset) * FS)
            stop = start + own[name].shape[1]
            if stop <= 0 or start >= time_n:
                continue
            inside = slice(max(start, 0), min(stop, time_n))
            x[:, inside] += own[name][:, inside.start - start : inside.stop - start]
            if start >= 0 and stop <= time_n:
                marks.append(Wave(name, start / FS, (start + stop) / 2 / FS, stop / FS))  # type: ignore[arg-type]
    name = f"planted-{number}"
    return Record(x.astype(np.float32), FS, LEADS, name, name, "planted", waves=tuple(marks))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON line (always)")
    parser.add_argument("--kind", choices=sorted(WAVES), default="T")
    parser.add_argument("--records", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--any-phase", action="store_true")
    arguments = parser.parse_args()
    began = time.monotonic()
    result: dict[str, object] = {
        "name": "planted_wave",
        "planted": arguments.kind,
        "epochs": arguments.epochs,
    }
    with tempfile.TemporaryDirectory() as place:
        store = Path(place) / "store"
        write_store(store, arguments.records, kind=arguments.kind, any_phase=arguments.any_phase)
        config = check(
            {
                "name": "planted",
                "store": str(store),
                "out": str(Path(place) / "out"),
                "split": {"kind": "patients"},
                "encoder": {"width": 8, "dim": 64},
                "masks": {"coverage": 0.25, "segment_s": 0.1},
                "pretrain": {"epochs": arguments.epochs, "batch": arguments.batch},
                "methods": {
                    "random": {"masks": "random"},
                    "adversarial": {"masks": "adversarial"},
                },
            },
            where="planted",
        )
        for method in config.methods:
            epochs = 1 if method == "random" else arguments.epochs
            own = config.model_copy(
                update={"pretrain": config.pretrain.model_copy(update={"epochs": epochs})}
            )
            run = pretrain(own, method=method, seed=arguments.seed, progress=False).run
            made = masks(run, store, draws=16, pictures=0, out=Path(place) / method)
            rows = [r for r in json.loads(made.json.read_text())["enrichments"] if r["lead"] is None]
            ranked = sorted(rows, key=lambda row: -row["ratio"])
            result[method] = {
                "ratio": {row["region"]: round(row["ratio"], 3) for row in rows},
                "p_holm": {row["region"]: round(row["p_holm"], 4) for row in rows},
                "rank_of_planted": [row["region"] for row in ranked].index(arguments.kind) + 1,
                "records": made.records,
            }
    print(json.dumps(result | {"seconds": round(time.monotonic() - began)}))


if __name__ == "__main__":
    main()
