"""How much of an encoder fine-tuning moves, and how fast: its last stages, earlier ones slower."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from ecglipse.models.layers import Encoder

Stage = tuple[nn.Module, ...]


def stages(encoder: nn.Module) -> tuple[Stage, ...]:
    """Give an encoder's stages from input to output; a network that names none is one stage."""
    return encoder.by_depth() if isinstance(encoder, Encoder) else ((encoder,),)


def moving(encoder: nn.Module, *, unfrozen: int | None) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
    """Part an encoder into the stages that stay and those that move.

    Args:
        encoder: in stages.
        unfrozen: last stages that move; None: all.

    Raises:
        ValueError: if `unfrozen` is not fewer than there are: all of them have one name only, None.
    """
    found = stages(encoder)
    if unfrozen is None:
        return (), found
    if not 0 <= unfrozen < len(found):
        raise ValueError(
            f"`unfrozen` must be at least 0 and below the {len(found)} stages of the encoder, or None for "
            f"all; got {unfrozen}"
        )
    return found[: len(found) - unfrozen], found[len(found) - unfrozen :]


def paced(moved: Sequence[Stage], *, peak: float, decay: float) -> list[dict[str, Any]]:
    """Give the groups of an optimiser: stage k of n, counted from 1, has the peak rate

        peak * decay ** (n - k)

    Args:
        moved: the stages that move, from input to output.
        peak: rate of the last stage.
        decay: factor from a stage to the one before it, 0 < decay <= 1.

    Raises:
        ValueError: if `decay` is none.

    Source:
        Howard and Ruder 2018, arXiv:1801.06146, section 3.2 (discriminative fine-tuning: a factor of 1 / 2.6
        a layer). Departures: by stage, the factor is the caller's.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"`decay` must be above 0 and at most 1; got {decay}")
    return [
        {"params": weights, "peak": peak * decay ** (len(moved) - number)}
        for number, stage in enumerate(moved, start=1)
        if (weights := [weight for module in stage for weight in module.parameters()])
    ]


def hold(kept: Sequence[Stage]) -> None:
    """Keep stages as they are: no gradient, and BatchNorm by its running statistics, which stay too."""
    for stage in kept:
        for module in stage:
            module.requires_grad_(requires_grad=False)
            module.eval()
