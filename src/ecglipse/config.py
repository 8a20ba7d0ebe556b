"""Config: a TOML file to one checked, frozen object; all faults of a file in one message.

Unknown keys are errors with a suggestion. The only override is by dotted path: `pretrain.epochs=3`.
"""

import difflib
import hashlib
import json
import logging
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ecglipse.errors import ConfigError
from ecglipse.keys import RULES, Policy, is_read, needs
from ecglipse.views.settings import SETTINGS, AnyView

_log = logging.getLogger(__name__)

Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
ObjectiveName = Literal["nt-xent", "clocs", "vicreg", "byol", "simsiam", "moco"]
PairsName = Literal["records", "segments", "crops", "leads", "segments-leads"]

SHORTEST_SPECTRAL_S = 0.16
"""From one frame to the next of the transform that masks over time and frequency use, s."""
WIDTH_UNITS = {"xresnet1d50": 2, "clocs-cnn": 8, "patch-transformer": 8}
"""What the width of an encoder must be a multiple of, where that is not 1."""


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


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


class Encoder(Section):
    """The encoder f."""

    name: Literal[
        "resnet18", "resnet34", "resnet50", "xresnet1d50", "clocs-cnn", "patch-transformer", "s4d"
    ] = "resnet18"
    """Which network (docs/encoders.md); resnet18 is the reference's."""
    width: Count = 16
    """Its channels; 64 and dim 512 make the reference's 4,111,488 parameters of resnet18."""
    dim: Count = 128
    """Size of the features."""
    input: Literal["mv", "zscore", "robust"] = "mv"
    """What a record is brought to before it is hidden or read, in pretraining and transfer alike: left in mV;
    each lead less its mean, over one standard deviation a record; or medians and interquartile ranges."""
    features: Literal["last", "pooled"] = "last"
    """What probes and fine-tuning read: the output of the last linear layer, which pretraining's projection
    stands on, or what goes into it, the pooled activations."""
    projection_hidden: Count = 256
    """Hidden size of the projection g."""
    projection_dim: Count = 64
    """Output size of the projection g."""
    projection_layers: Annotated[int, Field(ge=0, le=4)] = 2
    """Layers of the projection g; 0: there is none, and `projection_dim` must be `dim`."""
    projection_norm: Literal["auto", "none", "batch", "layer"] = "auto"
    """After each of its layers but the last; auto: batch for vicreg, byol and simsiam, else none."""
    lead_drop: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the training records that lose a drawn number of leads, in each view and in fine-tuning; the
    encoder then learns to work with any subset of its leads."""

    @model_validator(mode="after")
    def _fits(self) -> "Encoder":
        unit = WIDTH_UNITS.get(self.name, 1)
        if self.width % unit:
            raise ValueError(f"`width` of {self.name} must be a multiple of {unit}; is {self.width}")
        if self.projection_layers == 0 and self.projection_dim != self.dim:
            raise ValueError("without `projection_layers`, `projection_dim` must be `dim`")
        return self

    def of_pretraining(self) -> dict[str, Any]:
        """What pretraining looks at, for a run's identity: all but what is read later, and newer defaults."""
        newer = {"input", "projection_layers", "projection_norm"}
        usual = {key for key in newer if getattr(self, key) == type(self).model_fields[key].default}
        return self.model_dump(mode="json", exclude={"features"} | usual)


class Views(Section):
    """The base augmentation of both views, the same under every mask policy; 0 leaves one out."""

    noise_mv: NotNegative = 0.02
    """White noise, mV (standard deviation, at most)."""
    wander_mv: NotNegative = 0.0
    """Baseline wander, mV."""
    powerline_mv: NotNegative = 0.0
    """Mains hum, mV; needs a rate above 120 Hz."""
    emg_mv: NotNegative = 0.0
    """Muscle noise, mV; needs a rate above 40 Hz."""
    gain: Annotated[float, Field(ge=1)] = 1.1
    """Largest factor on the amplitude of a record; 1 leaves it."""
    extra: tuple[AnyView, ...] = ()
    """More views after these, in order, in pretraining: see `docs/views.md`."""


class Masks(Section):
    """What every mask policy shares."""

    coverage: Share = 0.5
    """Share of each record hidden, exactly."""
    coverage_start: Share | None = None
    """Share hidden in the first step, from which it moves to `coverage`; none: it is constant."""
    ramp: Share = 0.5
    """Share of the steps in which whatever has a start moves to its end."""
    segment_s: Positive = 0.25
    """Length of a segment, s; over time and frequency at least a frame of the transform, 0.16 s."""
    bands: Annotated[int, Field(ge=2)] = 8
    """Bands of frequency of masks over time and frequency."""
    fill: Literal["baseline", "bridge", "zero", "minimum", "matched-noise", "token"] = "baseline"
    """What stands in hidden places: the lead's isoelectric level, a straight line, 0 mV, the record's
    minimum (published), noise of the spectrum of what is visible, or a learned level a lead."""
    taper_s: NotNegative = 0.0
    """Over which the edges of hidden stretches rise, s."""
    band_hz: tuple[NotNegative, Positive] = (0.5, 2.0)
    """Of the noise that decides (`masks = "noise"`), Hz; above half a segment's rate there is nothing."""
    both_views: bool = False
    """Hide from both views, each by a draw of its own."""


class MaskNetwork(Section):
    """The mask network M and how it learns."""

    width: Count = 16
    """Channels of its first level, a multiple of 8."""
    depth: Annotated[int, Field(ge=0, le=6)] = 2
    """Levels below the first, each at half the rate of the one above."""
    kernel: Annotated[int, Field(ge=1)] = 5
    """Frames that a convolution sees, odd."""
    norm: Literal["group", "layer", "instance", "none"] = "group"
    """After a convolution: over four groups of channels, all of them, each alone, or none; of one record
    always, as its mask would else depend on its neighbours."""
    frame_hz: Annotated[float, Field(ge=10)] = 25.0
    """Frames a second that it sees, and scores before they are averaged over segments; at most the store's
    rate."""
    bound: Positive = 2.0
    """Largest size of a logit."""
    temperature: Positive = 1.0
    """Of the relaxation that carries its gradient."""
    temperature_start: Positive | None = None
    """The temperature in the first step; none: it is constant."""
    rivals: Count = 1
    """Masks that compete for the segments by a softmax."""
    applied: Literal["one", "all"] = "one"
    """one: each record gets one of the rivals, by chance; all: it gets each in turn, and losses are averaged,
    at the price of one more pass a rival."""
    chance: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the records that are hidden by chance, in the same form, whatever it says."""
    reversed: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the records from which is hidden what it would hide last; it learns from the others alone."""
    strength: float = 1.0
    """How hard it plays: 1 is the adversary, 0 leaves it as it was, -1 is an ally of the encoder."""
    strength_start: float | None = None
    """The strength in the first step; none: it is constant."""
    entropy: NotNegative = 0.0
    """What it pays for each nat between its distribution and chance."""
    smooth: NotNegative = 0.0
    """What it pays for the squared difference of neighbouring scores."""
    diversity: NotNegative = 0.0
    """What it earns for scores that differ between records."""
    learning_rate: Positive = 1e-3
    """Peak rate."""
    every: Count = 1
    """It plays in every n-th step."""

    @model_validator(mode="after")
    def _fits(self) -> "MaskNetwork":
        if self.kernel % 2 == 0:
            raise ValueError(f"`kernel` must be odd; is {self.kernel}")
        return self

    def of_pretraining(self) -> dict[str, Any]:
        """What a run's identity says of it: of its form only what is not as in every earlier run."""
        form = {"depth", "kernel", "norm"}
        usual = {key for key in form if getattr(self, key) == type(self).model_fields[key].default}
        return self.model_dump(mode="json", exclude=usual)


class Published(Section):
    """Choices of the published code, each a switch, to measure what it costs (docs/differences.md)."""

    slope: Positive = 50.0
    """Of the sigmoid that makes masks nearly binary (`masks = "published"`; N is `mask_network.rivals`)."""
    alpha: NotNegative = 0.1
    """Weight of its penalty on coverage."""
    ratio: Positive = 1.0
    """Of the penalty; it is least at a coverage of 1 / (2 ratio). Above 1 it has poles: see `guard`."""
    penalised: Literal["raw", "applied"] = "raw"
    """The soft mask before binarisation, or what is hidden."""
    guard: Literal["tangent", "none"] = "tangent"
    """Of the penalty where a mask hides nearly nothing or all: its tangent there, or nothing, so that it has
    no bound, and none below for a ratio above 1."""
    network: Literal["frames", "unet"] = "frames"
    """unet: the mask network is the published U-Net at the signal's own rate, with BatchNorm over the batch;
    `mask_network.width` 512 makes its 152.7 M parameters."""
    transform: Literal["outside", "inside"] = "outside"
    """Masks over time and frequency: the transform stands outside of the graph, so that the mask network gets
    no gradient of the contrast, or inside."""
    gradient: Literal["adversarial", "cancelled"] = "adversarial"
    """cancelled: the mask network keeps the encoder's gradient beside its own (needs play "alternating")."""
    scaling: Literal["none", "record", "batch"] = "none"
    """record: the encoder gets every record scaled to 0..1 by its lowest and highest sample, in pretraining
    before masks and in transfer; batch: and hidden views again, by those of the whole batch."""
    spared: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the leads that a mask leaves as they are (`masks = "published"`, one mask for all leads)."""
    spared_by: Literal["record", "batch"] = "record"
    """Whether each record draws its spared leads, or all records of a batch have the same."""
    attention: Literal["record", "batch"] = "record"
    """batch: attention of the patch transformer runs over the batch, and so do its positions."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Epochs without a lower training loss after which pretraining ends; 0: it never ends early."""
    leftover: Literal["step", "next-epoch"] = "step"
    """Batches that are left at an epoch's end where `pretrain.accumulate` does not divide it: they make a
    step, or go into the first step of the next epoch, and into none at the end."""
    finetuning: Literal["moves", "no-grad"] = "moves"
    """no-grad: the encoder gets no gradient in fine-tuning, only its BatchNorm statistics move."""
    kept: Literal["best", "last"] = "best"
    """Epoch of fine-tuning that is tested: the best by validation, or the last."""

    def of_pretraining(self) -> dict[str, Any]:
        """What pretraining looks at, for a run's identity: all but what has no effect, and newer defaults."""
        idle = {"finetuning", "kept"} | (set() if self.spared else {"spared_by"})
        newer = {"guard", "network", "transform", "attention", "patience", "leftover"}
        usual = {key for key in newer if getattr(self, key) == type(self).model_fields[key].default}
        return self.model_dump(mode="json", exclude=idle | usual)


class Pretrain(Section):
    """How the players learn."""

    epochs: Count = 60
    """Passes over the training records."""
    also: tuple[str, ...] = ()
    """Folders of more stores whose recordings are pretrained on, all of them; same rate, length and leads."""
    batch: Annotated[int, Field(ge=2)] = 128
    """Records a batch; negatives come from it."""
    accumulate: Count = 1
    """Batches a step."""
    learning_rate: Positive = 1e-3
    """Peak rate of encoder and projection."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How all rates go on after the warm-up: to zero by a cosine, or as they are."""
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of the steps in which the rates rise in a straight line."""
    clip: NotNegative = 1.0
    """Largest norm of each player's gradient; 0: gradients stay as they are."""
    weight_decay: NotNegative = 1e-4
    """Decoupled, of encoder and projection."""
    temperature: Positive = 0.1
    """Of the contrast in nt-xent, clocs and moco."""
    objective: ObjectiveName = "nt-xent"
    """What encoder and mask network play for; a method may choose another."""
    pairs: PairsName = "records"
    """What is contrasted: two views of a record, of segments of it, of crops at any place, of its leads, or
    of segments and leads."""
    ema: Momentum = 0.0
    """Momentum of an average of the encoder, which is transferred; 0: its last weights are."""
    play: Literal["one-pass", "alternating"] = "one-pass"
    """Both players from one backward, or one after the other."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 on a GPU that has it in hardware, else fp32."""
    compile: bool = False
    """Compile the encoder (torch.compile): faster steps after a slow first one; changes rounding only."""
    checkpoint_every_s: Positive = 60.0
    """Seconds between checkpoints, at most."""


class Objective(Section):
    """Parameters of the objectives and pairs; those of others than the one at play count for nothing."""

    invariance: Positive = 25.0
    """Weight in vicreg."""
    variance: NotNegative = 25.0
    """Weight in vicreg."""
    covariance: NotNegative = 1.0
    """Weight in vicreg."""
    regularised: Literal["first", "both"] = "first"
    """Views of which vicreg holds variance and covariance; the mask network plays against the second's."""
    momentum: Momentum = 0.99
    """How slowly the target of byol and moco follows; in byol it rises to 1."""
    predictor_hidden: Count = 256
    """Hidden size of the predictor of byol and simsiam."""
    queue: Count = 1024
    """Keys that moco remembers; fewer than the training records."""
    segments: Annotated[int, Field(ge=2)] = 2
    """Segments that a record is cut into for pairs of segments."""
    crop_s: Positive = 2.5
    """Length of each crop for pairs of crops, s."""
    leads: Count | None = None
    """Leads that each view keeps for pairs of leads; none: half of them."""

    @property
    def used(self) -> dict[str, tuple[str, ...]]:
        """The parameters that each objective and each kind of pairs looks at."""
        return {
            "nt-xent": (),
            "clocs": (),
            "vicreg": ("invariance", "variance", "covariance", "regularised"),
            "byol": ("momentum", "predictor_hidden"),
            "simsiam": ("predictor_hidden",),
            "moco": ("momentum", "queue"),
            "records": (),
            "segments": ("segments",),
            "crops": ("crop_s",),
            "leads": ("leads",),
            "segments-leads": ("segments", "leads"),
        }


class Method(Section):
    """One way to get an encoder."""

    title: str = ""
    """How the report calls it; the method's name if empty."""
    kind: Literal["pretrained", "init", "scratch", "handcrafted", "majority"] = "pretrained"
    """pretrained without labels; the rest are floors. init: a random encoder, frozen; scratch: a random
    encoder, fine-tuned; handcrafted: rates, intervals, amplitudes and band powers; majority: a constant, so
    that every record gets what is most common."""
    views: Literal["base", "3kg", "3kg-projection"] = "base"
    """What makes a view beside the base augmentation."""
    masks: Literal[
        "none",
        "random",
        "block",
        "noise",
        "adversarial",
        "predicted",
        "saliency",
        "p",
        "qrs",
        "r",
        "t",
        "published",
    ] = "none"
    """Who decides what is hidden from the second view: nobody, chance (segments, or one block), noise of a
    band of frequencies, the mask network, a network that predicts what is hard, what the encoder looks at,
    where P waves, QRS complexes, their peaks or T waves are, or the mask network in the published way."""
    marks: Literal["energy", "store", "delineator"] = "energy"
    """How masks aimed at waves know where these are. energy: guessed from the slope of all leads (QRS and T
    alone), and hidden more often than the rest; store: by the store's own marks, such as those by hand of
    LUDB; delineator: by the delineator's. What is marked is hidden first, the rest by chance."""
    leads: Literal["shared", "per-lead", "electrodes", "cells", "factorised"] = "shared"
    """One mask for all leads, one a lead, one for the limb leads together and one for each other, segments of
    all leads that compete for one coverage, or the same with scores that are a time's plus a lead's."""
    domain: Literal["time", "spectral"] = "time"
    """Segments in time, or cells of time and frequency: for all leads at once (random or adversarial), or
    each lead's own (published)."""
    network: Literal["learning", "frozen", "shuffled"] = "learning"
    """Adversarial masks: the network learns; stays as it was drawn; or learns, while the encoder gets each
    mask on another record: the floors of a learned mask."""
    network_run: str = ""
    """A run whose mask network is taken and frozen; "" for none."""
    choice: Literal["drawn", "decided", "soft"] = "drawn"
    """Adversarial masks: drawn from the learned distribution, its top segments, or hidden in part by the
    relaxation itself, whose coverage is not exact."""
    mix_shared: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the records that a random mask over all leads hides instead."""
    objective: ObjectiveName | None = None
    """What this method plays for; none: `pretrain.objective`."""
    pairs: PairsName | None = None
    """What this method contrasts; none: `pretrain.pairs`."""
    set: dict[str, Any] = Field(default_factory=dict)
    """What this method has otherwise than the rest, by dotted path: { "mask_network.bound" = 0.5 }."""

    @model_validator(mode="after")
    def _fits(self) -> "Method":
        strangers = [key for key in self.set if key.partition(".")[0] not in _OWN]
        if strangers:
            raise ValueError(f"`set` takes keys of {', '.join(_OWN)}; not {', '.join(strangers)}")
        if self.kind != "pretrained" and (self.masks != "none" or self.views != "base"):
            raise ValueError(f"kind {self.kind!r} trains nothing: leave out `masks` and `views`")
        if self.masks == "none" and self.mix_shared:
            raise ValueError("`mix_shared` needs `masks`")
        if self.kind != "pretrained" and (self.objective or self.pairs):
            raise ValueError(f"kind {self.kind!r} trains nothing: leave out `objective` and `pairs`")
        if self.masks != "adversarial" and (self.network != "learning" or self.network_run):
            raise ValueError('`network` and `network_run` need `masks = "adversarial"`')
        if self.network_run and self.network != "frozen":
            raise ValueError('`network_run` needs `network = "frozen"`')
        if self.marks != "energy" and self.masks not in WAVE_MASKS:
            raise ValueError(f"`marks` needs `masks` {', '.join(WAVE_MASKS)}")
        if self.marks == "energy" and self.masks in ("p", "r"):
            raise ValueError(f'`masks = "{self.masks}"` needs `marks` "store" or "delineator"')
        over_time = self.masks == "published" and self.domain == "time"
        if over_time and self.leads not in ("shared", "per-lead"):
            raise ValueError('`masks = "published"` needs `leads` "shared" or "per-lead"')
        transformed = ("random", "adversarial", "published")
        if self.domain == "spectral" and (self.masks not in transformed or self.mix_shared):
            raise ValueError(
                '`domain = "spectral"` needs random, adversarial or published masks without `mix_shared`'
            )
        return self


WAVE_MASKS = ("p", "qrs", "r", "t")
"""Masks aimed at waves."""

MOVING_VIEWS = ("crop-resize", "time-warp", "phase-surrogate")
"""Views after which waves are no longer where they are marked."""

_OWN = ("encoder", "views", "masks", "mask_network", "published", "pretrain", "objective")
"""Tables of the config that a method may have its own values for."""


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


class Config(Section):
    """An experiment."""

    name: str
    """Of the study; letters, digits and dashes."""
    store: str
    """Folder of the array store, from where the command is run."""
    out: str
    """Folder that the study or the run is written to."""
    corpus_fs: Positive | None = None
    """The rate the store must have, Hz; none: whatever it has."""
    split: Splits = Splits()
    encoder: Encoder = Encoder()
    views: Views = Views()
    masks: Masks = Masks()
    mask_network: MaskNetwork = MaskNetwork()
    published: Published = Published()
    pretrain: Pretrain = Pretrain()
    objective: Objective = Objective()
    methods: Annotated[dict[str, Method], Field(min_length=1)]
    transfer: Transfer = Transfer()
    tasks: dict[str, OwnTask] = Field(default_factory=dict)
    """Tasks of your own by name, for `transfer.tasks`."""
    targets: dict[str, Target] = Field(default_factory=dict)
    """Other databases by name; each is split by patient."""
    study: Study = Study()

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        if self.split.kind == "all" and (self.transfer.tasks or not self.targets):
            raise ValueError('`split.kind = "all"` needs `targets`, and no `transfer.tasks`')
        unknown = [name for name in self.study.baselines if name not in self.methods]
        if unknown:
            raise ValueError(f"`study.baselines` names methods that are not there: {', '.join(unknown)}")
        for name in self.methods:
            own = self.of(name)
            if own.published.scaling != "none" and own.encoder.input != "mv":
                raise ValueError("`encoder.input` and `published.scaling` are two scalings: leave one out")
            if own.published.gradient == "cancelled" and own.pretrain.play != "alternating":
                raise ValueError('`published.gradient = "cancelled"` needs `pretrain.play = "alternating"`')
            if own.published.attention == "batch" and own.encoder.name != "patch-transformer":
                raise ValueError(
                    '`published.attention = "batch"` needs `encoder.name = "patch-transformer"`; '
                    f"is {own.encoder.name!r}"
                )
            if own.published.ratio > 1 and own.published.guard != "none":
                raise ValueError(
                    f'`published.ratio` must be in (0, 1] unless `published.guard` is "none"; '
                    f"is {own.published.ratio:g}"
                )
            own._fits_masks(self.methods[name])
        return self

    def _fits_masks(self, method: Method) -> None:
        """See that what all masks share fits this method's."""
        network, low, high = self.mask_network, *self.masks.band_hz
        if not low < high:
            raise ValueError(f"`masks.band_hz` must rise; is {low:g}, {high:g}")
        if method.masks == "block" and method.leads in ("cells", "factorised"):
            raise ValueError('`masks = "block"` is one block a lead or group: `leads` may not compete')
        cells = method.domain == "spectral" and method.masks != "published"
        if cells and self.masks.segment_s < SHORTEST_SPECTRAL_S:
            raise ValueError(
                f'`domain = "spectral"` needs `masks.segment_s` of at least {SHORTEST_SPECTRAL_S} s, '
                f"a frame of its transform; is {self.masks.segment_s:g}"
            )
        moving = [view.name for view in self.views.extra if view.name in MOVING_VIEWS]
        if method.marks != "energy" and moving:
            raise ValueError(f"`marks` does not go with views that move waves: {', '.join(moving)}")
        alone = method.masks == "published" and method.leads == "per-lead"
        if alone and (network.rivals > 1 or self.published.spared):
            raise ValueError("published masks a lead take no `mask_network.rivals` and no `published.spared`")
        if method.masks == "published" and method.domain == "spectral" and network.rivals > 1:
            raise ValueError("published masks over time and frequency take no `mask_network.rivals`")
        if network.applied == "all" and (method.mix_shared or method.network == "shuffled"):
            raise ValueError('`mask_network.applied = "all"` goes with neither `mix_shared` nor "shuffled"')

    def policy_of(self, name: str) -> Policy:
        """What decides which keys a method reads."""
        own, method = self.of(name), self.methods[name]
        starts = {
            "coverage": own.masks.coverage_start,
            "temperature": own.mask_network.temperature_start,
            "strength": own.mask_network.strength_start,
        }
        return Policy(
            masks=method.masks,
            domain=method.domain,
            marks=method.marks,
            leads=method.leads,
            network=method.network,
            choice=method.choice,
            mixed=method.mix_shared > 0,
            rivals=own.mask_network.rivals,
            ramps=frozenset(key for key, start in starts.items() if start is not None),
            penalty=own.published.alpha > 0,
            spares=own.published.spared > 0,
            unet=own.published.network == "unet",
            outside=own.published.transform == "outside",
        )

    def idle(self) -> list[str]:
        """Say of each key on masks that a method sets away from its default and does not read."""
        said = []
        for name, method in self.methods.items():
            policy, own = self.policy_of(name), self.of(name)
            mine = [key for key in RULES if key in method.set or "." not in key]
            said += [
                f"methods.{name}: `{key}` has no effect with masks {method.masks!r}; it needs {needs(key)}"
                for key in mine
                if not is_read(key, policy) and _is_set(own, method, key)
            ]
        return said

    def unread(self) -> list[str]:
        """Say of each key on masks that is set for all methods, away from its default, if none reads it."""
        policies = [self.policy_of(name) for name in self.methods]
        return [
            f"{key}: no method reads it; it needs {needs(key)}"
            for key in RULES
            if "." in key and _is_set(self, None, key) and not any(is_read(key, p) for p in policies)
        ]

    def of(self, method: str) -> "Config":
        """The config as one method has it: its own `set` in place of what all share.

        Raises:
            ConfigError: if a value of `set` does not fit.
        """
        own = self.methods[method].set
        if not own:
            return self
        sections: dict[str, dict[str, Any]] = {}
        for path, value in own.items():
            section, _, key = path.partition(".")
            sections.setdefault(section, getattr(self, section).model_dump())[key] = value
        made = {}
        for section, content in sections.items():
            try:
                made[section] = type(getattr(self, section)).model_validate(content)
            except ValidationError as error:
                faults = "; ".join(_fault(item, section) for item in error.errors())
                raise ConfigError(f"methods.{method}.set: {faults}") from None
        return self.model_copy(update=made)

    def played_for(self, method: Method) -> dict[str, Any]:
        """A method's objective and pairs by name, and the parameters that they look at."""
        objective, pairs = method.objective or self.pretrain.objective, method.pairs or self.pretrain.pairs
        looked_at = (*self.objective.used[objective], *self.objective.used[pairs])
        return {
            "objective": objective,
            "pairs": pairs,
            **{name: getattr(self.objective, name) for name in looked_at},
        }

    @property
    def digest(self) -> str:
        """16 hex digits of everything in the config but its executor."""
        return digest(self.model_dump(mode="json", exclude={"study": {"executor"}}))


def digest(content: Any) -> str:
    """Give 16 hex digits of anything that JSON can say, the same whatever the order of keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load(path: Path, *, overrides: Sequence[str] = ()) -> Config:
    """Read a TOML file; what is set for all methods and none reads is warned of.

    Args:
        path: of the file.
        overrides: "a.b=value" by dotted path; the value as in TOML, or a bare word.

    Raises:
        ConfigError: if the file is missing, is not TOML, or has keys or values that do not fit.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such config", hint="see `configs/` for examples") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    for override in overrides:
        _apply(content, override)
    config = check(content, where=str(path))
    for said in config.unread():
        _log.warning("%s: %s", path, said)
    return config


def check(content: dict[str, Any], *, where: str, recorded: bool = False) -> Config:
    """Make a config of plain values.

    Args:
        content: tables, keys and values.
        where: they are from, for what is said.
        recorded: by a run, whose method need not read all that was set for all methods.

    Raises:
        ConfigError: naming every key or value that does not fit, or that its method does not read.
    """
    try:
        config = Config.model_validate(content)
        faults = [] if recorded else config.idle()
    except ValidationError as error:
        faults = [_fault(item) for item in error.errors()]
    if faults:
        raise ConfigError(
            f"{where}: {len(faults)} {'fault' if len(faults) == 1 else 'faults'}\n  " + "\n  ".join(faults)
        )
    return config


def _is_set(config: Config, method: Method | None, key: str) -> bool:
    """Whether a key, of a section or of the method itself, is set away from its default."""
    section, _, name = key.rpartition(".")
    table: Any = getattr(config, section) if section else method
    return bool(getattr(table, name) != type(table).model_fields[name].default)


def _apply(content: dict[str, Any], override: str) -> None:
    """Put one override into the plain values."""
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"--set {override}: not of the form `a.b=value`")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = content
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override}: `{key}` is a value, not a table")
    table[keys[-1]] = value


def _fault(item: Any, *within: str) -> str:
    """One line about one fault: where, what, and a suggestion for a misspelt key."""
    location = (*within, *item["loc"])
    place = ".".join(str(part) for part in location) or "the file"
    if item["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        meant = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
        return f"{place}: unknown key; {meant}"
    if item["type"] == "union_tag_invalid":
        near = difflib.get_close_matches(str(item["ctx"]["tag"]), SETTINGS, n=1)
        meant = f"did you mean `{near[0]}`?" if near else f"known names: {', '.join(SETTINGS)}"
        return f"{place}.name: unknown view `{item['ctx']['tag']}`; {meant}"
    if item["type"] == "union_tag_not_found":
        return f"{place}.name: missing; known names: {', '.join(SETTINGS)}"
    if item["type"] == "missing":
        return f"{place}: missing"
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{place}: {message[:1].lower()}{message[1:]}; got {item['input']!r:.60}"


_TABLES: dict[str, list[type[Section]]] = {"methods": [Method], "targets": [Target], "tasks": [OwnTask]}
"""Tables of the config whose keys are the user's own names."""


def _keys(location: tuple[Any, ...]) -> list[str]:
    """The keys that a table may have."""
    if location[:2] == ("views", "extra"):
        return sorted(SETTINGS[location[3]].model_fields)
    model: Any = Config
    for part in location:
        if model is Config and part in _TABLES:
            model = _TABLES[part]
        elif isinstance(model, list):
            (model,) = model
        else:
            model = model.model_fields[part].annotation
    return sorted(model.model_fields)
