"""A run's masks, ready to be drawn on any store of its rate and leads. Reads the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ecglipse.batches import Batches
from ecglipse.checkpoints import latest_checkpoint, read_json
from ecglipse.commands import _encoders, _stores
from ecglipse.commands._policies import fill, policy
from ecglipse.config import Config, check, digest
from ecglipse.draws import Draws
from ecglipse.errors import CheckpointError, ConfigError, StoreError
from ecglipse.masks import (
    Fill,
    LearnedMask,
    Marks,
    MaskPolicy,
    MixedMask,
    RandomMask,
    ShuffledMask,
    SpectralMask,
    bands,
    form_of,
)
from ecglipse.masks.segments import count_segments
from ecglipse.models.layers import Encoder
from ecglipse.models.reference import taking
from ecglipse.splits import Split, by_folds, by_patient, rotations
from ecglipse.store import Store
from ecglipse.transfer.pretrained import put_weights

_PARTS = ("encoder", "views", "masks", "mask_network", "pretrain")
_NEWER = ("published",)
"""Parts that runs of earlier versions do not have: they have the defaults."""
_BATCH = 64


@dataclass(frozen=True)
class MaskRun:
    """A finished run whose masks can be drawn.

    Args:
        name: of its folder.
        facts: of its `config.json`.
        config: the same as a config, for `_assemble`; it has one method, "run".
        policy: decides what is hidden; of a mixture, the part of most interest: the network's own choice.
        fill: what stands in hidden places.
        tensors: of its last checkpoint.
    """

    name: str
    facts: dict[str, Any]
    config: Config
    policy: MaskPolicy
    fill: Fill
    tensors: dict[str, Tensor]

    @property
    def learned(self) -> bool:
        """Whether a network that learned decides."""
        method = self.config.methods["run"]
        return method.masks in ("adversarial", "predicted", "published") and method.network != "frozen"

    @property
    def control(self) -> bool:
        """Whether chance alone decides, so that nothing should be found."""
        return self.config.methods["run"].masks in ("random", "block")

    @property
    def spectral(self) -> SpectralMask | None:
        """The policy, if it hides bands of frequency."""
        return self.policy if isinstance(self.policy, SpectralMask) else None

    def rows(self, leads: Sequence[str]) -> tuple[object, ...]:
        """What the masks' rows are: the leads, or the edges of the bands in Hz."""
        return tuple(leads) if self.spectral is None else self.spectral.edges_hz

    def coverage(self, n_samples: int) -> float:
        """What random masks over bands hide of every band: the coverage, in whole cells."""
        rule, method = self.config.masks, self.config.methods["run"]
        segments = self.segments(n_samples)
        cells = segments * (rule.bands if method.domain == "spectral" else 1)
        return round(rule.coverage * cells) / cells

    def words(self) -> str:
        """Who decides what is hidden, in words."""
        method, rule = self.config.methods["run"], self.config.masks
        unmixed = (
            f"; of the mixture with random masks only the {method.masks} part" if method.mix_shared else ""
        )
        if method.masks == "adversarial":
            side = self.config.mask_network
            unmixed += "; without the records that are masked by chance" if side.chance else ""
            unmixed += "; without the records whose scores are turned upside down" if side.reversed else ""
            unmixed += "; the network plays as an ally" if side.strength < 0 else ""
        leads = {
            "shared": "one for all leads",
            "per-lead": "one a lead",
            "electrodes": "one for the limb leads and one for each other lead",
            "cells": "leads and times that compete",
            "factorised": "leads and times that compete, each by a score of its own",
        }[method.leads]
        network = {"learning": "", "frozen": " of a frozen network", "shuffled": ", shuffled in training"}
        if method.domain == "spectral":
            leads = f"{rule.bands} bands of frequency and times that compete, for all leads at once"
        if method.marks != "energy":
            leads += (
                f", on waves by the marks of {'the store' if method.marks == 'store' else 'a delineator'}"
            )
        share = f"{100 * rule.coverage:g} % hidden in segments of {rule.segment_s:g} s"
        if method.masks == "block":
            share = f"{100 * rule.coverage:g} % hidden in one block"
        return f"{method.masks} masks{network[method.network]}, {leads}, {share}{unmixed}"

    @torch.no_grad()
    def twin(self, x: Tensor) -> MaskPolicy:
        """Random masks of the same form and segments, that hide as much as this policy, looking at `x`."""
        rule, method = self.config.masks, self.config.methods["run"]
        given = self.facts["input"]
        hidden = float(self.policy(x, Draws.of(0, "twin", rows=range(len(x)), device=x.device)).mean())
        spectral, fs = isinstance(self.policy, SpectralMask), float(given["fs"])
        chance = RandomMask(
            form=bands(rule.bands) if spectral else form_of(method.leads, given["leads"]),
            coverage=min(max(hidden, 1e-3), 1.0),
            segment_s=rule.segment_s,
            fs=fs,
            in_segments=spectral,
        )
        return SpectralMask(chance, fs=fs) if spectral else chance

    def segments(self, n_samples: int) -> int:
        """How many segments a record of so many samples has."""
        return count_segments(
            n_samples, segment_s=self.config.masks.segment_s, fs=float(self.facts["input"]["fs"])
        )

    def encoder(self) -> Encoder:
        """A fresh encoder of the run's architecture, with initial weights."""
        found = self.facts["input"]
        made = _encoders.initial_encoder(self.config, leads=len(found["leads"]), seed=int(self.facts["seed"]))
        return _encoders.transferred(self.config, made)


@dataclass(frozen=True)
class OnStore:
    """A run's masks on the recordings of a store.

    Args:
        run: whose masks.
        batches: of the store.
        policy: that decides; of the run by default.
    """

    run: MaskRun
    batches: Batches
    policy: MaskPolicy | None = None

    @property
    def store(self) -> Store:
        """Of the recordings."""
        return self.batches.store

    @cached_property
    def marks(self) -> Marks | None:
        """What the policy looks at in place of signals; None if it looks at them.

        Raises:
            StoreError: if masks are laid on a store's own marks, and it has none.
            EcglipseError: if the delineator is needed and not installed.
        """
        method = self.run.config.methods["run"]
        if method.marks == "store" and not len(self.store.waves):
            raise StoreError(
                f"{self.store.path}: has no wave marks, and the masks of {self.run.name} are laid on them",
                hint="give a store with marks, such as one of LUDB",
            )
        return _stores.marks(method, [self.store], np.arange(0), device=self.batches.device)

    def looked_at(self, rows: Int[np.ndarray, " record"]) -> Float[Tensor, "record lead time"]:
        """Give what the policy looks at in these records: their signals, mV, or their marks."""
        return self.batches.millivolts(rows) if self.marks is None else self.marks(rows)

    def twin(self, rows: Int[np.ndarray, " record"]) -> "OnStore":
        """Random masks of the same form and segments, that hide as much as these do of the records."""
        return replace(self, policy=self.run.twin(self.looked_at(rows)))

    def maps(
        self, rows: Int[np.ndarray, " record"], *, draws: int, seed: int = 0
    ) -> Float[np.ndarray, "record row time"]:
        """Give `mask_maps` of these records."""
        policy = (self.policy or self.run.policy).to(self.batches.device)
        return mask_maps(policy, self.looked_at, rows, draws=draws, seed=seed)


def open_run(path: Path, store: Store) -> MaskRun:
    """Open a run and see that its masks fit the store.

    Raises:
        CheckpointError: if the run is missing, unfinished or of another form.
        ConfigError: if it hides nothing, or the store has another rate or other leads.
    """
    facts = read_json(path / "config.json")
    if not isinstance(facts, dict) or not {"method", "input", "seed", *_PARTS} <= facts.keys():
        raise CheckpointError(f"{path}: config.json is not that of a run", hint="give the folder of a run")
    content = {key: facts[key] for key in (*_PARTS, *_NEWER) if key in facts}
    config = check(
        content | {"name": "run", "store": "-", "out": "-", "methods": {"run": facts["method"]}},
        where=str(path / "config.json"),
        recorded=True,
    )
    method, needed = config.methods["run"], facts["input"]
    if (float(needed["fs"]), tuple(needed["leads"])) != (store.fs, store.leads):
        raise ConfigError(
            f"{store.path}: {store.fs:g} Hz and leads {', '.join(store.leads)}; the run has learned from "
            f"{needed['fs']:g} Hz and {', '.join(needed['leads'])}",
            hint=f"prepare the recordings with `--fs {needed['fs']:g} --leads {','.join(needed['leads'])}`",
        )
    if method.masks == "none":
        raise ConfigError(f"{path}: its method hides nothing", hint="give a run of a method with masks")
    found = latest_checkpoint(path)
    if found is None or found.counters["step"] < found.counters["total"]:
        raise CheckpointError(f"{path}: is not finished", hint="finish it with `ecglipse pretrain`")
    seed = int(facts["seed"])
    learner = _encoders.initial_encoder(config, leads=len(store.leads), seed=seed)
    put_weights(learner, found.tensors, where=str(path))
    decides = policy(config, method, leads=store.leads, fs=store.fs, seed=seed, encoder=learner)
    stands = fill(config, leads=store.leads)
    for part, prefix in ((decides, "game.policy."), (stands, "game.fill.")):
        _load(part, found.tensors, prefix, where=str(path))
    while isinstance(decides, MixedMask | ShuffledMask):
        decides = decides.first
    for module in decides.modules():
        if isinstance(module, LearnedMask):
            module.chance = module.reversed = 0.0
    taking(decides, _encoders.scaling(config))
    return MaskRun(path.resolve().name, facts, config, decides.eval(), stands, found.tensors)


def _load(part: nn.Module, tensors: dict[str, Tensor], prefix: str, *, where: str) -> None:
    """Put a part of the run's game into its place."""
    try:
        part.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    except RuntimeError as error:
        raise CheckpointError(
            f"{where}: the mask network of the checkpoint does not fit its config.json: "
            f"{str(error).splitlines()[-1].strip()}"
        ) from None


def unseen(run: MaskRun, store: Store) -> tuple[Int[np.ndarray, " row"], Split | None, str]:
    """Give the rows that the run has not learned from, the split if it is known, and say what was done."""
    rows = np.arange(len(store))
    if run.facts.get("store") != store.digest:
        return rows, None, ""
    for split in _splits(store):
        if digest([int(row) for row in split.train]) == run.facts.get("rows"):
            keep = np.setdiff1d(rows, split.train)
            return keep, split, f"Only the {len(keep)} records are looked at that the run was not trained on."
    return (
        rows,
        None,
        "The run was pretrained on records of this store, and which is not known: all are used.",
    )


def _splits(store: Store) -> list[Split]:
    """The splits that studies usually have."""
    found = [by_patient(store.table, seed=0)]
    folds = set(store.table["fold"].dropna())
    if folds >= set(range(1, 11)):
        found += [*rotations(store.table), official(store)]
    return found


def official(store: Store) -> Split:
    """Folds 1-8, 9 and 10."""
    return by_folds(store.table, train=range(1, 9), validation=(9,), test=(10,))


@torch.no_grad()
def mask_maps(
    policy: MaskPolicy,
    looked_at: Callable[[Int[np.ndarray, " some"]], Tensor],
    rows: Int[np.ndarray, " record"],
    *,
    draws: int,
    seed: int = 0,
) -> Float[np.ndarray, "record row time"]:
    """Give the share of draws in which each sample of these records is hidden, by lead or by band.

    Args:
        policy: decides.
        looked_at: gives what it looks at in records: signals, mV, or marks.
        rows: of the records, at least one and few enough for their maps to be held.
        draws: of masks.
        seed: of the draws.
    """
    found = []
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        x = looked_at(part)
        total = torch.zeros((), device=x.device)
        for draw in range(draws):
            mask = policy(x, Draws.of(seed, "masks", draw, rows=part, device=x.device))
            total = total + policy.rows_over_time(mask, x)
        found.append((total / draws).cpu().numpy())
    return np.concatenate(found)
