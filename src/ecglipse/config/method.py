"""A method: one way to get an encoder, and what it has otherwise than the rest."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ecglipse.config.game import ObjectiveName, PairsName
from ecglipse.config.section import Section

WAVE_MASKS = ("p", "qrs", "r", "t")
"""Masks aimed at waves."""

MOVING_VIEWS = ("crop-resize", "time-warp", "phase-surrogate", "electrode-swap")
"""Views after which waves are at other times, or whole leads in the place of others, than marks say."""

OWN = ("encoder", "views", "masks", "mask_network", "published", "pretrain", "objective")
"""Tables of the config that a method may have its own values for."""


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
    baseline: str = ""
    """A method that differs from this one in what is asked: differences are taken to it too, beside
    `study.baselines`. Of no effect on a run."""
    set: dict[str, Any] = Field(default_factory=dict)
    """What this method has otherwise than the rest, by dotted path: { "mask_network.bound" = 0.5 }."""

    @field_validator("set", mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        """Take tables, such as TOML makes of a dotted key without quotes, for the paths that they mean."""
        return dict(_paths(value)) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _fits(self) -> "Method":
        strangers = [key for key in self.set if key.partition(".")[0] not in OWN]
        if strangers:
            raise ValueError(f"`set` takes keys of {', '.join(OWN)}; not {', '.join(strangers)}")
        tables = [key for key in self.set if "." not in key]
        if tables:
            raise ValueError(f'`set` takes paths such as "{tables[0]}.KEY"; not {", ".join(tables)}')
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


def _paths(given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        if isinstance(value, dict) and "." not in key:
            yield from ((f"{key}.{inner}", one) for inner, one in value.items())
        else:
            yield key, value
