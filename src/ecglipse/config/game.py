"""The tables that pretraining looks at: encoder, views, masks, how the players learn and what for."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ecglipse.config.section import Count, Momentum, NotNegative, Positive, Section, Share
from ecglipse.views.settings import AnyView

ObjectiveName = Literal["nt-xent", "clocs", "vicreg", "byol", "simsiam", "moco"]
PairsName = Literal["records", "segments", "crops", "leads", "segments-leads"]


WIDTH_UNITS = {"xresnet1d50": 2, "clocs-cnn": 8, "patch-transformer": 8}
"""What the width of an encoder must be a multiple of, where that is not 1."""


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
    threekg_angle_deg: Annotated[float, Field(ge=0, le=180)] = 45.0
    """Of methods with `views` "3kg" or "3kg-projection": largest of each Euler angle, degrees."""
    threekg_scale: Annotated[float, Field(ge=1)] = 1.5
    """Of these: largest stretch of each axis."""
    threekg_masked: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Of these: share of each lead that is then set to 0, in one stretch."""
    extra: tuple[AnyView, ...] = ()
    """More views after these, in order, in pretraining: see `docs/views.md`."""

    def of_pretraining(self, *, turned: bool) -> dict[str, Any]:
        """What a run's identity says of them.

        Args:
            turned: the method's `views` are 3KG, whose keys are said where they are not the defaults.
        """
        usual = {key for key in _THREEKG if getattr(self, key) == type(self).model_fields[key].default}
        idle = usual if turned else set(_THREEKG)
        return self.model_dump(mode="json", exclude=idle) | _mended(self)

    def of_finetuning(self) -> dict[str, Any]:
        """What a fine-tuned cell's identity says of them: the base augmentation."""
        base = self.model_copy(update={"extra": ()})
        return base.model_dump(exclude=set(_THREEKG)) | _mended(base)


_THREEKG = ("threekg_angle_deg", "threekg_scale", "threekg_masked")


def _mended(views: Views) -> dict[str, Any]:
    """Views in use that gave something else in earlier runs: muscle noise that swells, and fourier."""
    listed = {view.name for view in views.extra if view.name != "emg" or view.swell_s}
    mended = {"emg", "fourier"} & (listed | ({"emg"} if views.emg_mv else set()))
    return {"mended": sorted(mended)} if mended else {}


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
    """Of the noise that decides (`masks = "noise"`), Hz; above half a segment's rate there is nothing. Two
    multiples of 1 / length of what is contrasted must lie within."""
    both_views: bool = False
    """Hide from both views, each by a draw of its own."""


class MaskNetwork(Section):
    """The mask network M and how it learns."""

    width: Annotated[int, Field(ge=8)] = 16
    """Channels of its first level, a multiple of 8; any from 8 on of the published U-Net."""
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
