"""Whether what a config asks for can be had of a store's records: looked at before anything runs."""

import numpy as np

from ecglipse.commands import _splits, _stores
from ecglipse.config import SHORTEST_SPECTRAL_S, Config, Method
from ecglipse.config.keys import is_read
from ecglipse.errors import ConfigError
from ecglipse.masks.chance import in_band
from ecglipse.masks.segments import count_segments
from ecglipse.pretrain.order import Order
from ecglipse.store import Store


def count_training(config: Config, store: Store) -> dict[str, int]:
    """Count the records that each method is pretrained on: the fewest of any rotation that is studied.

    Args:
        config: of the study; splits are the same for all of its methods.
        store: the study's own; those of `pretrain.also` are counted too.
    """
    splits = _splits.splits(config, store)
    own = min(len(splits[rotation].train) for rotation in _splits.studied(config, store))
    methods = [name for name, method in config.methods.items() if method.kind == "pretrained"]
    return {name: own + sum(map(len, _stores.also(config.of(name), store))) for name in methods}


def see_training(config: Config, method: Method, *, records: int) -> None:
    """See that there are records enough for the queue and for a step.

    Args:
        config: as the method has it.
        method: of the config.
        records: that it is pretrained on.

    Raises:
        ConfigError: if the queue remembers them all, or a step takes more batches than all epochs have.
    """
    rule, queue = config.pretrain, config.played_for(method).get("queue", 0)
    if queue >= records:
        raise ConfigError(
            f"objective.queue: {queue}, but there are {records} training records: "
            "each would be compared with itself",
            hint=f"let it be {max(records // 2, 1)} at most, half of them",
        )
    batches = Order(np.arange(records), batch=rule.batch, seed=0).steps(rule.epochs)
    if config.published.leftover == "next-epoch" and rule.accumulate > batches:
        raise ConfigError(
            f"pretrain.accumulate: at most {batches}, the batches of all epochs, with "
            f'`published.leftover = "next-epoch"`; is {rule.accumulate}'
        )


def see_pairs(config: Config, method: Method, *, store: Store, shortest: int) -> int:
    """See that what is contrasted can be cut from the store's records; give its samples.

    Args:
        config: as the method has it.
        method: of the config.
        store: whose records are cut.
        shortest: fewest samples that the encoder takes.

    Raises:
        ConfigError: if a crop or segment is longer than the records or too short for the encoder, or there
            are too few leads.
    """
    rule, pairs, samples = config.objective, config.played_for(method)["pairs"], store.n_samples
    low, high = shortest / store.fs, samples / store.fs
    if pairs == "crops":
        if not low <= rule.crop_s <= high:
            raise ConfigError(
                f"objective.crop_s: must be in {low:g}..{high:g} s, between what the encoder takes and what "
                f"the records have; is {rule.crop_s:g}"
            )
        samples = round(rule.crop_s * store.fs)
    if pairs in ("segments", "segments-leads"):
        most = samples // shortest
        if rule.segments > most:
            raise ConfigError(
                f"objective.segments: {rule.segments} segments of {high / rule.segments:.3g} s, but encoder "
                f"{config.encoder.name} takes {low:g} s and more",
                hint=f"let there be {most} at most"
                if most > 1
                else "choose another `encoder.name` or `pairs`",
            )
        samples //= rule.segments
    if pairs in ("leads", "segments-leads"):
        most = len(store.leads) // 2
        if most < 1 or (rule.leads or most) > most:
            raise ConfigError(
                f"objective.leads: two views of {rule.leads or 1}, but the store has {len(store.leads)}",
                hint=f"let it be {most} at most" if most else "choose another `pairs`",
            )
    return samples


def see_masks(config: Config, name: str, *, fs: float, samples: int) -> None:
    """See that segments and tapers are as long as they are said to be, and that bands hold frequencies.

    Args:
        config: as the method has it.
        name: of the method.
        fs: Hz.
        samples: of what is contrasted.

    Raises:
        ConfigError: if segments are longer than half of it, or than all of it where they compete over leads
            or bands; or what is not 0 is below a sample; or there are more bands than frequencies, fewer than
            two frequencies in the band of the noise, or more frames than samples.
    """
    rule, method, policy = config.masks, config.methods[name], config.policy_of(name)
    if is_read("masks.segment_s", policy):
        joint = method.domain == "spectral" or method.leads in ("cells", "factorised")
        least = 1 if joint and not method.mix_shared else 2
        if round(rule.segment_s * fs) < 1 or round(rule.segment_s * fs) * least > samples:
            raise ConfigError(
                f"masks.segment_s: must be in {1 / fs:g}..{samples / fs / least:g} s; is {rule.segment_s:g}",
                hint='whole leads are hidden with `leads = "cells"` and segments of all that is contrasted',
            )
    if is_read("masks.coverage", policy) and not 0 < round(rule.coverage * samples) < samples:
        raise ConfigError(
            f"masks.coverage: must hide a sample of {samples} at least and leave one; is {rule.coverage:g}",
            hint='no masks are `masks = "none"`',
        )
    if rule.taper_s and is_read("masks.taper_s", policy) and round(rule.taper_s * fs) < 1:
        raise ConfigError(f"masks.taper_s: must be 0 or at least {1 / fs:g} s, a sample; is {rule.taper_s:g}")
    most = 2 * max(round(SHORTEST_SPECTRAL_S * fs), 1) + 1
    if is_read("masks.bands", policy) and rule.bands > most:
        raise ConfigError(f"masks.bands: must be 2 to {most}, the frequencies at {fs:g} Hz; is {rule.bands}")
    if is_read("masks.band_hz", policy):
        segments = count_segments(samples, segment_s=rule.segment_s, fs=fs)
        try:
            in_band(segments, time=samples, fs=fs, band_hz=rule.band_hz)
        except ValueError as error:
            raise ConfigError(f"masks: {error}", hint="widen it, or shorten `masks.segment_s`") from None
    frame_hz = config.mask_network.frame_hz
    if is_read("mask_network.frame_hz", policy) and frame_hz > fs:
        raise ConfigError(f"mask_network.frame_hz: {frame_hz:g} Hz, but the store has {fs:g} Hz")
