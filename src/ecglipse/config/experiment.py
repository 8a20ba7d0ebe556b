"""An experiment: all tables of a config, and what must be true of several of them together."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from ecglipse.config.evidence import OwnTask, Splits, Study, Target, Transfer
from ecglipse.config.faults import fault
from ecglipse.config.game import Encoder, MaskNetwork, Masks, Objective, Pretrain, Views
from ecglipse.config.keys import RULES, Policy, is_read, needs, no_effect
from ecglipse.config.method import MOVING_VIEWS, Method
from ecglipse.config.published import Published
from ecglipse.config.section import Positive, Section
from ecglipse.errors import ConfigError

SHORTEST_SPECTRAL_S = 0.16
"""From one frame to the next of the transform that masks over time and frequency use, s."""


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
        for name, method in self.methods.items():
            if method.baseline and (method.baseline == name or method.baseline not in self.methods):
                raise ValueError(f"methods.{name}: `baseline` must be another method; is {method.baseline!r}")
            own = self.of(name)
            try:
                own._fits_choices()
                own._fits_masks(method, own.policy_of(name))
            except ValueError as error:
                raise ValueError(f"methods.{name}: {error}") from None
        return self

    def _fits_choices(self) -> None:
        """See that the published choices fit the rest."""
        chosen = self.published
        if chosen.scaling != "none" and self.encoder.input != "mv":
            raise ValueError("`encoder.input` and `published.scaling` are two scalings: leave one out")
        if chosen.gradient == "cancelled" and self.pretrain.play != "alternating":
            raise ValueError('`published.gradient = "cancelled"` needs `pretrain.play = "alternating"`')
        if chosen.attention == "batch" and self.encoder.name != "patch-transformer":
            raise ValueError(
                '`published.attention = "batch"` needs `encoder.name = "patch-transformer"`; '
                f"is {self.encoder.name!r}"
            )
        if chosen.ratio > 1 and chosen.guard != "none":
            raise ValueError(
                f'`published.ratio` must be in (0, 1] unless `published.guard` is "none"; is {chosen.ratio:g}'
            )

    def _fits_masks(self, method: Method, policy: Policy) -> None:
        """See that what all masks share fits this method's."""
        network, low, high = self.mask_network, *self.masks.band_hz
        if network.width % 8 and is_read("mask_network.norm", policy):
            raise ValueError(f"`mask_network.width` must be a multiple of 8; is {network.width}")
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
        playing, trains = own.played_for(method), method.kind == "pretrained"
        starts = {
            "coverage": own.masks.coverage_start,
            "temperature": own.mask_network.temperature_start,
            "strength": own.mask_network.strength_start,
        }
        return Policy(
            masks=method.masks,
            views=method.views,
            kind=method.kind,
            objective=playing["objective"] if trains else "none",
            pairs=playing["pairs"] if trains else "none",
            named=frozenset(key for key in ("objective", "pairs") if getattr(method, key)),
            layers=own.encoder.projection_layers,
            accumulates=own.pretrain.accumulate > 1,
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
        """Say of each key that a method sets for itself away from its default and does not read."""
        said = []
        for name, method in self.methods.items():
            policy, own = self.policy_of(name), self.of(name)
            mine = [key for key in RULES if key in method.set or "." not in key]
            said += [
                f"methods.{name}: {no_effect(key, policy)}"
                for key in mine
                if not is_read(key, policy) and _is_set(own, method, key)
            ]
        return said

    def unread(self) -> list[str]:
        """Say of each key that is set for all methods, away from its default, if none reads it."""
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
                faults = "; ".join(fault(item, section, root=type(self)) for item in error.errors())
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


def _is_set(config: Config, method: Method | None, key: str) -> bool:
    """Whether a key, of a section or of the method itself, is set away from its default."""
    section, _, name = key.rpartition(".")
    table: Any = getattr(config, section) if section else method
    return bool(getattr(table, name) != type(table).model_fields[name].default)
