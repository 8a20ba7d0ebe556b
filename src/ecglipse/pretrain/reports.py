"""What is told of a step: as numbers, and before that as tensors that nobody has waited for yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ecglipse.pretrain.watch import Look


@dataclass(frozen=True)
class StepReport:
    """What happened in one step; all numbers are plain floats, None where there is nothing to tell.

    Args:
        step: steps done, this one included.
        epoch: epoch the step belongs to, from 0.
        loss: mean of the step's batches, in the objective's unit.
        coverage: share of the signal that is hidden; a tapered edge counts by what it takes.
        learning_rate: of the encoder in this step.
        encoder_grad: norm of the gradient of encoder and projection, before clipping.
        mask_grad: norm of the mask network's gradient; None where it did not play.
        ratio: `mask_grad` over `encoder_grad`.
        spread: standard deviation of the logits over a record's segments; 0 = the network is indifferent.
        variation: standard deviation of the logits between records, segment by segment; 0 = it gives every
            record the same mask.
        records: records seen in this step.
        look: what a look at the game saw, with alarms; None in steps without one.
    """

    step: int
    epoch: int
    loss: float
    coverage: float
    learning_rate: float
    encoder_grad: float
    mask_grad: float | None
    ratio: float | None
    spread: float | None
    variation: float | None
    records: int
    look: Look | None = None


@dataclass(frozen=True)
class Played:
    """A step whose numbers may still be on the device.

    Args: as in `StepReport`, but a tensor for each number; `losses` and `coverages` have one for each batch.
    """

    step: int
    epoch: int
    learning_rate: float
    records: int
    losses: list[Tensor]
    coverages: list[Tensor]
    encoder_grad: Tensor
    mask_grad: Tensor | None
    spread: tuple[Tensor, Tensor] | None
    look: Look | None

    def numbers(self) -> list[Tensor]:
        """All of them, in the order in which `reported` takes them."""
        grads = [self.encoder_grad] + ([] if self.mask_grad is None else [self.mask_grad])
        return [*self.losses, *self.coverages, *grads, *(self.spread or ())]

    def reported(self, numbers: Iterator[float]) -> StepReport:
        """The report, of the numbers read; as many are taken as there are."""
        n = len(self.losses)
        losses, coverages = ([next(numbers) for _ in range(n)] for _ in range(2))
        encoder_grad = next(numbers)
        mask_grad = None if self.mask_grad is None else next(numbers)
        return StepReport(
            step=self.step,
            epoch=self.epoch,
            loss=sum(losses) / n,
            coverage=sum(coverages) / n,
            learning_rate=self.learning_rate,
            encoder_grad=encoder_grad,
            mask_grad=mask_grad,
            ratio=ratio(mask_grad, encoder_grad),
            spread=None if self.spread is None else next(numbers),
            variation=None if self.spread is None else next(numbers),
            records=self.records,
            look=self.look,
        )


def ratio(mask_grad: float | None, encoder_grad: float) -> float | None:
    """Norm of the mask network's gradient over the encoder's; None where one has none."""
    return None if mask_grad is None or encoder_grad == 0 else mask_grad / encoder_grad


def read(played: Sequence[Played]) -> Iterator[StepReport]:
    """Read the numbers of these steps, all at once, and give a report of each."""
    numbers = iter(torch.stack([n.detach().double() for step in played for n in step.numbers()]).tolist())
    return (step.reported(numbers) for step in played)
