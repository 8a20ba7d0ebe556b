"""Features of records from a frozen encoder, computed once and cached by the caller."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@torch.no_grad()
def features(
    encoder: nn.Module,
    signals: Callable[[Int[np.ndarray, " batch"]], Tensor],
    rows: Int[np.ndarray, " record"],
    *,
    batch: int = 256,
) -> Float[np.ndarray, "record dim"]:
    """Give the encoder's features of these rows, in evaluation mode; the encoder is left as it was.

    Args:
        encoder: (batch, lead, time) to (batch, dim).
        signals: gives the records of rows of the store in mV on the encoder's device.
        rows: of the store.
        batch: records at once; the result does not depend on it beyond rounding.
    """
    was_training = encoder.training
    encoder.eval()
    try:
        parts = [
            encoder(signals(rows[start : start + batch])).float().cpu().numpy()
            for start in range(0, len(rows), batch)
        ]
    finally:
        encoder.train(was_training)
    return np.concatenate(parts)
