"""The verbs that turn recordings into a store: `fetch` and `prepare`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ecglipse.cli.options import Flag, Json, say


def fetch(
    corpus: str,
    folder: Path,
    *,
    rate: int | None = None,
    limit_records: int | None = None,
    base: Annotated[str | None, Parameter(name="--from")] = None,
    check: Annotated[bool, Flag] = False,
    dry_run: Annotated[bool, Flag] = False,
    connections: int = 4,
    as_json: Json = False,
) -> None:
    """Fetch a public corpus in its pinned version; run again it goes on where it stopped.

    Every file is held against the archive's own digest before it takes its place.

    Parameters
    ----------
    corpus
        ptbxl, ludb, cinc2020, cinc2021, cinc2011, chapman, mimic-iv-ecg, code15 or samitrop.
    folder
        Where to.
    rate
        Only this rate, Hz, of a corpus that has several (ptbxl: 100 or 500).
    limit_records
        Only the first so many recordings, with all tables.
    base
        Another address to fetch it from, such as a mirror of your own.
    check
        Hold files that are there against their digests, and not only their sizes.
    dry_run
        Say what would be fetched.
    connections
        Files at a time.
    as_json
        Print what was done as JSON.
    """
    from ecglipse.commands._fetch import fetch as verb

    made = verb(
        corpus,
        folder,
        rate=rate,
        limit_records=limit_records,
        base=base,
        check=check,
        dry_run=dry_run,
        connections=connections,
    )
    size = "an unknown size" if made.estimate is None else f"about {made.estimate / 1e6:,.0f} MB"
    done = (
        f"{made.files} files, {size} of them still to come; nothing fetched"
        if dry_run
        else f"{made.fetched} of {made.files} files fetched, {made.bytes / 1e6:,.1f} MB, {made.seconds:.0f} s"
    )
    say(
        made,
        f"{made.corpus}: {done}",
        f"licence: {made.licence}; cite: {made.citation}",
        f"next: `ecglipse prepare {folder} STORE`",
        as_json=as_json,
    )


def prepare(
    source: Path,
    store: Path,
    *,
    corpus: str | None = None,
    fs: float = 100.0,
    duration_s: float = 10.0,
    leads: str | None = None,
    windows: Literal["centre", "all"] = "centre",
    overlap: float = 0.0,
    short: Literal["reject", "pad"] = "reject",
    missing: Literal["reject", "zero"] = "reject",
    highpass_hz: float | None = None,
    lowpass_hz: float | None = None,
    notch_hz: float | None = None,
    baseline: Annotated[bool, Flag] = False,
    quality: Path | None = None,
    unit: str | None = None,
    source_fs: float | None = None,
    source_leads: str | None = None,
    dataset: str | None = None,
    without: str = "",
    limit: int | None = None,
    workers: int | None = None,
    replace: Annotated[bool, Flag] = False,
    as_json: Json = False,
) -> None:
    """Turn a folder of recordings into an array store.

    Run again after it was stopped, it goes on after the last finished shard; run again after it ended, it
    changes nothing.

    Parameters
    ----------
    source
        Folder of recordings: a known corpus (`ecglipse show corpora`) or any folder of your own.
    store
        Folder to write; it appears whole or not at all.
    corpus
        Name of the corpus, where it is not recognised; see `ecglipse show corpora`.
    fs
        Sampling rate of the store, Hz.
    duration_s
        Length of a stored recording, s.
    leads
        Leads to store, by name and in order, such as "I,II,V1"; by default all twelve.
    windows
        Of a longer recording: its middle, or windows over all of it.
    overlap
        Share of a window that the next one repeats, 0 to 1, with `--windows all`.
    short
        A shorter recording: leave it out, or put zeros after its end and flag them.
    missing
        A recording without some lead: leave it out, or put zeros for it and flag it.
    highpass_hz
        Filter out what is slower, Hz, without delay.
    lowpass_hz
        Filter out what is faster, Hz, without delay.
    notch_hz
        Filter out the powerline, 50 or 60 Hz.
    baseline
        Take the baseline off by running medians.
    quality
        TOML file of limits for the quality gate; see docs/data.md.
    unit
        Unit of the numbers in a folder of your own, CODE-15% or SaMi-Trop: mV, uV, V or nV, or a number of
        them such as 0.5mV.
    source_fs
        Samples per second of a folder of your own, Hz.
    source_leads
        Leads of a folder of your own, in the order of columns or rows, such as "I,II,III,...".
    dataset
        Name of the dataset that holds the recordings, in HDF5 files of several.
    without
        Ids of recordings to leave out, such as "georgia/E07510,cpsc2018_extra/Q0048": the copies that
        `ecglipse leaks` found.
    limit
        Take only the first so many recordings.
    workers
        Processes that read; by default one per core. The store does not depend on it.
    replace
        Write over a store that is there.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._form import form_of, reading_of
    from ecglipse.commands._prepare import prepare as verb

    form = form_of(
        fs=fs,
        duration_s=duration_s,
        leads=leads,
        windows=windows,
        overlap=overlap,
        short=short,
        missing=missing,
        highpass_hz=highpass_hz,
        lowpass_hz=lowpass_hz,
        notch_hz=notch_hz,
        baseline=baseline,
        quality=quality,
    )
    made = verb(
        source,
        store,
        corpus=corpus,
        form=form,
        reading=reading_of(unit=unit, fs=source_fs, leads=source_leads, dataset=dataset),
        without=[name.strip() for name in without.split(",") if name.strip()],
        limit=limit,
        workers=workers,
        replace=replace,
    )
    rejected = sum(made.rejects.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(made.rejects.items()))
    done = "were stored already" if made.existed else "stored"
    say(
        made,
        *[f"guessed: {sentence}" for sentence in made.guessed],
        f"{made.n_records} records {done}, {rejected} rejected{f' ({reasons})' if rejected else ''}"
        f" in {made.seconds:.1f} s",
        (f"`{store}` is as it was" if made.existed else f"wrote `{store}`")
        + (f"; see `{store / 'rejects.jsonl'}`" if rejected else "")
        + (f"; some drawn in `{made.pictures}`" if made.pictures else "")
        + f"; next: `ecglipse show {store}`",
        as_json=as_json,
    )
