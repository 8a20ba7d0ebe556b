"""The published masks over time and frequency, kept to measure what it costs that no gradient reaches them.

Each lead has a soft mask of its own transform. Published, the transform is made outside of the graph, so that
the mask network learns from its penalty alone. Not a recommendation.
"""

import math
from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ecglipse.draws import Draws
from ecglipse.masks.fills import Fill
from ecglipse.masks.policy import Drawn, MaskPolicy
from ecglipse.masks.published import penalty
from ecglipse.masks.transform import signal, spectrum
from ecglipse.models.scoring import ScoringNet

WINDOW_S = 2.0
"""Of the published transform: 999 samples at 500 Hz, a second from one to the next."""


class PublishedSpectralMask(MaskPolicy):
    """Multiplies the transform of each lead by 1 - m, m the sigmoid of scores that stand in rows.

    The scores over time are stretched to as many as the transform has cells and read as rows of frames, one
    frequency after the other, so that what is scored at neighbouring moments hides neighbouring frames.

    Args:
        net: scores frames, a group a lead.
        fs: Hz.
        alpha: weight of the penalty, alpha * sum over leads of mean_b 1 / sin(ratio pi mean m).
        ratio: of the penalty.
        guarded: the penalty is, as in `penalty`.
        transform: "outside" of the graph, the published way, or "inside".

    Source:
        Bo et al. 2022, arXiv:2211.07889, and its code. Departures: windows of 2 s for 1.998 s, so that frames
        overlap by half and a mask of zeros gives the record back, at its own length.
    """

    def __init__(
        self,
        net: ScoringNet,
        *,
        fs: float,
        alpha: float = 0.1,
        ratio: float = 1.0,
        guarded: bool = True,
        transform: Literal["outside", "inside"] = "outside",
    ) -> None:
        super().__init__()
        self.net, self.fs, self.alpha, self.ratio, self.guarded = net, fs, alpha, ratio, guarded
        self.transform = transform
        self.hop = max(round(WINDOW_S * fs / 2), 1)

    @property
    def n_fft(self) -> int:
        """Samples of the window: two hops."""
        return 2 * self.hop

    @property
    def bins(self) -> int:
        """Frequencies of the transform."""
        return self.n_fft // 2 + 1

    def frames(self, time: int) -> int:
        """How many frames the transform of a record of `time` samples has."""
        return time // self.hop + 1

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch lead segment"]:
        """Scores over time, as the network gives them."""
        scores: Tensor = self.net(x, max(math.ceil(x.shape[-1] * self.net.frame_hz / self.fs), 4)).float()
        return scores

    def soft(
        self, logits: Float[Tensor, "batch lead segment"], frames: int
    ) -> Float[Tensor, "batch lead bin frame"]:
        """The masks of the transform's cells, 0 to 1."""
        stretched = functional.interpolate(logits.sigmoid(), size=self.bins * frames, mode="nearest")
        masks: Tensor = stretched.unflatten(-1, (self.bins, frames))
        return masks

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Give the masks, of which nothing is drawn; a group is a lead's frequency, a place a frame."""
        logits = self.logits(x)
        mask = self.soft(logits, self.frames(x.shape[-1])).flatten(1, 2).to(x.dtype)
        return Drawn(mask.detach() if self.transform == "outside" else mask, logits)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """The penalty on how much is hidden."""
        if drawn.logits is None:
            return None
        shares = self.soft(drawn.logits, drawn.mask.shape[-1]).mean((-2, -1))
        return self.alpha * penalty(shares, ratio=self.ratio, guarded=self.guarded)

    def hide(
        self,
        x: Float[Tensor, "batch lead time"],
        mask: Float[Tensor, "batch group place"],
        fill: Fill,
        draws: Draws,
    ) -> Float[Tensor, "batch lead time"]:
        """Take out of each lead's transform what its mask says."""
        whole = spectrum(x, n_fft=self.n_fft, hop=self.hop)
        kept = 1 - mask.unflatten(1, (x.shape[1], self.bins))
        return signal(whole * kept, x, n_fft=self.n_fft, hop=self.hop)

    def removed(self, mask: Float[Tensor, "batch group place"]) -> Float[Tensor, ""]:
        """Give the mean of the masks over all cells."""
        return mask.mean()

    def over_time(
        self, mask: Float[Tensor, "batch group place"], time: int
    ) -> Float[Tensor, "batch some {time}"]:
        """Give how much of each lead's frequencies is hidden at each sample."""
        by_lead = mask.unflatten(1, (-1, self.bins)).mean(2)
        return functional.interpolate(by_lead, size=time, mode="nearest")
