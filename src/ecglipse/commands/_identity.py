"""The name of a cell: a hash of everything that its numbers owe to. Pure."""

from pathlib import Path
from typing import Any

from ecglipse.commands._places import Place
from ecglipse.config import Config, Published, Transfer
from ecglipse.config import Encoder as EncoderSettings
from ecglipse.results import cell_id
from ecglipse.study.plan import SEEDLESS, Cell, Unit
from ecglipse.transfer.handcrafted import VERSION as MEASUREMENTS_VERSION

RESULTS_VERSION = 4
"""Raised when a change of the code changes what a cell means; old cells are then computed anew."""


def identity(config: Config, unit: Unit, cell: Cell, *, run: Path | None, place: Place) -> str:
    """Hash of everything that determines a cell's numbers.

    Args:
        config: of the study.
        unit: whose encoder.
        cell: how it is read.
        run: folder of the encoder's pretraining, where it had one.
        place: where it is read.
    """
    own, kind = config.of(unit.method), config.methods[unit.method].kind
    tuned = cell.probe == "finetune"
    encoder: Any = run.name.rsplit("-", 1)[-1] if run else [unit.seed, own.encoder.of_pretraining()]
    if kind in SEEDLESS:
        encoder = [kind, MEASUREMENTS_VERSION]
    return cell_id(
        version=RESULTS_VERSION,
        method=unit.method,
        store=place.store.digest,
        split=place.split.digest,
        encoder=encoder,
        kind=kind,
        task=cell.task,
        probe=cell.probe,
        fraction=cell.fraction,
        draw=cell.draw,
        validation=cell.validation,
        settings=[tuned_by(config.transfer, scratch=kind == "scratch"), own.views.of_finetuning()]
        if tuned
        else None,
        **({"disturbance": cell.disturbance} if cell.disturbance else {}),
        **({"average": "read"} if run and own.pretrain.ema and not config.pretrain.ema else {}),
        **read_as(own.encoder, said=kind in SEEDLESS),
        **as_published(own.published, tuned=tuned, said=run is not None or kind in SEEDLESS),
    )


def read_as(rule: EncoderSettings, *, said: bool) -> dict[str, str]:
    """Which features of an encoder a cell's numbers owe to, where they are not those of its last layer."""
    return {} if said or rule.features == "last" else {"features": rule.features}


def as_published(rule: Published, *, tuned: bool, said: bool) -> dict[str, Any]:
    """The published choices of transfer that a cell's numbers owe to, and its encoder's id has not said."""
    found: dict[str, Any] = {}
    if not said and rule.scaling != "none":
        found["scaling"] = "record"
    if not said and rule.attention != "record":
        found["attention"] = rule.attention
    if tuned and rule.finetuning != "moves":
        found["finetuning"] = rule.finetuning
    if tuned and rule.kept != "best":
        found["kept"] = rule.kept
    return {"published": found} if found else {}


def tuned_by(rule: Transfer, *, scratch: bool) -> dict[str, Any]:
    """What fine-tuning is set to; of how stages move only what has an effect."""
    found = {key: value for key, value in rule.model_dump().items() if key.startswith("finetune_")}
    idle = {"finetune_draws", "finetune_fractions"}
    if rule.finetune_head_hidden is None:
        idle.add("finetune_head_hidden")
    if scratch or rule.finetune_unfrozen is None:
        idle.add("finetune_unfrozen")
    if scratch or rule.finetune_rate_decay == 1.0 or rule.finetune_unfrozen in (0, 1):
        idle.add("finetune_rate_decay")
    return {key: value for key, value in found.items() if key not in idle}
