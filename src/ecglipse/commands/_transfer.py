"""`transfer`: reads an encoder's worth with few labels, and writes each reading to a ledger."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecglipse.errors import CheckpointError

if TYPE_CHECKING:
    from ecglipse.config import Config


@dataclass(frozen=True)
class Transferred:
    """What `transfer` made.

    Args:
        ledger: folder of the ledger.
        added: cells computed by this call.
        skipped: cells that were there already.
        scores: one row a task, probe, validation and fraction, with the mean macro AUROC (of a
            regression, R2) of its cells.
        seconds: of this call.
    """

    ledger: Path
    added: int
    skipped: int
    scores: tuple[dict[str, Any], ...]
    seconds: float


def transfer(
    config: "Path | Config",
    *,
    run: Path,
    rotation: int = 0,
    overrides: Sequence[str] = (),
) -> Transferred:
    """Probe and fine-tune a pretrained encoder on the config's tasks, fractions and draws.

    Args:
        config: a config, or the path of one; must describe the store the run was pretrained on.
        run: folder of a finished pretraining run.
        rotation: which split; must be the one the run was trained on.
        overrides: "a.b=value", where `config` is a path.

    Raises:
        CheckpointError: if the run is missing, unfinished or not of this config.
        TaskError: if a task cannot be had from the store.
    """
    from ecglipse.commands._evaluate import Bench
    from ecglipse.commands._pretrain import run_folder
    from ecglipse.config import Config, load
    from ecglipse.results import Ledger, budget, headline
    from ecglipse.study.plan import Unit

    began = time.monotonic()
    settings = config if isinstance(config, Config) else load(config, overrides=overrides)
    bench, made = Bench(settings, rotation=rotation), _as_made(settings, run)
    found = [
        Unit(name, seed, rotation)
        for name, rule in settings.methods.items()
        if rule.kind == "pretrained"
        for seed in _seeds(settings, run)
        if run_folder(made, name, store=bench.store, split=bench.split, seed=seed).name == run.name
    ]
    if not found:
        raise CheckpointError(
            f"{run}: no method of this config would make this run",
            hint="give the config, overrides and rotation that the run was pretrained with",
        )
    added, skipped = bench.evaluate(found[0], run=run, folder=Path(settings.out))
    lines = [line for line in Ledger(Path(settings.out)).lines() if line["run"] == run.name]
    metric = {line["task"]: headline(line) for line in lines}
    groups: dict[tuple[str, str, str, float], list[float | None]] = {}
    for line in lines:
        key = (line["task"], line["probe"], line["validation"], budget(line))
        groups.setdefault(key, []).append(line["metrics"][headline(line)])
    return Transferred(
        Path(settings.out),
        added,
        skipped,
        tuple(_score(key, found, metric[key[0]]) for key, found in groups.items()),
        time.monotonic() - began,
    )


def _score(key: tuple[str, str, str, float], found: list[float | None], metric: str) -> dict[str, Any]:
    """One row: what was read, the mean over its cells where each has a score, and their number."""
    task, probe, validation, fraction = key
    whole = [score for score in found if score is not None]
    mean = sum(whole) / len(whole) if len(whole) == len(found) else None
    about = {"task": task, "probe": probe, "validation": validation, "fraction": fraction}
    return about | {"metric": metric, metric: mean, "draws": len(found)}


def _as_made(config: "Config", run: Path) -> "Config":
    """The config with the precision that "auto" was where the run was made, which need not be here."""
    from ecglipse.checkpoints import read_json

    said = read_json(run / "config.json").get("pretrain", {}).get("precision")
    if config.pretrain.precision != "auto" or said not in ("fp32", "bf16"):
        return config
    return config.model_copy(update={"pretrain": config.pretrain.model_copy(update={"precision": said})})


def _seeds(config: "Config", run: Path) -> list[int]:
    """The seed that the run's own config names."""
    from ecglipse.checkpoints import read_json

    return [int(read_json(run / "config.json").get("seed", config.study.seeds[0]))]
