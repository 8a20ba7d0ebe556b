"""Masks of whole segments in time, hidden by chance, by the mask network, or by a guide that learns nothing.

All three take their masks from scores by the one function `draw_segments`, so that two policies of the same
form, coverage and segments differ in *where* they hide and in nothing else.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.masks.guides import Guide
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp
from ecglipse.masks.pressure import Pressure
from ecglipse.models.scoring import ScoringNet
from ecglipse.views.masking import (
    exact_mask,
    random_mask,
    ranked,
    relaxed_shares,
    spread,
    straight_through,
)

Choice = Literal["drawn", "decided", "soft"]


class RandomMask(MaskPolicy):
    """Hides uniformly random segments.

    Args:
        form: which leads are hidden together.
        coverage: share hidden.
        segment_s: length of a segment, s; 1 / fs hides random points, the record's length whole leads.
        fs: Hz.
        in_segments: give one value a segment instead of one a sample.
    """

    def __init__(
        self, *, form: Form, coverage: float | Ramp, segment_s: float, fs: float, in_segments: bool = False
    ) -> None:
        super().__init__()
        self.form, self.coverage, self.segment_s, self.fs = form, Ramp.of(coverage), segment_s, fs
        self.in_segments = in_segments

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw segments without looking at the records."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs, form=self.form)
        mask = random_mask(
            x.shape[0],
            self.form.groups,
            segments if self.in_segments else x.shape[-1],
            draws,
            coverage=self.coverage.at(self.progress),
            n_segments=segments,
            joint=self.form.joint,
        )
        return Drawn(self.form.over_leads(mask.to(x.device, x.dtype)))


class NoiseMask(MaskPolicy):
    """Hides where noise of a band of frequencies is high: clumps and gaps of a chosen size, without learning.

    White noise a group and segment, its frequencies outside the band taken out; the highest segments are
    hidden. Low bands hide few long stretches, high ones many short ones, both of the same coverage.

    Args:
        form: which leads are hidden together.
        coverage: share hidden.
        segment_s: length of a segment, s; the noise has nothing above 1 / (2 segment_s) Hz.
        fs: Hz.
        band_hz: lowest and highest frequency, Hz.

    Source:
        Hinojosa et al. 2024, arXiv:2407.13036 (ColorMAE), in one dimension. Departures: exact coverage.
    """

    def __init__(
        self,
        *,
        form: Form,
        coverage: float | Ramp,
        segment_s: float,
        fs: float,
        band_hz: tuple[float, float],
    ) -> None:
        super().__init__()
        self.form, self.coverage, self.segment_s, self.fs = form, Ramp.of(coverage), segment_s, fs
        self.band_hz = band_hz

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw noise and hide its highest segments, without looking at the records."""
        time = x.shape[-1]
        segments = count_segments(time, segment_s=self.segment_s, fs=self.fs, form=self.form)
        white = draws.normal(self.form.groups, segments)
        hz = torch.fft.rfftfreq(segments, d=time / self.fs / segments, device=white.device)
        inside = (hz >= self.band_hz[0]) & (hz <= self.band_hz[1])
        scores = torch.fft.irfft(torch.fft.rfft(white) * inside, n=segments)
        mask = exact_mask(scores, time=time, coverage=self.coverage.at(self.progress), joint=self.form.joint)
        return Drawn(self.form.over_leads(mask.to(x.device, x.dtype)))


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
        logits = self.logits(x)
        each = logits.unflatten(1, (self.rivals, -1)).unbind(1)
        return [Drawn(self._mask(s, draws.child(k), x), logits) for k, s in enumerate(each)]

    def _mask(self, scores: Float[Tensor, "batch group segment"], draws: Draws, x: Tensor) -> Tensor:
        scores = some_by_chance(scores, draws, share=self.chance)
        scores = some_reversed(scores, draws, share=self.reversed)
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


class GuidedMask(MaskPolicy):
    """Hides by the scores of a guide that does not learn: waves, or what the encoder looks at.

    Args:
        guide: gives standardised scores.
        form: which leads are hidden together.
        coverage: share hidden.
        segment_s: length of a segment, s.
        fs: Hz.
        bound: weight of the scores against the Gumbel noise: 0 hides at random.
    """

    def __init__(
        self,
        guide: Guide,
        *,
        form: Form,
        coverage: float | Ramp,
        segment_s: float,
        fs: float,
        bound: float = 2.0,
    ) -> None:
        super().__init__()
        self.guide, self.form = guide, form
        self.coverage, self.segment_s, self.fs, self.bound = Ramp.of(coverage), segment_s, fs, bound

    def logits(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch choice segment"]:
        """The guide's scores, bounded and centred."""
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs, form=self.form)
        per_lead = self.guide(x, segments)
        scores = self.bound * torch.tanh(self.form.over_groups(per_lead))
        return scores - scores.mean(dim=-1, keepdim=True)

    @torch.no_grad()
    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw segments in proportion to exp(logit)."""
        mask = draw_segments(
            self.logits(x),
            draws,
            time=x.shape[-1],
            form=self.form,
            choice="drawn",
            coverage=self.coverage.at(self.progress),
            temperature=1.0,
        )
        return Drawn(mask.to(x.dtype))


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


def draw_segments(
    scores: Float[Tensor, "batch group segment"],
    draws: Draws,
    *,
    time: int,
    form: Form,
    choice: Choice,
    coverage: float,
    temperature: float,
) -> Float[Tensor, "batch some {time}"]:
    """Turn scores into masks of exact coverage, with the gradient of the relaxed choice.

    Args:
        scores: of the segments; higher is hidden first.
        draws: of the Gumbel noise.
        time: samples.
        form: which leads a group is.
        choice: as in `LearnedMask`.
        coverage: share hidden.
        temperature: of the relaxation.
    """
    if choice == "drawn":
        scores = scores + _gumbel(scores, draws)
    rows = scores.flatten(1).unsqueeze(1) if form.joint else scores
    order = ranked(rows)
    shares = relaxed_shares(rows, coverage=coverage, temperature=temperature, order=order)
    shares = shares.reshape(scores.shape)
    if choice == "soft":
        return form.over_leads(spread(shares, time=time))
    hard = exact_mask(scores, time=time, coverage=coverage, joint=form.joint, order=order)
    return form.over_leads(straight_through(hard, shares))


def some_by_chance(
    scores: Float[Tensor, "batch group segment"], draws: Draws, *, share: float
) -> Float[Tensor, "batch group segment"]:
    """Set the scores of a drawn share of the records to zero, so that chance alone decides there."""
    if not share:
        return scores
    return scores * (draws.uniform(1, 1) >= share).to(scores.device, scores.dtype)


def some_reversed(
    scores: Float[Tensor, "batch group segment"], draws: Draws, *, share: float
) -> Float[Tensor, "batch group segment"]:
    """Turn the scores of a drawn share of the records upside down, as constants."""
    if not share:
        return scores
    turned = (draws.uniform(1, 1) < share).to(scores.device)
    return torch.where(turned, -scores.detach(), scores)


def count_segments(time: int, *, segment_s: float, fs: float, form: Form | None = None) -> int:
    """How many segments of about `segment_s` seconds a record of `time` samples is cut into.

    At least 2, or 1 where segments of several leads compete (then whole leads are hidden).
    """
    least = 1 if form is not None and form.joint else 2
    return min(max(round(time / (segment_s * fs)), least), time)


def _gumbel(like: Tensor, draws: Draws) -> Tensor:
    """Standard Gumbel noise of the shape of `like`."""
    uniform = draws.uniform(*like.shape[1:]).to(like.device)
    return -torch.log(-torch.log(uniform.clamp(1e-7, 1 - 1e-7)))
