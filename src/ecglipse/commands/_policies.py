"""From the words of a config to a mask policy, its fill and its schedules."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor, nn

from ecglipse.batches import torch_rng
from ecglipse.checkpoints import latest_checkpoint, read_json
from ecglipse.config import Config, MaskNetwork, Method, Published
from ecglipse.errors import CheckpointError
from ecglipse.masks import (
    BaselineFill,
    BlockMask,
    BridgeFill,
    Fill,
    Form,
    GuidedMask,
    LearnedMask,
    MarkedMask,
    MaskPolicy,
    MatchedNoiseFill,
    MinimumFill,
    MixedMask,
    NoiseMask,
    NoMask,
    PredictedMask,
    Pressure,
    PublishedMask,
    PublishedSpectralMask,
    Ramp,
    RandomMask,
    SaliencyGuide,
    ShuffledMask,
    SpectralMask,
    TokenFill,
    WaveGuide,
    ZeroFill,
    bands,
    form_of,
)
from ecglipse.models.masknet import MaskNet
from ecglipse.models.published_unet import PublishedUNet
from ecglipse.models.scoring import ScoringNet


def policy(
    config: Config, method: Method, *, leads: Sequence[str], fs: float, seed: int, encoder: nn.Module
) -> MaskPolicy:
    """Who decides what is hidden.

    Args:
        config: as the method has it.
        method: of the config.
        leads: of the store.
        fs: Hz.
        seed: of the mask network's initial weights.
        encoder: what a policy that follows the encoder looks at.
    """
    if method.masks == "none":
        return NoMask()
    form = form_of(method.leads, leads)
    made = _first(config, method, form, leads=leads, fs=fs, seed=seed, encoder=encoder)
    made.taper = round(config.masks.taper_s * fs)
    if method.network == "shuffled":
        made = ShuffledMask(made)
    if method.mix_shared:
        made = MixedMask(made, _chance(config, form_of("shared", leads), fs=fs), share=method.mix_shared)
        made.taper = round(config.masks.taper_s * fs)
    return made


def _first(
    config: Config,
    method: Method,
    form: Form,
    *,
    leads: Sequence[str],
    fs: float,
    seed: int,
    encoder: nn.Module,
) -> MaskPolicy:
    """The policy before it is shuffled or mixed."""
    rule, network = config.masks, config.mask_network
    coverage = ramp(rule.coverage_start, rule.coverage, rule.ramp)
    spectral = method.domain == "spectral"
    if spectral:
        form = bands(rule.bands)
    if method.masks == "random":
        cells = _chance(config, form, fs=fs, in_segments=spectral)
        return SpectralMask(cells, fs=fs) if spectral else cells
    if method.masks == "block":
        return BlockMask(form=form, coverage=coverage)
    if method.masks == "noise":
        return NoiseMask(form=form, coverage=coverage, segment_s=rule.segment_s, fs=fs, band_hz=rule.band_hz)
    if method.marks != "energy":
        return MarkedMask(form=form, coverage=coverage, segment_s=rule.segment_s, fs=fs)
    if method.masks in ("qrs", "t", "saliency"):
        waves = cast(Literal["qrs", "t"], method.masks)
        return GuidedMask(
            SaliencyGuide(encoder) if method.masks == "saliency" else WaveGuide(waves, fs=fs),
            form=form,
            coverage=coverage,
            segment_s=rule.segment_s,
            fs=fs,
            bound=network.bound,
        )
    if method.masks == "published":
        return _published(config, method, leads=leads, fs=fs, seed=seed)
    groups = form.scored * (network.rivals if method.masks == "adversarial" else 1)
    net = _net(config, method, groups=groups, leads=leads, fs=fs, seed=seed)
    if method.masks == "predicted":
        return PredictedMask(
            net, form=form, coverage=coverage, segment_s=rule.segment_s, fs=fs, bound=network.bound
        )
    learned = LearnedMask(
        net,
        coverage=coverage,
        segment_s=rule.segment_s,
        fs=fs,
        form=form,
        bound=network.bound,
        temperature=ramp(network.temperature_start, network.temperature, rule.ramp),
        choice=method.choice,
        rivals=network.rivals,
        every=network.applied == "all",
        pressure=Pressure(network.entropy, network.smooth, network.diversity),
        chance=network.chance,
        reversed_=network.reversed,
        in_segments=spectral,
    )
    return SpectralMask(learned, fs=fs) if spectral else learned


def _published(config: Config, method: Method, *, leads: Sequence[str], fs: float, seed: int) -> MaskPolicy:
    """The masks of the published code: over time, or over time and frequency."""
    rule, spectral = config.published, method.domain == "spectral"
    per_lead = spectral or method.leads == "per-lead"
    masks = len(leads) if per_lead else config.mask_network.rivals
    net, guarded = _net(config, method, groups=masks, leads=leads, fs=fs, seed=seed), rule.guard == "tangent"
    if spectral:
        return PublishedSpectralMask(
            net, fs=fs, alpha=rule.alpha, ratio=rule.ratio, guarded=guarded, transform=rule.transform
        )
    return PublishedMask(
        net,
        fs=fs,
        slope=rule.slope,
        alpha=rule.alpha,
        ratio=rule.ratio,
        guarded=guarded,
        penalised=rule.penalised,
        per_lead=per_lead,
        spared=rule.spared,
        spared_by=rule.spared_by,
        every=config.mask_network.applied == "all",
    )


def _chance(config: Config, form: Form, *, fs: float, in_segments: bool = False) -> RandomMask:
    rule = config.masks
    coverage = ramp(rule.coverage_start, rule.coverage, rule.ramp)
    return RandomMask(form=form, coverage=coverage, segment_s=rule.segment_s, fs=fs, in_segments=in_segments)


def _net(
    config: Config, method: Method, *, groups: int, leads: Sequence[str], fs: float, seed: int
) -> ScoringNet:
    """The mask network with its initial weights, or with another run's; frozen if the method says so."""
    net = _fresh(config, groups=groups, leads=len(leads), fs=fs, generator=torch_rng(seed, "init", "masks"))
    if method.network_run:
        weights, _ = loaded_network(method)
        _see_that_it_fits(config, method, leads=leads, fs=fs)
        net.load_state_dict(weights)
    if method.network == "frozen":
        net.requires_grad_(False)
    return net


def _fresh(config: Config, *, groups: int, leads: int, fs: float, generator: torch.Generator) -> ScoringNet:
    """A mask network with its initial weights: ours, or the published one."""
    rule = config.mask_network
    if config.published.network == "unet":
        return PublishedUNet(leads=leads, groups=groups, width=rule.width, fs=fs, generator=generator)
    return MaskNet(
        leads=leads,
        groups=groups,
        width=rule.width,
        depth=rule.depth,
        kernel=rule.kernel,
        norm=rule.norm,
        fs=fs,
        frame_hz=rule.frame_hz,
        generator=generator,
    )


def _see_that_it_fits(config: Config, method: Method, *, leads: Sequence[str], fs: float) -> None:
    """Compare all that a mask network's scores depend on with what the run that it is taken from had.

    Raises:
        CheckpointError: naming what differs.
    """
    facts = read_json(Path(method.network_run) / "config.json")
    if not isinstance(facts, dict) or not {"method", "input", "masks", "mask_network"} <= facts.keys():
        raise CheckpointError(f"{method.network_run}: config.json is not that of a run")
    form = ("rivals", "width", "depth", "kernel", "norm", "frame_hz")
    here: dict[str, object] = {
        "input.fs": fs,
        "input.leads": list(leads),
        "method.masks": method.masks,
        "method.leads": method.leads,
        "method.domain": method.domain,
        **{f"mask_network.{key}": getattr(config.mask_network, key) for key in form},
        "published.scaling": config.published.scaling,
        "published.network": config.published.network,
    }
    if method.domain == "spectral":
        here["masks.bands"] = config.masks.bands
    defaults = {
        f"{section}.{key}": field.default
        for section, kind in (("mask_network", MaskNetwork), ("published", Published))
        for key, field in kind.model_fields.items()
    }
    differing = []
    for path, value in here.items():
        section, _, key = path.partition(".")
        there = facts.get(section, {}).get(key, defaults.get(path))
        if there != value:
            differing.append(f"{path} is {there!r} there, {value!r} here")
    if differing:
        raise CheckpointError(
            f"{method.network_run}: its mask network does not fit: {'; '.join(differing)}",
            hint="give the method and `mask_network` as that run had them, and a store like its own",
        )


def loaded_network(method: Method) -> tuple[dict[str, Tensor], str]:
    """The weights of the mask network of `network_run`, and 16 hex digits of them.

    Raises:
        CheckpointError: if the run has no checkpoint or no mask network.
    """
    found = latest_checkpoint(Path(method.network_run))
    mark = ".net."
    weights = (
        {}
        if found is None
        else {
            name.partition(mark)[2]: tensor
            for name, tensor in sorted(found.tensors.items())
            if name.startswith("game.policy.") and mark in name
        }
    )
    if not weights:
        raise CheckpointError(f"{method.network_run}: has no checkpoint with a mask network")
    content = hashlib.sha256()
    for name, tensor in weights.items():
        content.update(name.encode() + tensor.contiguous().to(torch.float32).numpy().tobytes())
    return weights, content.hexdigest()[:16]


def fill(config: Config, *, leads: Sequence[str]) -> Fill:
    """What stands in hidden places."""
    makers: dict[str, Callable[[], Fill]] = {
        "baseline": BaselineFill,
        "bridge": BridgeFill,
        "zero": ZeroFill,
        "minimum": MinimumFill,
        "matched-noise": MatchedNoiseFill,
        "token": lambda: TokenFill(len(leads)),
    }
    return makers[config.masks.fill]()


def ramp(start: float | None, end: float, until: float) -> Ramp:
    """From start to end, or constant."""
    return Ramp(end if start is None else start, end, until)
