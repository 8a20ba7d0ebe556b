"""What hiding costs a supervised model: AUROC under learned masks and under others of their form. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from ecglipse.seeding import derive
from ecglipse.statistics import bootstrap_macro_auroc, interval, macro_auroc, paired_difference, resample

FEWEST = 10
"""A class with fewer positive or fewer negative test records is kept out of the macro average."""


@dataclass(frozen=True)
class Arm:
    """The model's score on records hidden in one way.

    Args:
        name: "none", "learned", "random" or "shifted".
        auroc: macro AUROC, mean over draws.
        low: lower end of its 95 % interval.
        high: upper end.
        extra_loss: how much more AUROC the learned masks cost than this arm; NaN for "learned" itself.
        extra_low: lower end of its interval.
        extra_high: upper end.
        p_value: of the extra loss, two-sided, paired.
    """

    name: str
    auroc: float
    low: float
    high: float
    extra_loss: float
    extra_low: float
    extra_high: float
    p_value: float


@dataclass(frozen=True)
class Harm:
    """What hiding costs one model on one task.

    Args:
        task: its name.
        model: how it was trained.
        trained: records it learned from.
        tested: records it was tested on.
        draws: masks a record and arm.
        classes: in the macro average.
        left_out: classes with too few test records.
        arms: one each way of hiding.
    """

    task: str
    model: str
    trained: int
    tested: int
    draws: int
    classes: tuple[str, ...]
    left_out: tuple[str, ...]
    arms: tuple[Arm, ...]


def arms(
    scores: Mapping[str, Float[np.ndarray, "draw record class"]],
    truth: UInt8[np.ndarray, "record class"],
    patients: Int[np.ndarray, " record"],
    *,
    replicates: int = 2000,
    seed: int = 0,
) -> tuple[tuple[Arm, ...], np.ndarray]:
    """Give each arm's macro AUROC, and what "learned" costs beyond it on the same records and draws.

    The bootstrap is over patients and draws of masks, paired: every arm has the same replicates.

    Args:
        scores: of the model, by arm; must hold "learned".
        truth: 0 or 1.
        patients: code of each record's patient.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The arms, and which classes are in the macro average.

    Raises:
        ValueError: if there is no arm "learned".
    """
    if "learned" not in scores:
        raise ValueError(f"`scores` must hold the arm 'learned'; got {', '.join(scores)}")
    positives = truth.sum(axis=0)
    keep = (positives >= FEWEST) & (len(truth) - positives >= FEWEST)
    resampling = resample(truth, patients, replicates=replicates, seed=derive(seed, "harm"))
    estimate = {name: macro_auroc(part[None], truth, keep=keep) for name, part in scores.items()}
    again = {
        name: bootstrap_macro_auroc(part[None], truth, resampling, keep=keep) for name, part in scores.items()
    }
    found = []
    for name in scores:
        low, high = interval(again[name])
        extra = (float("nan"),) * 4
        if name != "learned":
            d = paired_difference(again[name], again["learned"], estimate[name], estimate["learned"])
            extra = (d.estimate, d.low, d.high, d.p_value)
        found.append(Arm(name, estimate[name], low, high, *extra))
    return tuple(found), keep
