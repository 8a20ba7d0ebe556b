"""Which batches each step takes: a pure function of the step, so that a resumed run sees the same."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ecglipse.batches import epoch_batches


@dataclass(frozen=True)
class Part:
    """A batch of a step.

    Args:
        rows: of the store, over all ranks.
        epoch: whose order it is of, and whose views it gets.
    """

    rows: Int[np.ndarray, " batch"]
    epoch: int


class Order:
    """The batches of all steps.

    Args:
        rows: rows of the store to train on.
        batch: records a batch, over all ranks.
        accumulate: batches a step; the last step of an epoch takes what is left.
        flows: the published way with what is left: it goes into the next epoch's first step, and what is left
            at the end into none.
        seed: of the order.
        together: a number for each of `rows`; rows of equal number mostly share a batch.

    Attributes:
        batches: in an epoch.
        per_epoch: steps in an epoch; where batches flow, at most.
    """

    def __init__(
        self,
        rows: Int[np.ndarray, " record"],
        *,
        batch: int,
        accumulate: int = 1,
        flows: bool = False,
        seed: int,
        together: Int[np.ndarray, " record"] | None = None,
    ) -> None:
        self.rows, self.batch, self.accumulate, self.flows = rows, batch, accumulate, flows
        self.seed, self.together = seed, together
        self.batches = max(len(rows) // min(batch, len(rows)), 1)
        self.per_epoch = math.ceil(self.batches / accumulate)
        self._kept: dict[int, list[Int[np.ndarray, " batch"]]] = {}

    def steps(self, epochs: int) -> int:
        """Give the number of steps in so many epochs."""
        return self.batches * epochs // self.accumulate if self.flows else self.per_epoch * epochs

    def parts(self, step: int) -> list[Part]:
        """Give the batches of a step, counted from 0."""
        found = [divmod(number, self.batches) for number in self._numbers(step)]
        return [Part(self._epoch(epoch)[place], epoch) for epoch, place in found]

    def epoch(self, step: int) -> int:
        """Give the epoch in which a step begins."""
        return self._numbers(step)[0] // self.batches

    def left_in_epoch(self, step: int) -> int:
        """Give the steps from this one on that begin in its epoch, itself counted."""
        some = 1
        while self.epoch(step + some) == self.epoch(step):
            some += 1
        return some

    def _numbers(self, step: int) -> range:
        """The batches of a step, counted through all epochs."""
        if self.flows:
            return range(step * self.accumulate, (step + 1) * self.accumulate)
        epoch, window = divmod(step, self.per_epoch)
        first, end = epoch * self.batches + window * self.accumulate, (epoch + 1) * self.batches
        return range(first, min(first + self.accumulate, end))

    def _epoch(self, epoch: int) -> list[Int[np.ndarray, " batch"]]:
        """The batches of an epoch; those of the one before are kept too, as a step may take of both."""
        if epoch not in self._kept:
            self._kept = {past: own for past, own in self._kept.items() if past == epoch - 1}
            self._kept[epoch] = epoch_batches(
                self.rows, batch=self.batch, seed=self.seed, epoch=epoch, together=self.together
            )
        return self._kept[epoch]
