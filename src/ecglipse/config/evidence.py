"""The tables of what encoders are used for: splits, transfer, tasks, other databases, the grid."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ecglipse.config.section import Count, Positive, Section, Share


class Splits(Section):
    """Which records are trained on, chosen by and tested on."""

    kind: Literal["folds", "rotations", "patients", "all"] = "folds"
    """folds: the corpus' folds as named below; rotations: five rotations of ten folds, two a test set;
    patients: drawn by patient, for corpora without folds; all: every record is pretrained on, where all tasks
    are on other databases."""
    train: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    """Folds to train on (kind "folds")."""
    validation: tuple[int, ...] = (9,)
    """Folds that choose (kind "folds")."""
    test: tuple[int, ...] = (10,)
    """Folds that are read once (kind "folds")."""
    rotations: Annotated[tuple[int, ...], Field(min_length=1)] = (0, 1, 2, 3, 4)
    """Which of the five are studied (kind "rotations"): search on some, confirm on the others."""
    validation_share: Share = 0.15
    """Share of the patients that choose (kind "patients", and targets)."""
    test_share: Share = 0.25
    """Share of the patients that are read once (kind "patients", and targets)."""


class Transfer(Section):
    """What the encoders are used for."""

    tasks: tuple[str, ...] = ("sex", "superclass", "rhythm")
    """Names of tasks."""
    fractions: tuple[Share, ...] = (0.05, 0.1, 1.0)
    """Shares of the training labels."""
    shots: tuple[Count, ...] = ()
    """Budgets of another kind, beside the fractions: so many patients' records of each class."""
    draws: Count = 5
    """Label subsets a budget; the whole has one."""
    probes: tuple[Literal["linear", "knn", "finetune"], ...] = ("linear",)
    """How features are read; `scratch` methods are always fine-tuned."""
    robustness: bool = False
    """Whether the linear probe, of the most labels, is also read on disturbed test recordings: noise, lost
    leads, swapped electrodes, other recorders."""
    finetune_draws: Count = 2
    """Label subsets a fraction that are fine-tuned: the first ones."""
    finetune_fractions: tuple[Share, ...] | None = None
    """Those of `fractions` that are fine-tuned; none given: every budget, shots too."""
    validation: tuple[Literal["matched", "full"], ...] = ("matched",)
    """matched: the validation labels shrink with the training labels; full: they do not."""
    finetune_epochs: Count = 20
    """Longest fine-tuning; the best epoch by validation is kept."""
    finetune_batch: Annotated[int, Field(ge=2)] = 32
    """Records a batch."""
    finetune_head_hidden: Count | None = None
    """Size of the head's hidden layer; none given: the head is linear."""
    finetune_learning_rate: Positive = 1e-3
    """Peak rate of the head."""
    finetune_encoder_scale: Positive = 0.3
    """Rate of a pretrained encoder over the head's; from scratch both have the head's."""
    finetune_rate_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Each earlier stage of a pretrained encoder learns slower by this factor; from scratch none does."""
    finetune_unfrozen: Annotated[int, Field(ge=0)] | None = None
    """Last stages of a pretrained encoder that fine-tuning moves, fewer than it has; none given: all of them.
    From scratch all move."""

    @model_validator(mode="after")
    def _fits(self) -> "Transfer":
        strangers = set(self.finetune_fractions or ()) - set(self.fractions)
        if strangers or self.finetune_fractions == ():
            got = f"{self.finetune_fractions} of {self.fractions}"
            raise ValueError(f"`finetune_fractions` are some of `fractions`; got {got}")
        return self


class OwnTask(Section):
    """A task of your own: classes by the codes that mean them."""

    title: str = ""
    """How the report calls it; the task's name if empty."""
    kind: Literal["multilabel", "multiclass", "binary"] = "multilabel"
    """Any of the classes, exactly one of them, or one class against all other records."""
    classes: Annotated[dict[str, tuple[str, ...]], Field(min_length=1)]
    """For each class the codes of the store that mean it."""
    scope: tuple[str, ...] = ()
    """A record takes part in a multilabel or binary task if it has one of these codes; none: every record."""

    @model_validator(mode="after")
    def _fits(self) -> "OwnTask":
        if self.kind == "binary" and len(self.classes) != 1:
            raise ValueError(f"a binary task has one class, the positive one; got {len(self.classes)}")
        if self.kind == "multiclass" and len(self.classes) < 2:
            raise ValueError("a multiclass task has two classes at least")
        if not all(self.classes.values()):
            raise ValueError("a class without codes")
        return self


class Target(Section):
    """Another database, on which the encoders are read but not trained."""

    store: str
    """Folder of its store; the same rate and length as the study's own."""
    tasks: tuple[str, ...]
    """Names of tasks; the report calls them TARGET:TASK."""


class Study(Section):
    """The grid."""

    seeds: tuple[int, ...] = (0,)
    """Of pretraining."""
    workers: Count = 2
    """Processes; each takes one core."""
    executor: Literal["local", "ray"] = "local"
    """Who runs them: processes of this machine, or Ray. It is no part of the config's hash, as it changes no
    number."""
    baselines: tuple[str, ...] = ()
    """Methods that paired differences are taken to, beside each learned mask's random twin."""
    gallery: Count = 4
    """Validation records whose masks are drawn in the report."""
    replicates: Count = 1000
    """Of the bootstrap."""
    leaks: Literal["refuse", "mark"] = "refuse"
    """What happens if a recording is on both sides of a split: nothing is run, or the report says so."""
    waves: tuple[str, ...] = ()
    """Stores on whose waves the masks of each learned method are laid at the end, for every seed of the first
    rotation, as by `ecglipse masks`: by the store's own marks, or else a delineator's."""
    harm: str = ""
    """A task: what the masks cost a linear probe of it is measured on those of `waves` that have it."""
