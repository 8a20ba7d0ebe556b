"""`masks`: writes what a run's masks hide from a store's recordings: a page, `masks.json` and `masks.csv`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ecglipse.errors import ConfigError, StoreError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ecglipse.commands._mask_run import MaskRun, OnStore
    from ecglipse.occlusion import BandShare, Enrichment, Findings, Tally
    from ecglipse.report.band_pictures import BandMasks
    from ecglipse.report.gallery import Masks

DRAWS, SHIFTS, RECORDS = 32, 9999, 2000
"""Masks a record, shifts of the null distribution, and records looked at, where nothing else is asked for."""


@dataclass(frozen=True)
class Masked:
    """What `masks` made.

    Args:
        html: the page.
        json: everything as JSON.
        csv: the enrichments as a table; beside it, `bands.csv` of masks over bands of frequency.
        records: looked at.
        sentences: the findings in words, the most important one first.
        seconds: of this call.
    """

    html: Path
    json: Path
    csv: Path
    records: int
    sentences: tuple[str, ...]
    seconds: float


def masks(
    run: Path,
    store: Path,
    *,
    also: Sequence[Path] = (),
    task: str | None = None,
    harm: Literal["scratch", "finetune", "linear"] | None = None,
    marks: Literal["auto", "store", "delineator"] = "auto",
    draws: int = DRAWS,
    shifts: int = SHIFTS,
    records: int = RECORDS,
    pictures: int = 3,
    out: Path | None = None,
) -> Masked:
    """Compare what a run's masks hide with the waves of a store's recordings.

    Args:
        run: folder of a finished pretraining run that masks.
        store: of recordings at the run's rate and with its leads.
        also: other runs, as of other seeds, to compare the masks with.
        task: its classes are looked at one by one; by default the most frequent codes are.
        harm: train this model on `task` and measure what hiding costs it.
        marks: of the waves: the store's own, the delineator's, or the first that there is.
        draws: of masks, a record.
        shifts: of the null distribution; the smallest p-value is 1 / (shifts + 1).
        records: looked at, at most; drawn at random where there are more.
        pictures: records to draw on the page.
        out: folder to write to; by default a folder in the run's, named after the store.

    Raises:
        CheckpointError: if a run is missing, unfinished or damaged.
        ConfigError: if a run hides nothing or does not fit the store, or `harm` is asked for without `task`.
        StoreError: if the store has no marks and they are asked for, or no record has enough of them.
        TaskError: if the task cannot be had from the store.
        EcglipseError: if the delineator is needed and not installed, or nothing can be written.
    """
    from ecglipse.batches import Batches, best_device
    from ecglipse.commands._mask_harm import count_readings
    from ecglipse.commands._mask_run import OnStore, open_run
    from ecglipse.report.occlusion import words, write_findings
    from ecglipse.store import Store

    began = time.monotonic()
    for name, value in (("draws", draws), ("shifts", shifts), ("records", records)):
        if value < 1:
            raise ConfigError(f"--{name} must be at least 1; got {value}")
    if harm and not task:
        raise ConfigError("--harm needs `--task`", hint="say which task a model is trained on")
    opened = Store.open(store)
    batches = Batches(opened, device=best_device())
    findings, gallery = _look(
        *(OnStore(open_run(path, opened), batches) for path in (run, *also)),
        task=task,
        harm=harm,
        marks=marks,
        draws=draws,
        shifts=shifts,
        records=records,
        pictures=pictures,
    )
    if findings.harm and task:
        count_readings(run, findings.harm, task=task, store=opened)
    place = run / f"masks-{store.resolve().name}" if out is None else out
    written = write_findings(findings, gallery, place)
    main, more = words(findings)
    return Masked(
        written.html, written.json, written.csv, findings.records, (main, *more), time.monotonic() - began
    )


def _look(
    on: "OnStore",
    *others: "OnStore",
    task: str | None,
    harm: Literal["scratch", "finetune", "linear"] | None,
    marks: str,
    draws: int,
    shifts: int,
    records: int,
    pictures: int,
) -> "tuple[Findings, Masks | BandMasks]":
    """Everything that is measured, and a few records to be drawn."""
    import numpy as np
    import pandas as pd

    from ecglipse.commands._mask_gallery import gallery
    from ecglipse.commands._mask_harm import measure_harm
    from ecglipse.commands._mask_rows import groups, marked
    from ecglipse.commands._mask_run import unseen
    from ecglipse.commands._mask_stability import agreements, compared
    from ecglipse.occlusion import Findings
    from ecglipse.provenance import provenance

    run, store = on.run, on.store
    keep, split, caution = unseen(run, store)
    rows, waves, source = marked(store, keep, marks, records)
    names, member = groups(store, rows, task)
    patients = pd.factorize(store.table["patient_id"])[0][rows].astype(np.int64)
    tally, bands = _tallied(on, rows, waves, names, member, patients, draws=draws, shifts=shifts)
    if not tally.patients:
        raise StoreError(f"{store.path}: no record has marks over half a second", hint="try another store")
    some = compared(rows)
    in_groups = np.stack(tally.member)[:, 1:].sum(axis=0)
    findings = Findings(
        run=run.name,
        masks=run.words(),
        learned=run.learned,
        control=run.control,
        store={
            "corpus": store.manifest.corpus,
            "digest": store.digest,
            "records": len(store),
            "fs": store.fs,
            "duration_s": store.manifest.duration_s,
        },
        marks=source,
        records=len(tally.patients),
        patients=len(set(tally.patients)),
        left_out=tally.left_out,
        draws=draws,
        shifts=shifts,
        coverage=tally.coverage(),
        segment_s=run.config.masks.segment_s,
        groups={name: int(count) for name, count in zip(names, in_groups, strict=True)},
        enrichments=tuple(_enrichments(run, tally, store.leads)),
        stability=tuple(agreements(on, others, some, draws=draws)),
        harm=measure_harm(on, split, task=task, model=harm, draws=min(draws, 8)) if harm and task else None,
        cautions=tuple(sentence for sentence in (caution, *_of_cells(run)) if sentence),
        provenance=provenance() | {"store": store.digest},
        synthetic=store.manifest.corpus == "simulator",
        bands=bands,
    )
    shown = some[np.linspace(0, len(some) - 1, min(max(pictures, 0), len(some))).astype(int)]
    return findings, gallery(on, shown, draws=draws)


def _tallied(
    on: "OnStore",
    rows: "np.ndarray",
    waves: "pd.DataFrame",
    names: list[str],
    member: "np.ndarray",
    patients: "np.ndarray",
    *,
    draws: int,
    shifts: int,
) -> "tuple[Tally, tuple[BandShare, ...]]":
    """Go through the records, a batch at a time; of masks over bands, say how much of each is hidden."""
    import numpy as np

    from ecglipse.occlusion import Tally, all_leads, band_shares, lead_by_lead
    from ecglipse.waves import region_maps

    store, spectral = on.store, on.run.spectral
    marks = lead_by_lead if spectral is None else all_leads
    n_rows = len(store.leads) if spectral is None else len(spectral.bins)
    tally = Tally(names, n_rows=n_rows, shifts=shifts, seed=0, marks=marks)
    shares = []
    valid = store.table["n_valid"].to_numpy()
    regions = region_maps(waves, rows.tolist(), leads=store.leads, n_samples=store.n_samples, fs=store.fs)
    for n, (row, named) in enumerate(zip(rows, regions, strict=True)):
        if n % 64 == 0:
            maps = on.maps(rows[n : n + 64], draws=draws)
        named[:, int(valid[row]) :] = -1
        mask = maps[n % 64]
        tally.add(mask, named, member=member[n], patient=int(patients[n]))
        shares.append(mask[:, : int(valid[row])].mean(axis=1, dtype=np.float64))
    if spectral is None:
        return tally, ()
    return tally, band_shares(
        np.stack(shares),
        patients,
        edges_hz=spectral.edges_hz,
        bins=spectral.bins,
        coverage=on.run.coverage(store.n_samples),
    )


def _enrichments(run: "MaskRun", tally: "Tally", leads: Sequence[str]) -> "list[Enrichment]":
    """Those of leads, or of bands."""
    from ecglipse.occlusion import band_enrichments, band_names, enrichments

    if run.spectral is None:
        return enrichments(tally, leads)
    return band_enrichments(tally, band_names(run.spectral.edges_hz))


def _of_cells(run: "MaskRun") -> list[str]:
    """What a reader must know of cells of time and frequency."""
    spectral = run.spectral
    if spectral is None:
        return []
    width, step = spectral.n_fft / spectral.fs, spectral.hop / spectral.fs
    return [
        f"A cell is taken out of the frames of a transform, one every {step:g} s, through a window of "
        f"{width:g} s: what is hidden at a wave fades out over {width / 2:g} s to either side, and bands "
        f"blend into each other within about {2 / width:.1f} Hz."
    ]
