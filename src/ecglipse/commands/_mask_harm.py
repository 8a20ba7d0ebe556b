"""What a run's masks cost a supervised model: trains it, tests it under masks, writes how often it did."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.commands import _encoders, _views
from ecglipse.commands._mask_run import OnStore, official
from ecglipse.commands._places import Part, Place
from ecglipse.draws import Draws
from ecglipse.occlusion import Harm, arms
from ecglipse.report.reads import FILE
from ecglipse.splits import Split, by_patient
from ecglipse.store import Store
from ecglipse.tasks import Labels
from ecglipse.transfer.features import features
from ecglipse.transfer.finetune import finetune
from ecglipse.transfer.pretrained import put_weights
from ecglipse.transfer.probes import linear_probe

Model = Literal["scratch", "finetune", "linear"]
WORDS: dict[str, str] = {
    "scratch": "trained from scratch with labels",
    "finetune": "the run's encoder, fine-tuned",
    "linear": "a linear probe on the run's frozen encoder",
}
ARMS = ("learned", "random", "shifted")


@dataclass(frozen=True)
class Hidden:
    """Records of a store as a model sees them, some of them hidden.

    Row r + N * k, N the store's records, is row r: as it is for k = 0, hidden by draw (k - 1) % draws of arm
    (k - 1) // draws else. So whatever reads rows reads hidden records too.
    """

    on: OnStore
    draws: int

    @property
    def n(self) -> int:
        """Records of the store."""
        return len(self.on.store)

    def rows(self, rows: Int[np.ndarray, " row"]) -> Int[np.ndarray, " more"]:
        """The rows as they are, then hidden by every draw of every arm."""
        return np.concatenate([rows + self.n * k for k in range(1 + len(ARMS) * self.draws)])

    def split(
        self, scores: Float[np.ndarray, "more class"], n: int
    ) -> dict[str, Float[np.ndarray, "draw n class"]]:
        """Scores of `rows` by arm; "none" has the same scores in each draw."""
        parts = scores.reshape(-1, n, scores.shape[1])
        found = {"none": np.repeat(parts[:1], self.draws, axis=0)}
        for k, name in enumerate(ARMS):
            found[name] = parts[1 + k * self.draws : 1 + (k + 1) * self.draws]
        return found

    @torch.no_grad()
    def __call__(self, rows: Int[np.ndarray, " batch"]) -> Tensor:
        """Give records in mV, hidden where their row says so."""
        x = self.on.batches.millivolts(rows % self.n)
        turns = rows // self.n
        for turn in np.unique(turns[turns > 0]):
            arm, draw = divmod(int(turn) - 1, self.draws)
            own = torch.from_numpy(np.flatnonzero(turns == turn)).to(x.device)
            part, its, run = x[own], rows[turns == turn] % self.n, self.on.run
            chance = Draws.of(0, "harm", draw, rows=its, device=x.device)
            mask = self._mask(part if self.on.marks is None else self.on.marks(its), ARMS[arm], chance)
            x[own] = run.policy.hide(part, mask, run.fill.to(x.device), chance)
        return x

    def _mask(self, x: Tensor, arm: str, chance: Draws) -> Tensor:
        run = self.on.run
        policy = run.twin(x) if arm == "random" else run.policy
        mask: Tensor = policy(x, chance)
        if arm != "shifted":
            return mask
        places = mask.shape[-1]  # samples, or segments of bands
        shift = chance.child("shift").integers(places, 1, 1).to(x.device)
        place = (torch.arange(places, device=x.device) + shift) % places
        return mask.gather(-1, place.expand_as(mask))


def count_readings(run: Path, harm: Harm, *, task: str, store: Store) -> None:
    """Write into a run's folder how often a test set was read; the report adds it to the ledger's readings.

    Args:
        run: its folder.
        harm: what was measured.
        task: as it was asked for.
        store: of the records.
    """
    reads = 1 + (len(harm.arms) - 1) * harm.draws
    with (run / FILE).open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"task": task, "store": store.digest, "reads": reads}) + "\n")


def measure_harm(on: OnStore, split: Split | None, *, task: str, model: Model, draws: int) -> Harm:
    """Train a model on a task and compare its AUROC under learned and under matched random masks.

    Args:
        on: whose masks, and the records.
        split: of the run's pretraining; None: the official folds where there are any, else by patient.
        task: of the store.
        model: from scratch, from the run's encoder, or a linear probe on it.
        draws: of masks, a test record and arm.

    Raises:
        TaskError: if the task cannot be had from the store.
    """
    store = on.store
    if split is None:
        folds = set(store.table["fold"].dropna())
        split = official(store) if folds >= set(range(1, 11)) else by_patient(store.table, seed=0)
    labels, parts = Place(store, split).parts(task)
    hidden = Hidden(on, draws)
    scores = _scores(hidden, labels, parts, model)
    test = parts["test"]
    found, keep = arms(hidden.split(scores, len(test.rows)), test.y, test.patients)
    names = np.array(labels.task.classes)
    return Harm(
        task=labels.task.title,
        model=WORDS[model],
        trained=len(parts["train"].rows),
        tested=len(test.rows),
        draws=draws,
        classes=tuple(str(name) for name in names[keep]),
        left_out=tuple(str(name) for name in names[~keep]),
        arms=found,
    )


def _scores(
    hidden: Hidden, labels: Labels, parts: dict[str, Part], model: Model
) -> Float[np.ndarray, "more class"]:
    """Probabilities of the test records as they are, then under every mask."""
    train, validation, test = (parts[name] for name in ("train", "validation", "test"))
    run, batches = hidden.on.run, hidden.on.batches
    kind, encoder = labels.task.kind, run.encoder()
    if model != "scratch":
        put_weights(encoder, run.tensors, where=run.name)
    encoder = encoder.to(batches.device)
    wanted = hidden.rows(test.rows)
    if model == "linear":
        read: Callable[[np.ndarray], np.ndarray] = lambda rows: features(encoder, hidden, rows)  # noqa: E731
        return linear_probe(
            read(train.rows), train.y, read(validation.rows), validation.y, read(wanted), kind=kind
        ).test_scores
    rule = run.config.transfer
    return finetune(
        encoder,
        hidden,
        train=(train.rows, train.y),
        validation=(validation.rows, validation.y),
        test_rows=wanted,
        kind=kind,
        epochs=rule.finetune_epochs,
        batch=rule.finetune_batch,
        learning_rate=rule.finetune_learning_rate,
        head_hidden=rule.finetune_head_hidden,
        **_encoders.finetuning_pace(rule, scratch=model == "scratch"),
        seed=int(run.facts["seed"]),
        augment=_views.base_views(run.config, batches.store),
    ).test_scores
