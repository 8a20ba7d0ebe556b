"""Masks of the segments that a mask network scores highest: what the game is played with."""

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp
from ecglipse.masks.pressure import Pressure
from ecglipse.masks.segments import Choice, count_segments, draw_segments, gumbel
from ecglipse.models.scoring import ScoringNet


class LearnedMask(MaskPolicy):
    """Hides the segments that the mask network scores highest, drawn or decided.

    With u the network's raw scores, the logits are `bound * tanh(u / bound)`, centred over the record, so
    that no segment is ever more than exp(2 * bound) times as likely as another and only differences count.

    Args:
        net: scores segments, as many groups as `form` has, times `rivals`.
        coverage: share hidden.
        segment_s: length of a segment, s.
        fs: Hz.
        form: which leads are hidden together; by default each of the network's groups is a lead, or all.
        bound: largest size of a logit before centring.
        temperature: of the relaxation through which the gradient flows.
        choice: "drawn" adds Gumbel noise to the logits before the top segments are taken, which draws
            segments one by one without replacement in proportion to exp(logit) (Kool et al. 2019,
            arXiv:1903.06059): the same record is hidden differently each time. "decided" takes the top
            segments as they are (the published way). "soft" applies the relaxation itself, for which
            coverage is only approximate; it is there because its gradient is exact.
        rivals: masks that compete for the segments through a softmax over them (Shi et al. 2022,
            arXiv:2201.13100, section 3.2), of which each record gets one, drawn uniformly. 1: none compete.
        every: each record gets every rival, one after the other, as in that paper; one drawn has a gradient
            of the same mean.
        pressure: what the network pays for the shape of its scores.
        chance: share of the records that are hidden by chance, in the same form, whatever the network says.
        reversed_: share of the records from which the lowest scores are hidden instead: of an adversary, what
            the encoder needs least. The network learns from the others alone.
        in_segments: give one value a segment instead of one a sample.
    """

    def __init__(
        self,
        net: ScoringNet,
        *,
        coverage: float | Ramp,
        segment_s: float,
        fs: float,
        form: Form | None = None,
        bound: float = 2.0,
        temperature: float | Ramp = 1.0,
        choice: Choice = "drawn",
        rivals: int = 1,
        every: bool = False,
        pressure: Pressure | None = None,
        chance: float = 0.0,
        reversed_: float = 0.0,
        in_segments: bool = False,
    ) -> None:
        super().__init__()
        self.chance, self.reversed, self.in_segments = chance, reversed_, in_segments
        self.net, self.form, self.rivals = net, form or Form(net.groups // rivals), rivals
        self.every = every
        self.coverage, self.segment_s, self.fs = Ramp.of(coverage), segment_s, fs
        self.bound, self.temperature, self.choice = bound, Ramp.of(temperature), choice
        self.pressure = pressure or Pressure()

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"]:
        """Bounded, centred scores of the segments, of all rivals."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs, form=self.form)
        scores = self.bound * torch.tanh(self.net(x, segments).float() / self.bound)
        if self.form.factorised:
            each = scores.unflatten(1, (self.rivals, -1)).unbind(1)
            scores = torch.cat([self.form.combined(one) for one in each], dim=1)
        each = scores.unflatten(1, (self.rivals, -1))
        if self.rivals > 1:
            each = each.log_softmax(dim=1)
        dims = (2, 3) if self.form.joint else (3,)
        logits: Tensor = (each - each.mean(dim=dims, keepdim=True)).flatten(1, 2)
        return logits

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw a mask; hard in the forward pass, relaxed in the backward pass (straight through)."""
        logits = self.logits(x)
        scores = logits
        if self.rivals > 1:
            which = draws.uniform() * self.rivals
            scores = logits.unflatten(1, (self.rivals, -1))
            scores = scores[torch.arange(len(x), device=x.device), which.long().to(x.device)]
        return Drawn(self._mask(scores, draws, x), logits)

    def draw_all(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> list[Drawn]:
        """Draw a mask of each rival, where every one is applied."""
        if not self.every or self.rivals == 1:
            return [self.draw(x, draws)]
        logits, own = self.logits(x), draws.fork()
        each = logits.unflatten(1, (self.rivals, -1)).unbind(1)
        return [Drawn(self._mask(s, own.child(k), x), logits) for k, s in enumerate(each)]

    def _mask(self, scores: Float[Tensor, "batch group segment"], draws: Draws, x: Tensor) -> Tensor:
        scores = _some_by_chance(scores, draws, share=self.chance, drawn=self.choice == "drawn")
        scores = _some_reversed(scores, draws, share=self.reversed)
        mask = draw_segments(
            scores,
            draws,
            time=scores.shape[-1] if self.in_segments else x.shape[-1],
            form=self.form,
            choice=self.choice,
            coverage=self.coverage.at(self.progress),
            temperature=self.temperature.at(self.progress),
        )
        return mask.to(x.dtype)

    def own_loss(self, drawn: Drawn, difficulty: Float[Tensor, " batch"]) -> Float[Tensor, ""] | None:
        """What the network pays for the shape of its scores."""
        return None if drawn.logits is None else self.pressure(drawn.logits)


def _some_by_chance(
    scores: Float[Tensor, "batch group segment"], draws: Draws, *, share: float, drawn: bool
) -> Float[Tensor, "batch group segment"]:
    """Let chance alone decide in a drawn share of the records: scores are zero, or noise if none is to come.

    Args:
        scores: of the segments.
        draws: of the records, and of the noise.
        share: of the records.
        drawn: the segments will be drawn, so that noise comes to the scores.
    """
    if not share:
        return scores
    kept = (draws.uniform(1, 1) >= share).to(scores.device, scores.dtype)
    return scores * kept if drawn else scores * kept + gumbel(scores, draws) * (1 - kept)


def _some_reversed(
    scores: Float[Tensor, "batch group segment"], draws: Draws, *, share: float
) -> Float[Tensor, "batch group segment"]:
    """Turn the scores of a drawn share of the records upside down, as constants."""
    if not share:
        return scores
    turned = (draws.uniform(1, 1) < share).to(scores.device)
    return torch.where(turned, -scores.detach(), scores)
