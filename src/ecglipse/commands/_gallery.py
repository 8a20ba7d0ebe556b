"""Writes `masks.npz`: what a run's mask policy hides from a few validation records."""

import os
from pathlib import Path

import numpy as np
import torch

from ecglipse.draws import Draws
from ecglipse.masks import NoMask
from ecglipse.pretrain import Training
from ecglipse.seeding import numpy_rng
from ecglipse.splits import Split

DRAWS = 64


def write_gallery(run: Path, training: Training, split: Split, *, count: int) -> None:
    """Draw masks for `count` validation records, the same ones in every run of a study.

    Args:
        run: folder to write to.
        training: the run, at its end.
        split: of the store; training records are drawn where none validates.
        count: how many.
    """
    policy = training.game.policy
    if isinstance(policy, NoMask) or count < 1:
        return
    rows = split.validation if len(split.validation) else split.train
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
