"""When the published pretraining ends: its training loss has not fallen for some epochs.

It says little in a min-max game, where a loss that rises may be a stronger adversary; kept to measure that.
"""

import torch
from jaxtyping import Float
from torch import Tensor


class Patience:
    """Counts epochs in a row whose mean loss is not below that of the best before.

    Args:
        epochs: how many end the run.
        state: as `state` gave it, to go on from.
    """

    def __init__(self, epochs: int, state: Float[Tensor, " number"] | None = None) -> None:
        self.epochs = epochs
        self._sum = self._steps = self._worse = 0.0
        self._best = float("inf")
        if state is not None:
            self._sum, self._steps, self._best, self._worse = map(float, state)

    @property
    def over(self) -> bool:
        """Whether it is."""
        return self._worse >= self.epochs

    def lost(self, loss: float, *, epoch_ends: bool) -> bool:
        """Take a step's loss, and say after the last step of an epoch whether the run ends."""
        self._sum, self._steps = self._sum + loss, self._steps + 1
        if epoch_ends:
            mean = self._sum / self._steps
            self._worse = 0.0 if mean < self._best else self._worse + 1
            self._best = min(mean, self._best)
            self._sum = self._steps = 0.0
        return self.over

    def state(self) -> Float[Tensor, " number"]:
        """Sum and number of this epoch's losses, the best mean so far, epochs since."""
        return torch.tensor([self._sum, self._steps, self._best, self._worse], dtype=torch.float64)
