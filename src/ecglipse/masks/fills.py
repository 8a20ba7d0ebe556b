"""What stands in hidden places: a contract, and six ways.

The plain functions `baseline_fill` and `bridge_fill` are in `ecglipse.views.masking`.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.draws import Draws
from ecglipse.views.masking import baseline_fill, bridge_fill


class Fill(nn.Module, ABC):
    """Gives what stands in hidden places, mV."""

    @abstractmethod
    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead #time"]:
        """Give a value for every place; only hidden ones are used."""


class BaselineFill(Fill):
    """The isoelectric level of each lead."""

    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead 1"]:
        """Give each lead's median."""
        return baseline_fill(x, mask)


class BridgeFill(Fill):
    """A straight line from the last visible sample to the next one."""

    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Give the lines."""
        return bridge_fill(x, mask)


class ZeroFill(Fill):
    """0 mV, whatever the record's own baseline."""

    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead 1"]:
        """Give zeros."""
        return x.new_zeros(*x.shape[:2], 1)


class MinimumFill(Fill):
    """The lowest value of the whole record: what zeros are after min-max scaling, the published way."""

    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead 1"]:
        """Give each record's minimum for all its leads."""
        return x.amin(dim=(1, 2), keepdim=True).expand(-1, x.shape[1], 1)


class NoiseFill(Fill):
    """White noise about the isoelectric level, of the standard deviation of what is visible of the lead."""

    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Draw the noise; a lead hidden whole gets that of the whole lead."""
        level = baseline_fill(x, mask)
        visible = (mask.detach() < 0.5).to(x.dtype).expand_as(x)
        visible = torch.where(visible.any(-1, keepdim=True), visible, torch.ones_like(visible))
        power = ((x - level) ** 2 * visible).sum(-1, keepdim=True) / visible.sum(-1, keepdim=True)
        noise = draws.normal(*x.shape[1:]).to(x)
        return level + power.sqrt() * noise


class TokenFill(Fill):
    """A learned level per lead, mV; it learns with the encoder.

    Args:
        leads: of the input.
    """

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(leads, 1))

    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead 1"]:
        """Give the levels."""
        return self.level.to(x.dtype).expand(x.shape[0], -1, 1)
