"""What stands in hidden places: a contract, and six ways.

The plain functions `baseline_fill` and `bridge_fill` are in `ecglipse.views.masking`.
"""

import math
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


class MatchedNoiseFill(Fill):
    """Noise of the spectrum of what is visible of the lead: its phases are drawn, the same for all leads.

    With v the lead less its visible mean, 0 where it is hidden, p the visible share and an angle drawn for
    each frequency,

        fill = mean + IFFT( exp(i angle) FFT(v) ) / sqrt(p),

    so its power is that of what is visible, and leads that are hidden together keep their algebra, as all is
    linear in the lead. Spectra are blurred by the gaps. A lead hidden whole gets the spectrum of the whole.

    Source:
        Theiler et al. 1992 (doi:10.1016/0167-2789(92)90102-S), with the same angles for all leads as Prichard
        and Theiler 1994 (doi:10.1103/PhysRevLett.73.951). Departures: it is made of a part of the signal.
    """

    def forward(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group time"],
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Draw the noise."""
        time, exact = x.shape[-1], x.double() if x.dtype == torch.float64 else x.float()
        seen = (mask.detach() < 0.5).expand_as(x)
        seen = (seen | ~seen.any(-1, keepdim=True)).to(exact)
        share = seen.mean(-1, keepdim=True)
        level = (exact * seen).mean(-1, keepdim=True) / share
        spectrum = torch.fft.rfft((exact - level) * seen / share.sqrt())
        angle = 2 * math.pi * draws.uniform(1, time // 2 + 1).to(exact)
        angle[..., 0] = 0
        if time % 2 == 0:
            angle[..., -1] = 0
        turned = spectrum * torch.polar(torch.ones_like(angle), angle)
        made: Tensor = level + torch.fft.irfft(turned, n=time)
        return made.to(x.dtype)


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
