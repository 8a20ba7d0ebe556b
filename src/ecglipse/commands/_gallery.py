"""Writes `masks.npz` and `applied.json`: what a run's mask policy hides, in pictures and in numbers."""

import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.checkpoints import write_json
from ecglipse.draws import Draws
from ecglipse.masks import NoMask
from ecglipse.occlusion import applied
from ecglipse.pretrain import Training
from ecglipse.seeding import numpy_rng

DRAWS = 64
MEASURED, TURNS = 128, 4
"""Records whose masks are measured, at most, and how often each is masked."""


def write_gallery(run: Path, training: Training, rows: Int[np.ndarray, " record"], *, count: int) -> None:
    """Draw masks for `count` of these rows, the same rows in every run of a study; and measure them.

    Args:
        run: folder to write to.
        training: the run, at its end.
        rows: of the validation records.
        count: how many are drawn.
    """
    policy = training.game.policy
    if isinstance(policy, NoMask):
        return
    if count:
        _write_pictures(run, training, rows, count=count)
    _write_applied(run, training, rows)


def _write_pictures(run: Path, training: Training, rows: Int[np.ndarray, " record"], *, count: int) -> None:
    """Draw masks for `count` of these rows, often."""
    policy = training.game.policy
    chosen = np.sort(numpy_rng(0, "gallery").permutation(np.sort(rows))[:count])
    x, looked = training.batches.millivolts(chosen), training.looked_at(chosen)
    with torch.no_grad():
        draws = [
            policy.over_time(
                policy(looked, Draws.of(0, "gallery", draw, rows=chosen, device=x.device)), x.shape[-1]
            )
            .expand_as(x)
            .cpu()
            .numpy()
            for draw in range(DRAWS)
        ]
    table = training.batches.store.table.iloc[chosen]
    partial = run / f".masks-{os.getpid()}.npz"
    np.savez_compressed(
        partial,
        signal=x.cpu().numpy(),
        mask=draws[0].round().astype(np.uint8),
        probability=np.mean(draws, axis=0).astype(np.float16),
        fs=np.float64(training.batches.store.fs),
        leads=np.array(training.batches.store.leads),
        titles=np.array([", ".join(codes) or "no statement" for codes in table["codes"]]),
    )
    partial.replace(run / "masks.npz")


def _write_applied(run: Path, training: Training, rows: Int[np.ndarray, " record"]) -> None:
    """Measure the masks of some validation records; the same in every run of a split."""
    chosen = np.sort(numpy_rng(0, "applied").permutation(np.sort(rows))[:MEASURED])
    if len(chosen):
        masks = np.stack([_turn(training, chosen, turn) for turn in range(TURNS)])
        found = applied(masks, fs=training.batches.store.fs)
        write_json(run / "applied.json", asdict(found) | {"records": len(chosen)})


@torch.no_grad()
def _turn(
    training: Training, rows: Int[np.ndarray, " record"], turn: int
) -> Float[np.ndarray, "mask lead time"]:
    """Give the masks of these rows as the encoder gets them; of rivals that are all applied, each.

    Rows of a mask are leads, or bands of frequency.
    """
    policy, size, found = training.game.policy, 32, list[np.ndarray]()
    for part in (rows[start : start + size] for start in range(0, len(rows), size)):
        looked = training.looked_at(part)
        drawn = policy.draw_all(looked, Draws.of(0, "applied", turn, rows=part, device=looked.device))
        for one in drawn:
            mask: Tensor = policy.rows_over_time(policy.shown(one.mask), looked)
            found.append(mask.half().cpu().numpy())
    return np.concatenate(found)
