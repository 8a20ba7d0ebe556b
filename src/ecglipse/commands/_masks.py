"""`masks`: writes what a run's masks hide from a store's recordings: a page, `masks.json` and `masks.csv`."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ecglipse.errors import ConfigError, StoreError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ecglipse.batches import Batches
    from ecglipse.commands._mask_run import MaskRun
    from ecglipse.masks import MaskPolicy
    from ecglipse.occlusion import BandShare, Enrichment, Findings, Stability, Tally
    from ecglipse.report.band_pictures import BandMasks
    from ecglipse.report.gallery import Masks
    from ecglipse.store import Store

MOST_GROUPS = 8
FEWEST_RECORDS = 10
"""A code with fewer records is no group of its own."""
COMPARED = 256
"""Records on which the masks of runs are compared, at most."""


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
    draws: int = 32,
    shifts: int = 9999,
    records: int = 2000,
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
    from ecglipse.commands._mask_run import open_run
    from ecglipse.report.occlusion import words, write_findings
    from ecglipse.store import Store

    began = time.monotonic()
    for name, value in (("draws", draws), ("shifts", shifts), ("records", records)):
        if value < 1:
            raise ConfigError(f"--{name} must be at least 1; got {value}")
    if harm and not task:
        raise ConfigError("--harm needs `--task`", hint="say which task a model is trained on")
    opened = Store.open(store)
    first = open_run(run, opened)
    device = best_device()
    first.policy.to(device)
    batches = Batches(opened, device=device)
    findings, gallery = _look(
        first,
        [open_run(path, opened) for path in also],
        opened,
        batches,
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
    run: "MaskRun",
    others: "list[MaskRun]",
    store: "Store",
    batches: "Batches",
    *,
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

    from ecglipse.commands._mask_harm import measure_harm
    from ecglipse.commands._mask_run import unseen
    from ecglipse.occlusion import Findings
    from ecglipse.provenance import provenance

    keep, split, caution = unseen(run, store)
    rows, waves, source = _marked(store, keep, marks, records)
    names, member = _groups(store, rows, task)
    patients = pd.factorize(store.table["patient_id"])[0][rows].astype(np.int64)
    tally, bands = _tallied(
        run, store, batches, rows, waves, names, member, patients, draws=draws, shifts=shifts
    )
    if not tally.patients:
        raise StoreError(f"{store.path}: no record has marks over half a second", hint="try another store")
    compared = rows[np.linspace(0, len(rows) - 1, min(COMPARED, len(rows))).astype(int)]
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
        stability=tuple(_agreements(run, others, store, batches, compared, draws=draws)),
        harm=measure_harm(run, store, batches, split, task=task, model=harm, draws=min(draws, 8))
        if harm and task
        else None,
        cautions=tuple(sentence for sentence in (caution, *_of_cells(run)) if sentence),
        provenance=provenance() | {"store": store.digest},
        synthetic=store.manifest.corpus == "simulator",
        bands=bands,
    )
    shown = compared[np.linspace(0, len(compared) - 1, min(max(pictures, 0), len(compared))).astype(int)]
    make = _gallery if run.spectral is None else _band_gallery
    return findings, make(run, store, batches, shown, draws=draws)


def _marked(
    store: "Store", keep: "np.ndarray", marks: str, records: int
) -> "tuple[np.ndarray, pd.DataFrame, str]":
    """Rows to look at, the marks of their waves, and where these come from."""
    import numpy as np

    from ecglipse.commands._delineated import kept
    from ecglipse.seeding import numpy_rng
    from ecglipse.waves.delineator import delineate_rows, load_library

    own = len(store.waves) > 0
    if marks == "store" and not own:
        raise StoreError(f"{store.path}: has no wave marks", hint="use `--marks delineator`")
    use_own = own and marks != "delineator"
    if use_own:
        keep = np.intersect1d(keep, store.waves["row"].to_numpy(dtype=np.int64))
    marked = None if use_own else kept(store)
    if not use_own and marked is None:
        load_library()
    if len(keep) > records:
        keep = np.sort(numpy_rng(0, "masks", "rows").choice(keep, records, replace=False))
    if use_own:
        return (
            keep,
            store.waves,
            {
                "ludb": "marks made by hand in each lead (LUDB)",
                "simulator": "the simulator's own times",
            }.get(store.manifest.corpus, "the marks of the store"),
        )
    found = delineate_rows(store.millivolts, keep.tolist(), store.fs) if marked is None else marked
    return keep, found, "a delineator (NeuroKit2, prominence; agreed on by half of the leads)"


def _groups(store: "Store", rows: "np.ndarray", task: str | None) -> "tuple[list[str], np.ndarray]":
    """Names of groups of records, and which row is in which."""
    import numpy as np

    table, vocabulary = store.table, store.manifest.vocabulary
    if task is not None:
        from ecglipse.tasks import find_task, label

        labels = label(find_task(task, vocabulary, table), table)
        member = np.zeros((len(table), labels.y.shape[1]), dtype=bool)
        member[labels.rows] = labels.y.astype(bool)
        names = list(labels.task.classes)
        if len(names) == 1:  # a binary task: the class, and the others
            others = np.zeros(len(table), dtype=bool)
            others[labels.rows] = labels.y[:, 0] == 0
            member, names = np.column_stack([member, others]), [names[0], f"not {names[0]}"]
        return names, member[rows]
    held = [set(codes) for codes in table["codes"].iloc[rows]]
    counts = {code: sum(code in codes for codes in held) for code in set().union(*held)} if held else {}
    often = sorted((code for code, n in counts.items() if n >= FEWEST_RECORDS), key=lambda c: (-counts[c], c))
    chosen = often[:MOST_GROUPS]
    said = [str((vocabulary.get(code) or {}).get("description") or code) for code in chosen]
    names = [
        text if said.count(text) == 1 else f"{text} ({code})" for text, code in zip(said, chosen, strict=True)
    ]
    member = np.array([[code in codes for code in chosen] for codes in held], dtype=bool)
    return names, member.reshape(len(rows), len(chosen))


def _tallied(
    run: "MaskRun",
    store: "Store",
    batches: "Batches",
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

    from ecglipse.commands._mask_run import mask_maps
    from ecglipse.occlusion import Tally, all_leads, band_shares, lead_by_lead
    from ecglipse.waves import region_maps

    spectral = run.spectral
    marks = lead_by_lead if spectral is None else all_leads
    n_rows = len(store.leads) if spectral is None else len(spectral.bins)
    tally = Tally(names, n_rows=n_rows, shifts=shifts, seed=0, marks=marks)
    shares = []
    valid = store.table["n_valid"].to_numpy()
    regions = region_maps(waves, rows.tolist(), leads=store.leads, n_samples=store.n_samples, fs=store.fs)
    for n, (row, named) in enumerate(zip(rows, regions, strict=True)):
        if n % 64 == 0:
            maps = mask_maps(run.policy, batches, rows[n : n + 64], draws=draws)
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
        coverage=run.coverage(store.n_samples),
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


def _agreements(
    run: "MaskRun",
    others: "list[MaskRun]",
    store: "Store",
    batches: "Batches",
    rows: "np.ndarray",
    *,
    draws: int,
) -> "Iterator[Stability]":
    """Agreement with other runs, and the levels that tell what it is worth; nothing without other runs."""
    import numpy as np
    import pandas as pd

    from ecglipse.commands._mask_run import mask_maps
    from ecglipse.occlusion import stability

    if not others:
        return
    _, patients = np.unique(pd.factorize(store.table["patient_id"])[0][rows], return_inverse=True)
    segments, when = run.segments(store.n_samples), np.arange(store.n_samples)
    if run.spectral is not None:  # a place is a frame
        frames = run.spectral.frames(store.n_samples)
        segments = min(segments, frames)
        when = np.minimum(np.arange(frames) * run.spectral.hop, store.n_samples - 1)

    def maps(policy: "MaskPolicy", seed: int) -> np.ndarray:
        found = mask_maps(policy, batches, rows, draws=draws, seed=seed)
        return found[..., when]

    twin = run.twin(batches.millivolts(rows[:1]))
    ours, again = maps(run.policy, 0), maps(run.policy, 1)
    chance = [maps(twin, 2), maps(twin, 3)]
    yield stability(ours, again, other="the same run, other draws", patients=patients, segments=segments)
    for other in others:
        if other.rows(store.leads) != run.rows(store.leads):
            raise ConfigError(
                f"{other.name}: hides other rows than {run.name}, leads or other bands",
                hint="give runs with the same `domain` and `masks.bands`",
            )
        theirs = maps(other.policy.to(batches.device), 4)
        yield stability(ours, theirs, other=other.name, patients=patients, segments=segments)
        wrong = np.roll(theirs, 1, axis=0)
        name = f"{other.name}, of another record"
        yield stability(ours, wrong, other=name, patients=patients, segments=segments)
    name = "random masks, among themselves"
    yield stability(*chance, other=name, patients=patients, segments=segments)


def _gallery(
    run: "MaskRun", store: "Store", batches: "Batches", rows: "np.ndarray", *, draws: int
) -> "Masks":
    """A few records under one draw, and how often each sample is hidden."""
    import numpy as np

    from ecglipse.commands._mask_run import mask_maps
    from ecglipse.report.gallery import Masks

    if not len(rows):
        nothing = np.zeros((0, len(store.leads), store.n_samples), np.float32)
        return Masks(nothing, nothing.astype(np.uint8), nothing, store.fs, store.leads, ())
    return Masks(
        signal=batches.millivolts(rows).cpu().numpy(),
        mask=(mask_maps(run.policy, batches, rows, draws=1) >= 0.5).astype(np.uint8),
        probability=mask_maps(run.policy, batches, rows, draws=draws),
        fs=store.fs,
        leads=store.leads,
        titles=tuple(", ".join(codes) or "no statement" for codes in store.table["codes"].iloc[rows]),
    )


def _band_gallery(
    run: "MaskRun", store: "Store", batches: "Batches", rows: "np.ndarray", *, draws: int
) -> "BandMasks":
    """One lead of a few records, as it is and with one draw taken out, and how often each cell is hidden."""
    import numpy as np
    import torch

    from ecglipse.commands._mask_run import mask_maps
    from ecglipse.draws import Draws
    from ecglipse.occlusion import band_names
    from ecglipse.report.band_pictures import BandMasks

    spectral = run.spectral
    if spectral is None:
        raise ValueError("`run` must hide bands")
    names = band_names(spectral.edges_hz)
    lead = store.leads.index("II") if "II" in store.leads else 0
    signal = seen = np.zeros((0, store.n_samples), np.float32)
    probability = np.zeros((0, len(names), store.n_samples), np.float32)
    if len(rows):
        x = batches.millivolts(rows)
        chance = Draws.of(0, "masks", 0, rows=rows, device=x.device)
        with torch.no_grad():
            hidden = spectral.hide(x, spectral(x, chance), run.fill.to(x.device), chance)
        signal, seen = x[:, lead].cpu().numpy(), hidden[:, lead].cpu().numpy()
        probability = mask_maps(spectral, batches, rows, draws=draws)
    return BandMasks(
        signal=signal,
        seen=seen,
        probability=probability,
        fs=store.fs,
        lead=store.leads[lead],
        bands=names,
        titles=tuple(", ".join(codes) or "no statement" for codes in store.table["codes"].iloc[rows]),
    )
