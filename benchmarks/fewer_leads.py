"""What an encoder is worth with fewer leads, trained with lead drop and without.

    python benchmarks/fewer_leads.py stores/ptbxl --json

Two encoders of configs/pack-quick.toml (random masks over all leads), alike but for `encoder.lead_drop`, one
seed, fewer epochs; macro AUROC of a linear probe with all labels on the test fold, with the leads of each
set and zeros for the others. "own": the probe has learned on the same leads; "all": on all twelve.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import ecglipse
from ecglipse.commands import pretrain
from ecglipse.commands._places import places
from ecglipse.config import Config, load
from ecglipse.leads import LEADS
from ecglipse.metrics import best_thresholds, evaluate
from ecglipse.transfer.probes import linear_probe

CONFIG = Path(__file__).parents[1] / "configs" / "pack-quick.toml"
SETS = {"12": LEADS, "6 limb": LEADS[:6], "I, II": LEADS[:2], "I": LEADS[:1], "V2": ("V2",)}


def config(store: str, out: str, *, share: float, epochs: int) -> Config:
    """The config of one encoder."""
    changes = {
        "store": json.dumps(store),
        "out": json.dumps(out),
        "methods": '{random={masks="random",leads="shared"}}',
        "study.baselines": "[]",
        "encoder.lead_drop": share,
        "pretrain.epochs": epochs,
    }
    return load(CONFIG, overrides=[f"{path}={value}" for path, value in changes.items()])


def read(settings: Config, run: Path, task: str) -> dict[str, float | None]:
    """Macro AUROC for each set of leads."""
    encoder, place = ecglipse.load(run), places(settings, rotation=0)[""]
    labels, parts = place.parts(task)
    train, validation, test = (parts[name] for name in ("train", "validation", "test"))

    def features(rows: np.ndarray, leads: tuple[str, ...]) -> np.ndarray:
        x = place.batches.millivolts(rows)[:, [LEADS.index(lead) for lead in leads]]
        return encoder.encode(x, leads=leads).numpy()

    found = {}
    for name, leads in SETS.items():
        for how, seen in (("own", leads), ("all", LEADS)):
            probe = linear_probe(
                features(train.rows, seen),
                train.y,
                features(validation.rows, seen),
                validation.y,
                features(test.rows, leads),
                kind=labels.task.kind,
            )
            read = evaluate(
                test.y,
                probe.test_scores,
                kind=labels.task.kind,
                classes=labels.task.classes,
                thresholds=best_thresholds(validation.y, probe.validation_scores),
            )
            score = read.metrics["macro_auroc"]
            found[f"{task}, {name} leads, probe on {how}"] = None if score is None else round(score, 3)
    return found


def main() -> None:
    """Print one JSON line, or a few lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", help="PTB-XL's at 100 Hz")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--tasks", nargs="*", default=["superclass", "sex"])
    arguments = parser.parse_args()
    result: dict[str, object] = {"name": "fewer_leads", "epochs": arguments.epochs}
    with tempfile.TemporaryDirectory() as folder:
        for share in (0.0, 0.5):
            settings = config(arguments.store, folder, share=share, epochs=arguments.epochs)
            run = pretrain(settings, progress=False).run
            for task in arguments.tasks:
                result |= {f"drop {share}, {k}": v for k, v in read(settings, run, task).items()}
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
