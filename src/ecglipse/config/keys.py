"""Which keys that a method may set for itself it reads, in one table: any other would silently do nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from ecglipse.config.game import Objective, PairsName, Pretrain, Views

_NETWORKS = ("adversarial", "predicted", "published")
_BOUND = ("adversarial", "predicted", "saliency", "qrs", "t")


@dataclass(frozen=True)
class Policy:
    """What of a method decides which keys are read.

    Args:
        masks: who decides what is hidden, as in `config.Method`.
        views: likewise.
        kind: likewise.
        objective: what is played for; "none" where nothing is trained.
        pairs: what is contrasted; likewise.
        named: of "objective" and "pairs" what the method has for itself.
        layers: of the projection.
        accumulates: a step has several batches.
        domain: as in `config.Method`.
        marks: likewise.
        leads: likewise.
        network: likewise.
        choice: likewise.
        mixed: chance hides some of the records, over all leads.
        rivals: masks that compete.
        ramps: keys whose `_start` is given.
        penalty: the published penalty has a weight.
        spares: the published masks spare leads.
        unet: the mask network is the published one.
        outside: the published transform of masks over time and frequency stands outside of the graph.
    """

    masks: str
    views: str = "base"
    kind: str = "pretrained"
    objective: str = "nt-xent"
    pairs: str = "records"
    named: frozenset[str] = frozenset()
    layers: int = 2
    accumulates: bool = False
    domain: str = "time"
    marks: str = "energy"
    leads: str = "shared"
    network: str = "learning"
    choice: str = "drawn"
    mixed: bool = False
    rivals: int = 1
    ramps: frozenset[str] = frozenset()
    penalty: bool = True
    spares: bool = False
    unet: bool = False
    outside: bool = True

    @property
    def pretrains(self) -> bool:
        """An encoder is trained without labels."""
        return self.kind == "pretrained"

    @property
    def trains(self) -> bool:
        """An encoder is trained: without labels, or by fine-tuning alone."""
        return self.kind in ("pretrained", "scratch")

    @property
    def encodes(self) -> bool:
        """There is an encoder."""
        return self.kind in ("pretrained", "scratch", "init")

    @property
    def hides(self) -> bool:
        """Anything is hidden."""
        return self.masks != "none"

    @property
    def in_time(self) -> bool:
        """Samples are hidden, not cells of time and frequency."""
        return self.hides and self.domain == "time"

    @property
    def plays(self) -> bool:
        """A mask network gets the gradient of the game."""
        if self.masks == "published":
            return self.in_time or not self.outside
        return self.masks == "adversarial" and self.network != "frozen"

    @property
    def learns(self) -> bool:
        """A mask network learns, by the game or by a loss of its own."""
        return self.plays or self.masks in ("predicted", "published")

    @property
    def for_all_leads(self) -> bool:
        """Published masks over time, each for all leads."""
        return self.masks == "published" and self.in_time and self.leads == "shared"

    @property
    def covers(self) -> bool:
        """A share is hidden that is said beforehand."""
        return self.hides and (self.masks != "published" or self.mixed)

    @property
    def cuts(self) -> bool:
        """Records are cut into segments."""
        return self.covers and (self.masks != "block" or self.mixed)

    @property
    def competes(self) -> bool:
        """Several masks of the network may compete."""
        return self.masks == "adversarial" or self.for_all_leads

    @property
    def relaxes(self) -> bool:
        """The relaxation is applied, or carries a gradient."""
        return self.masks == "adversarial" and (self.plays or self.choice == "soft")


@dataclass(frozen=True)
class _Rule:
    """When keys are read, that in words, and what of a method decides it."""

    needs: str
    reads: Callable[[Policy], bool]
    by: Literal["masks", "views", "objective", "pairs", "kind"] = "masks"


def _for(key: str) -> _Rule:
    """When a parameter of objectives or pairs is read: with those that look at it."""
    names = tuple(name for name, used in Objective().used.items() if key in used)
    if names[0] in get_args(PairsName):
        return _Rule(f"pairs {' or '.join(names)}", lambda p: p.pairs in names, "pairs")
    return _Rule(f"objective {' or '.join(names)}", lambda p: p.objective in names, "objective")


_HIDES = _Rule("masks", lambda p: p.hides)
_IN_TIME = _Rule("masks over time", lambda p: p.in_time)
_COVERS = _Rule("masks of a coverage", lambda p: p.covers)
_NETWORK = _Rule("a mask network", lambda p: p.masks in _NETWORKS)
_LEARNS = _Rule("a mask network that learns", lambda p: p.learns)
_PLAYS = _Rule("a mask network that plays", lambda p: p.plays)
_ADVERSARIAL = _Rule("adversarial masks", lambda p: p.masks == "adversarial")
_PRESSED = _Rule("adversarial masks that learn", lambda p: p.masks == "adversarial" and p.plays)
_RELAXED = _Rule("a relaxation: adversarial masks that learn, or soft ones", lambda p: p.relaxes)
_FRAMES = _Rule("a mask network that is not the published one", lambda p: p.masks in _NETWORKS and not p.unet)
_PUBLISHED = _Rule("published masks", lambda p: p.masks == "published")
_STEEP = _Rule("published masks over time", lambda p: p.masks == "published" and p.in_time)
_PENALTY = _Rule(
    "published masks and `published.alpha` above 0", lambda p: p.masks == "published" and p.penalty
)
_PENALISED = _Rule(
    "published masks over time and `published.alpha` above 0", lambda p: _STEEP.reads(p) and p.penalty
)
_SPARING = _Rule("published masks over time for all leads at once", lambda p: p.for_all_leads)
_TURNED = _Rule('`views` "3kg" or "3kg-projection"', lambda p: p.views != "base", "views")

_ENCODES = _Rule("an encoder", lambda p: p.encodes, "kind")
_TRAINS = _Rule("an encoder that is trained", lambda p: p.trains, "kind")
_PRETRAINS = _Rule("an encoder that is pretrained", lambda p: p.pretrains, "kind")
_PROJECTS = _Rule(
    "an encoder that is pretrained and two `encoder.projection_layers` or more",
    lambda p: p.pretrains and p.layers > 1,
    "kind",
)

MASKS: dict[str, _Rule] = {
    "leads": _IN_TIME,
    "choice": _ADVERSARIAL,
    "masks.coverage": _COVERS,
    "masks.coverage_start": _COVERS,
    "masks.ramp": _Rule(
        "a `_start` to move from",
        lambda p: (
            ("coverage" in p.ramps and p.covers)
            or ("temperature" in p.ramps and p.relaxes)
            or ("strength" in p.ramps and p.plays)
        ),
    ),
    "masks.segment_s": _Rule("masks of segments", lambda p: p.cuts),
    "masks.bands": _Rule(
        "masks over bands of frequency", lambda p: p.domain == "spectral" and p.masks != "published"
    ),
    "masks.fill": _IN_TIME,
    "masks.taper_s": _IN_TIME,
    "masks.band_hz": _Rule("masks by noise", lambda p: p.masks == "noise"),
    "masks.both_views": _HIDES,
    "mask_network.width": _NETWORK,
    "mask_network.depth": _FRAMES,
    "mask_network.kernel": _FRAMES,
    "mask_network.norm": _FRAMES,
    "mask_network.frame_hz": _FRAMES,
    "mask_network.bound": _Rule(
        "scores of a network or a guide", lambda p: p.masks in _BOUND and p.marks == "energy"
    ),
    "mask_network.temperature": _RELAXED,
    "mask_network.temperature_start": _RELAXED,
    "mask_network.rivals": _Rule(
        "adversarial masks, or published ones for all leads at once", lambda p: p.competes
    ),
    "mask_network.applied": _Rule("`mask_network.rivals` above 1", lambda p: p.competes and p.rivals > 1),
    "mask_network.chance": _ADVERSARIAL,
    "mask_network.reversed": _ADVERSARIAL,
    "mask_network.strength": _PLAYS,
    "mask_network.strength_start": _PLAYS,
    "mask_network.entropy": _PRESSED,
    "mask_network.smooth": _PRESSED,
    "mask_network.diversity": _PRESSED,
    "mask_network.learning_rate": _LEARNS,
    "mask_network.every": _LEARNS,
    "published.slope": _STEEP,
    "published.alpha": _PUBLISHED,
    "published.ratio": _PENALTY,
    "published.penalised": _PENALISED,
    "published.guard": _PENALTY,
    "published.network": _NETWORK,
    "published.transform": _Rule(
        "published masks over time and frequency", lambda p: p.masks == "published" and not p.in_time
    ),
    "published.gradient": _PLAYS,
    "published.spared": _SPARING,
    "published.spared_by": _Rule("`published.spared` above 0", lambda p: _SPARING.reads(p) and p.spares),
    "pretrain.play": _LEARNS,
}
"""For each key on masks when it is read. A key without a section is a method's own."""

THREEKG: dict[str, _Rule] = {
    f"views.{key}": _TURNED for key in ("threekg_angle_deg", "threekg_scale", "threekg_masked")
}
"""For each key on 3KG when it is read."""

OBJECTIVES: dict[str, _Rule] = {
    "pretrain.temperature": _Rule(
        "objective nt-xent, clocs or moco", lambda p: p.objective in ("nt-xent", "clocs", "moco"), "objective"
    ),
    "pretrain.objective": _Rule(
        "a method that pretrains and names no `objective`",
        lambda p: p.pretrains and "objective" not in p.named,
        "objective",
    ),
    "pretrain.pairs": _Rule(
        "a method that pretrains and names no `pairs`",
        lambda p: p.pretrains and "pairs" not in p.named,
        "pairs",
    ),
    **{f"objective.{key}": _for(key) for key in Objective.model_fields},
}
"""For each key on objectives and pairs when it is read."""

TRAINING: dict[str, _Rule] = {
    **dict.fromkeys(("encoder.name", "encoder.width", "encoder.dim"), _ENCODES),
    **dict.fromkeys(("encoder.input", "encoder.features"), _ENCODES),
    **dict.fromkeys(("encoder.projection_dim", "encoder.projection_layers"), _PRETRAINS),
    **dict.fromkeys(("encoder.projection_hidden", "encoder.projection_norm"), _PROJECTS),
    "encoder.lead_drop": _TRAINS,
    **dict.fromkeys(
        (f"views.{key}" for key in Views.model_fields if not key.startswith(("extra", "threekg"))), _TRAINS
    ),
    "views.extra": _PRETRAINS,
    **dict.fromkeys(("published.scaling", "published.attention"), _ENCODES),
    **dict.fromkeys(("published.finetuning", "published.kept"), _TRAINS),
    "published.patience": _PRETRAINS,
    "published.leftover": _Rule(
        "an encoder that is pretrained and `pretrain.accumulate` above 1",
        lambda p: p.pretrains and p.accumulates,
        "kind",
    ),
    **{
        f"pretrain.{key}": _PRETRAINS
        for key in Pretrain.model_fields
        if f"pretrain.{key}" not in MASKS.keys() | OBJECTIVES.keys()
    },
}
"""For each other key that a method may set for itself when it is read."""

RULES = MASKS | THREEKG | OBJECTIVES | TRAINING


def is_read(key: str, policy: Policy) -> bool:
    """Whether this policy reads a key of the table."""
    return RULES[key].reads(policy)


def needs(key: str) -> str:
    """What a key of the table needs, in words."""
    return RULES[key].needs


def no_effect(key: str, policy: Policy) -> str:
    """Say that a key is not read, by what, and what it needs."""
    by = RULES[key].by
    return f"`{key}` has no effect with {by} {getattr(policy, by)!r}; it needs {needs(key)}"
