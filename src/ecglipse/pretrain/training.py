"""The loop: a generator of step reports; it touches no disk, and every draw is a function of seed, epoch
and record.

A step is one step of the optimisers and takes up to `accumulate` batches. `state()` and `load()` are all
that a checkpoint needs: weights, buffers (queue, target, average), moments and the number of steps done.

On a GPU the host must not wait for the numbers of each step: `read_every` steps are played before theirs
are read. Whether a number is finite is then seen on the device, where the optimisers leave all weights as
they are from the first step in which one is not, and the run ends when that is read.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ecglipse.batches import Batches
from ecglipse.draws import Draws
from ecglipse.errors import TrainingError
from ecglipse.masks.pressure import from_chance
from ecglipse.models.constant import still
from ecglipse.pretrain.average import Average
from ecglipse.pretrain.game import AdversarialMasking, Round
from ecglipse.pretrain.order import Order, Part
from ecglipse.pretrain.patience import Patience
from ecglipse.pretrain.player import Learner, Player
from ecglipse.pretrain.ranks import average_gradients, joint_statistics, rank, ranks
from ecglipse.pretrain.reports import Played, StepReport, ratio, read
from ecglipse.pretrain.watch import Look, Watch, alarms, alignment, cosine, effective_rank, uniformity

View = Callable[[Tensor, Draws], Tensor]


class Training:
    """A training run in memory.

    Args:
        game: encoder, projection and mask policy, on the device of `batches`.
        batches: where signals come from.
        rows: rows of the store to train on.
        view: makes a view of a batch; called twice a batch, with draws of its own each time.
        second_view: makes the second view, the one that is masked; as the first if None.
        scaling: what is done to each view before it is hidden, and to all that the policy sees; or None.
        seed: of everything drawn.
        epochs: passes over `rows`.
        batch: records a batch, over all ranks; negatives come from it.
        accumulate: batches a step; the last step of an epoch takes what is left.
        flows: the published way with what is left: it goes into the next epoch's first step.
        patience: epochs without a lower mean loss after which the run ends; 0: it plays all its steps.
        encoder: how encoder and projection learn.
        masks: how the mask network learns.
        mask_every: the mask network plays in every n-th step.
        play: "one-pass" (both players move at once, from one backward) or "alternating" (the encoder
            moves first, then the mask network against the moved encoder), which a policy may force.
        warmup: share of all steps in which the rates rise.
        schedule: how the rates go on: to zero by a cosine, or as they are.
        precision: "fp32", or "bf16" for autocast with losses in float32.
        cancelled: the published fault: the mask network keeps the encoder's gradient beside its own; only
            with "alternating".
        look_every: steps between two looks at the game; the first is at step 20, and all are in the next step
            in which the mask network plays.
        patients: a number for each row of the store, for an objective that needs them; records of a patient
            are then put into the same batch.
        marks: gives the marks of rows of the store, as signals, to a policy that looks at them.
        average: how slowly an average of the encoder follows it, 0 to 1; 0: there is none.
        read_every: steps that `run` plays before it reads their numbers and reports them; 1 on a CPU, where
            reading costs nothing. Above 1 the optimisers are fused, which rounds otherwise.

    Where several ranks train together, each plays its share of every batch; see ranks.py.

    Attributes:
        average: the averaged encoder, or None.
    """

    def __init__(
        self,
        game: AdversarialMasking,
        batches: Batches,
        rows: Int[np.ndarray, " record"],
        *,
        view: View,
        second_view: View | None = None,
        scaling: Callable[[Tensor], Tensor] | None = None,
        seed: int,
        epochs: int,
        batch: int,
        accumulate: int = 1,
        flows: bool = False,
        patience: int = 0,
        encoder: Player,
        masks: Player,
        mask_every: int = 1,
        play: Literal["one-pass", "alternating"] = "one-pass",
        warmup: float = 0.05,
        schedule: Literal["cosine", "constant"] = "cosine",
        precision: Literal["fp32", "bf16"] = "fp32",
        cancelled: bool = False,
        look_every: int = 200,
        patients: Int[np.ndarray, " row"] | None = None,
        marks: Callable[[np.ndarray], Tensor] | None = None,
        average: float = 0.0,
        read_every: int = 1,
    ) -> None:
        if cancelled and play != "alternating":
            raise ValueError('`cancelled` needs `play` "alternating"; got "one-pass"')
        if len(rows) < 2:
            raise TrainingError(f"pretraining needs at least 2 records, found {len(rows)}")
        if min(batch, len(rows)) % ranks():
            raise TrainingError(
                f"a batch of {min(batch, len(rows))} records cannot be shared among {ranks()} ranks",
                hint="let `pretrain.batch` be a multiple of the ranks",
            )
        if game.objective.needs_patients and patients is None:
            raise ValueError("`patients` must be given for an objective that needs them")
        if game.policy.looks_at == "marks" and marks is None:
            raise ValueError("`marks` must be given for a policy that looks at marks")
        self.game, self.batches, self.rows, self.view = game, batches, rows, view
        self.second_view, self.marks = second_view or view, marks
        self.scaled = (lambda x: x) if scaling is None else scaling
        self.seed, self.epochs = seed, epochs
        self.mask_every, self.play, self.warmup, self.precision = mask_every, play, warmup, precision
        self.schedule = schedule
        self.patients_of_rows = patients if game.objective.needs_patients else None
        self.average_momentum = average
        self.average = Average(game.encoder) if average else None
        game.encoder, game.projection = joint_statistics(game.encoder), joint_statistics(game.projection)
        for other in (game.policy, game.target):
            if other is not None:
                joint_statistics(other)
        learning = (game.encoder, game.projection, game.fill, game.objective)
        self.read_every = read_every
        late = torch.zeros((), device=batches.device) if read_every > 1 else None
        self._broken = late
        encoder_weights = [weight for module in learning for weight in module.parameters()]
        mask_weights = [weight for weight in game.policy.parameters() if weight.requires_grad]
        self.encoder = Learner(encoder_weights, encoder, broken=late)
        self.masks = Learner(mask_weights, masks, broken=late)
        self.cancelled = cancelled
        self.watch = Watch(every=look_every)
        self.order = Order(
            rows,
            batch=batch,
            accumulate=accumulate,
            flows=flows,
            seed=seed,
            together=None if self.patients_of_rows is None else self.patients_of_rows[rows],
        )
        self.done, self.total = 0, self.order.steps(epochs)
        if not self.total:
            raise TrainingError("not one step: the batches of all epochs are fewer than `accumulate`")
        self.patience = Patience(patience) if patience else None

    def run(self) -> Iterator[StepReport]:
        """Play on from where it stands to the last step; one report a step.

        Reports come `read_every` at a time, when `done` is that of the last of them.
        """
        while self.done < self.total:
            some = min(self.read_every, self.total - self.done)
            if self.patience is not None:  # no step beyond the one that may be the last
                some = min(some, self.order.left_in_epoch(self.done))
            yield from self._read([self._play() for _ in range(some)])

    def step(self) -> StepReport:
        """Play one step: gradients of every batch of it, then the optimisers.

        Raises:
            TrainingError: if the loss or a gradient is not a number; no weight has been changed then.
        """
        return next(self._read([self._play()]))

    def _play(self) -> Played:
        """Play one step; of its numbers, only a look and a check that cannot wait are read."""
        self.game.train()
        parts = self.parts()
        learns, rate = self.masks.learns, self._rate()
        plays = learns and (self.done + 1) % self.mask_every == 0
        self.encoder.forget()
        self.masks.forget()
        one_pass = self.play == "one-pass" and not self.game.policy.apart
        self.game.at(self.done / self.total)
        looks = self.watch.due(self.done + 1, stride=self.mask_every if learns else 1)
        wanted = self._adversarial_direction(parts) if looks and plays else None
        alone = self._own_direction(parts) if looks and plays else None
        first = self.game.one_pass if plays and one_pass else self.game.encoder_loss
        if plays and self.cancelled:
            first = self.game.cancelling_loss
        rounds = [self._backward(first, part, len(parts)) for part in parts]
        losses, now = [r.contrast for r in rounds], looks or self._broken is None
        encoder_grad = self._check(self.encoder, losses, now=now)
        own = None if alone is None else cosine(self.encoder.gradients(), alone)
        mask_grad = None
        if plays and one_pass:
            mask_grad = self._check(self.masks, losses, now=now)
        self.encoder.step(rate)
        if plays and not one_pass:
            for part in parts:
                self._backward(self.game.mask_loss, part, len(parts))
            mask_grad = self._check(self.masks, losses, now=now)
        if plays:
            self.masks.step(rate)
        self.game.settle(rounds, progress=(self.done + 1) / self.total)
        if self.average is not None:
            self.average.follow(self.game.encoder, self.average_momentum)
        coverages = [self.game.policy.removed(r.mask) for r in rounds]
        spread, grads = self._spread(parts[0].rows, now=looks), (encoder_grad, mask_grad)
        look = self._look(rounds[0], wanted, own, grads, coverages, spread) if looks else None
        self.done += 1
        return Played(
            step=self.done,
            epoch=parts[0].epoch,
            learning_rate=self.encoder.rule.learning_rate * rate,
            records=sum(len(part.rows) for part in parts),
            losses=losses,
            coverages=coverages,
            encoder_grad=encoder_grad,
            mask_grad=mask_grad,
            spread=spread,
            look=look,
        )

    def _read(self, played: list[Played]) -> Iterator[StepReport]:
        """Read the numbers of some steps at once; refuse to go on from the first that is not finite."""
        for report in read(played):
            self._refuse(report.step, report.loss, report.encoder_grad)
            self._refuse(report.step, report.loss, report.mask_grad or 0.0)
            ends = self.order.epoch(report.step) > report.epoch
            if self.patience is not None and self.patience.lost(report.loss, epoch_ends=ends):
                self.total = report.step
            yield report

    def parts(self) -> list[Part]:
        """The batches of the current step, over all ranks."""
        return self.order.parts(self.done)

    @property
    def epoch(self) -> int:
        """In which the current step begins."""
        return self.order.epoch(self.done)

    def patients(self, rows: Int[np.ndarray, " batch"]) -> Int[Tensor, " batch"] | None:
        """A number for the patient of each of these rows, where the objective needs it."""
        if self.patients_of_rows is None:
            return None
        return torch.from_numpy(self.patients_of_rows[rows]).to(self.batches.device, non_blocking=True)

    def looked_at(self, rows: Int[np.ndarray, " batch"]) -> Float[Tensor, "batch lead time"]:
        """Give what the mask policy looks at in these records: their signals, scaled, or their marks."""
        marks = self._marks(rows)
        return self.scaled(self.batches.millivolts(rows)) if marks is None else marks

    def _marks(self, rows: Int[np.ndarray, " batch"]) -> Float[Tensor, "batch lead time"] | None:
        return None if self.marks is None else self.marks(rows)

    def views(
        self, rows: Int[np.ndarray, " batch"], *, epoch: int | None = None
    ) -> tuple[Float[Tensor, "batch lead time"], Float[Tensor, "batch lead time"], Draws]:
        """Give both views of these records in an epoch, by default the current; and their masks' draws."""
        x, device = self.batches.millivolts(rows), self.batches.device
        epoch = self.epoch if epoch is None else epoch
        a, b, mask = (
            Draws.of(self.seed, name, epoch, rows=rows, device=device)
            for name in ("view a", "view b", "mask")
        )
        return self.scaled(self.view(x, a)), self.scaled(self.second_view(x, b)), mask

    def _backward(
        self,
        loss_of: Callable[..., Round],
        part: Part,
        of: int,
    ) -> Round:
        """Run this rank's share of one batch forward and backward; a step's batches are averaged."""
        rows = np.split(part.rows, ranks())[rank()]
        a, b, draws = self.views(rows, epoch=part.epoch)
        with torch.autocast(a.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            played = loss_of(a, b, draws, patients=self.patients(rows), marks=self._marks(rows))
        (played.loss / of).backward()
        return played

    def _check(self, player: Learner, losses: list[Tensor], *, now: bool) -> Float[Tensor, ""]:
        """Clip the gradient and give its norm before that; refuse to go on from what is not a number.

        If not `now`, nothing is read: the optimisers change no weight from here on, and `_read` refuses.
        """
        norm = player.gather()
        if self._broken is not None:
            sound = torch.stack([*losses, norm.to(losses[0].device)]).isfinite().all()
            self._broken.copy_(torch.maximum(self._broken, 1 - sound.float()))
        if now:
            self._refuse(self.done + 1, sum(loss.item() for loss in losses) / len(losses), norm.item())
        return norm

    def _refuse(self, step: int, loss: float, norm: float) -> None:
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(
                f"step {step}: loss {loss}, gradient norm {norm}: not a finite number",
                hint="lower `pretrain.learning_rate`, or look for broken records with `ecglipse verify`",
            )

    def _rate(self) -> float:
        """Share of the peak rate in this step: linear warm-up, then a cosine to zero or all of it."""
        warm = max(round(self.warmup * self.total), 1)
        if self.done < warm:
            return (self.done + 1) / warm
        if self.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * (self.done - warm) / max(self.total - warm, 1)))

    def _adversarial_direction(self, parts: list[Part]) -> list[Tensor] | None:
        """The mask network's gradient in a pass of its own at the present weights; None if it plays idle."""
        if abs(self.game.strength.at(self.game.policy.progress)) < 0.05:
            return None
        with still(self.game.policy):
            for part in parts:
                self._backward(self.game.mask_loss, part, len(parts))
        average_gradients(self.masks.weights)
        taken = self.masks.gradients()
        self.masks.forget()
        return taken

    def _own_direction(self, parts: list[Part]) -> list[Tensor]:
        """The encoder's gradient in a pass of its own at the present weights, that moves no statistic."""
        with still(self.game):
            for part in parts:
                self._backward(self.game.encoder_loss, part, len(parts))
        average_gradients(self.encoder.weights)
        taken = self.encoder.gradients()
        self.encoder.forget()
        return taken

    def _look(
        self,
        played: Round,
        wanted: list[Tensor] | None,
        own: float | None,
        grads: tuple[Tensor, Tensor | None],
        coverages: list[Tensor],
        spread: tuple[Tensor, Tensor] | None,
    ) -> Look:
        """Look at the step just played, whose gradients still stand."""
        adversarial = None
        if wanted is not None:
            adversarial = cosine(self.masks.gradients(), wanted)
        moved = self.watch.moved(self._watched())
        rank = effective_rank(played.projection)
        with still(self.game.policy):
            entropy = self.game.policy.logits(self.scaled(self.batches.millivolts(self.rows[:16])))
        return Look(
            alignment=alignment(played.first, played.projection),
            uniformity=uniformity(played.projection),
            rank=rank,
            entropy=None if entropy is None else float(from_chance(entropy.detach())),
            adversarial=adversarial,
            own=own,
            ratio=ratio(None if grads[1] is None else float(grads[1]), float(grads[0])),
            moved=moved,
            alarms=alarms(
                learns=self.masks.learns,
                coverage=sum(float(share) for share in coverages) / len(coverages),
                spread=None if spread is None else float(spread[0]),
                variation=None if spread is None else float(spread[1]),
                rank=rank,
                adversarial=adversarial,
                own=own,
                moved=moved,
            ),
        )

    @torch.no_grad()
    def _spread(
        self, rows: Int[np.ndarray, " batch"], *, now: bool
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]] | None:
        """Spread and variation of the logits on at most 16 records, every tenth step and when looking."""
        if (self.done % 10 and not now) or not self.masks.learns:
            return None
        with still(self.game.policy):
            logits = self.game.policy.logits(self.scaled(self.batches.millivolts(rows[:16])))
        return None if logits is None else (logits.std(dim=-1).mean(), logits.std(dim=0).mean())

    def state(self) -> tuple[dict[str, Tensor], dict[str, int]]:
        """Everything that a run needs to go on: named tensors, and counters."""
        tensors = {f"game.{name}": tensor.detach() for name, tensor in self.game.state_dict().items()}
        if self.average is not None:
            tensors |= {f"average.{name}": value for name, value in self.average.copy.state_dict().items()}
        for name, player in self._players():
            tensors |= {f"{name}.{key}": value for key, value in player.state().items()}
        if self.patience is not None:
            tensors["patience"] = self.patience.state()
        return tensors, {"step": self.done, "total": self.total, "seed": self.seed}

    def load(self, tensors: dict[str, Tensor], counters: dict[str, int]) -> None:
        """Go back to a state that `state` gave; the architecture must be the same."""
        self.game.load_state_dict(_under("game.", tensors))
        if self.average is not None:
            self.average.copy.load_state_dict(_under("average.", tensors))
        for name, player in self._players():
            player.load(_under(f"{name}.", tensors))
        self.done = counters["step"]
        if self.patience is not None:
            self.patience = Patience(self.patience.epochs, tensors["patience"])
            self.total = self.done if self.patience.over else self.total
        self.watch.go_on(self._watched())

    def _watched(self) -> dict[str, Sequence[nn.Parameter]]:
        return {"encoder": self.encoder.weights, "mask network": self.masks.weights}

    def _players(self) -> tuple[tuple[str, Learner], ...]:
        return ("encoder", self.encoder), ("masks", self.masks)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
