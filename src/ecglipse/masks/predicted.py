"""Masks of the segments that a network predicts to be hard, by regression and not by a game."""

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp
from ecglipse.masks.segments import count_segments, draw_segments
from ecglipse.models.scoring import ScoringNet


class PredictedMask(MaskPolicy):
    """Hides what a network predicts to be hard, learned by regression and not by a game.

    The network's mean score over the hidden places predicts the difficulty of the record's positive pair,
    standardised over the batch; masks are drawn in proportion to exp(score), bounded as in `LearnedMask`.
    No gradient passes the encoder, so the policy costs no more than a random one and its own regression.

    Source:
        Wang et al. 2023, arXiv:2304.05919 (hard patches mining). Departures: the difficulty is that of the
        contrast, there that of a reconstruction; one number a record, there one a patch.
    """

    def __init__(
        self,
        net: ScoringNet,
        *,
        form: Form,
        coverage: float | Ramp,
        segment_s: float,
        fs: float,
        bound: float = 2.0,
    ) -> None:
        super().__init__()
        self.net, self.form = net, form
        self.coverage, self.segment_s, self.fs, self.bound = Ramp.of(coverage), segment_s, fs, bound

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"]:
        """The predicted difficulty of hiding each segment."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs, form=self.form)
        return self.form.combined(self.net(x, segments).float())

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw a mask; it carries no gradient, the scores do."""
        logits = self.logits(x)
        scores = self.bound * torch.tanh(logits.detach() / self.bound)
        mask = draw_segments(
            scores,
            draws,
            time=x.shape[-1],
            form=self.form,
            choice="drawn",
            coverage=self.coverage.at(self.progress),
            temperature=1.0,
        )
        return Drawn(mask.detach().to(x.dtype), logits)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """Squared error of the predicted difficulty, in units of the batch's variance."""
        if drawn.logits is None:
            return None
        hidden = torch.nn.functional.adaptive_avg_pool1d(drawn.mask.float(), drawn.logits.shape[-1])
        hidden = self.form.over_groups(hidden) if self.form.lead_of else hidden
        predicted = (drawn.logits * hidden).sum((1, 2)) / hidden.sum((1, 2)).clamp(min=1e-6)
        wanted = (difficulty - difficulty.mean()) / difficulty.std(correction=0).clamp(min=1e-6)
        return (predicted - wanted).square().mean()
