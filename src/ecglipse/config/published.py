"""The table of published choices, each a switch."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ecglipse.config.section import NotNegative, Positive, Section


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
