"""A few recordings under a run's masks, to be drawn."""

import numpy as np
import torch
from jaxtyping import Int

from ecglipse.commands._mask_run import OnStore
from ecglipse.draws import Draws
from ecglipse.masks import SpectralMask
from ecglipse.occlusion import band_names
from ecglipse.report.band_pictures import BandMasks
from ecglipse.report.gallery import Masks
from ecglipse.store import Store


def gallery(on: OnStore, rows: Int[np.ndarray, " row"], *, draws: int) -> Masks | BandMasks:
    """A few records under one draw, and how often each sample, or cell of one lead, is hidden."""
    spectral = on.run.spectral
    return _leads(on, rows, draws=draws) if spectral is None else _bands(on, spectral, rows, draws=draws)


def _leads(on: OnStore, rows: Int[np.ndarray, " row"], *, draws: int) -> Masks:
    """A few records under one draw, and how often each sample is hidden."""
    store = on.store
    if not len(rows):
        nothing = np.zeros((0, len(store.leads), store.n_samples), np.float32)
        return Masks(nothing, nothing.astype(np.uint8), nothing, store.fs, store.leads, ())
    return Masks(
        signal=on.batches.millivolts(rows).cpu().numpy(),
        mask=(on.maps(rows, draws=1) >= 0.5).astype(np.uint8),
        probability=on.maps(rows, draws=draws),
        fs=store.fs,
        leads=store.leads,
        titles=_titles(store, rows),
    )


def _bands(on: OnStore, spectral: SpectralMask, rows: Int[np.ndarray, " row"], *, draws: int) -> BandMasks:
    """One lead of a few records, as it is and with one draw taken out, and how often each cell is hidden."""
    store, names = on.store, band_names(spectral.edges_hz)
    lead = store.leads.index("II") if "II" in store.leads else 0
    signal = seen = np.zeros((0, store.n_samples), np.float32)
    probability = np.zeros((0, len(names), store.n_samples), np.float32)
    if len(rows):
        x = on.batches.millivolts(rows)
        chance = Draws.of(0, "masks", 0, rows=rows, device=x.device)
        with torch.no_grad():
            hidden = spectral.hide(x, spectral(x, chance), on.run.fill.to(x.device), chance)
        signal, seen = x[:, lead].cpu().numpy(), hidden[:, lead].cpu().numpy()
        probability = on.maps(rows, draws=draws)
    return BandMasks(
        signal=signal,
        seen=seen,
        probability=probability,
        fs=store.fs,
        lead=store.leads[lead],
        bands=names,
        titles=_titles(store, rows),
    )


def _titles(store: Store, rows: Int[np.ndarray, " row"]) -> tuple[str, ...]:
    return tuple(", ".join(codes) or "no statement" for codes in store.table["codes"].iloc[rows])
