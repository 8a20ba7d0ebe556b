"""The command line: arguments to function calls, results to stdout, errors to exit codes.

Data goes to stdout (`--json` for JSON), progress and hints to stderr. Exit: 0 done, 1 the user's mistake
or a damaged input, 2 wrong usage, 75 stopped by a signal with everything saved. Nothing heavy is
imported before a verb runs.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from ecglipse import __version__
from ecglipse.errors import EcglipseError, Stopped

app = App(
    name="ecglipse",
    help="Learn what to hide in an ECG: adversarial-masking pretraining of 12-lead encoders, and an honest "
    "comparison.",
    version=__version__,
    version_flags=["--version"],
)

Json = Annotated[bool, Parameter(name="--json", negative="")]
Set = Annotated[list[str] | None, Parameter(name="--set", negative="", allow_leading_hyphen=False)]
Flag = Parameter(negative="")


@app.command
def demo(*, out: Path = Path("demo"), quick: Annotated[bool, Flag] = False, as_json: Json = False) -> None:
    """Run the whole chain on simulated recordings, from a store to a report.

    Parameters
    ----------
    out
        Folder to write to.
    quick
        A tenth of the work: see the chain, not the result.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._demo import demo as verb

    made = verb(out=out, quick=quick)
    _print(
        made,
        f"{made.records} simulated records, {made.cells} readings of the test set in {made.seconds:.0f} s",
        f"wrote `{made.page}`; open it in a browser",
        as_json=as_json,
    )


@app.command
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
    _print(
        made,
        f"{made.corpus}: {done}",
        f"licence: {made.licence}; cite: {made.citation}",
        f"next: `ecglipse prepare {folder} STORE`",
        as_json=as_json,
    )


@app.command
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
    _print(
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


@app.command
def verify(path: Path, *, as_json: Json = False) -> None:
    """Check every byte of a store or a run against its digests.

    Parameters
    ----------
    path
        Folder of a store or of a run.
    as_json
        Print the findings as JSON.
    """
    from ecglipse.commands._verify import verify as verb

    found = verb(path)
    lines = [f"{path}: {problem}" for problem in found.problems]
    n = len(found.problems)
    verdict = "sound" if found.ok else f"{n} problem{'' if n == 1 else 's'}"
    _print(found, *lines, f"{found.kind} `{path}`: {verdict}, {found.checked} files checked", as_json=as_json)
    if not found.ok:
        raise SystemExit(1)


@app.command
def leaks(
    stores: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    threshold: float = 0.96,
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """List recordings that are twice within a store, or in two stores, whatever was done to the copy.

    Found are copies that were rescaled, resampled, cut to 5 s or given another lead order.

    Parameters
    ----------
    stores
        Folders of one or more stores.
    threshold
        Least similarity of a pair; different recordings stay below 0.95, copies reach 0.97.
    out
        CSV file for the pairs.
    as_json
        Print the pairs as JSON.
    """
    from ecglipse.commands._leaks import leaks as verb

    found = verb(stores, threshold=threshold, out=out)
    lines = [
        f"{pair['record_a']} in `{pair['store_a']}` = {pair['record_b']} in `{pair['store_b']}`: similarity "
        f"{pair['similarity']:.3f} over {pair['overlap_s']:g} s"
        + ("" if pair["same_patient"] else ", under two patients")
        for pair in found.pairs[:50]
    ]
    more = len(found.pairs) - len(lines)
    lines += [f"... and {more} more pairs; see them all with `--out FILE.csv`"] if more else []
    lines += [f"known of these corpora: {sentence}" for sentence in found.known]
    _print(
        found,
        *lines,
        f"{len(found.pairs)} pairs of equal recordings in {found.records} records",
        as_json=as_json,
    )


@app.command
def pretrain(
    config: Path,
    *,
    method: str | None = None,
    seed: int | None = None,
    rotation: int = 0,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Pretrain an encoder without labels; run it again to go on from where it stopped.

    Several GPUs or machines: `torchrun --nproc-per-node N -m ecglipse pretrain ...`.

    Parameters
    ----------
    config
        TOML file of an experiment; see `configs/`.
    method
        Which of its methods, where there are several.
    seed
        Of everything drawn; by default the config's first.
    rotation
        Which of its splits, counted from 0.
    overrides
        Change a value by dotted path, such as `--set pretrain.epochs=3`; may be repeated.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._pretrain import pretrain as verb
    from ecglipse.commands._ranks import speaks

    made = verb(config, method=method, seed=seed, rotation=rotation, overrides=overrides or ())
    done = (
        "was finished already"
        if made.loss is None
        else f"loss {made.loss:.3f}{made.unit and ' '}{made.unit}, {made.coverage:.1%} hidden"
    )
    if not speaks():
        return
    resumed = (
        f", resumed from step {made.resumed_from}" if made.resumed_from and made.loss is not None else ""
    )
    _print(
        made,
        f"{made.method}: {made.steps} steps on {made.records} records{resumed}, {done}"
        f" ({made.seconds:.0f} s)",
        f"{'it is in' if made.loss is None else 'wrote'} `{made.run}`"
        f"; next: `ecglipse transfer {config} --from {made.run}`",
        as_json=as_json,
    )


@app.command
def transfer(
    config: Path,
    *,
    run: Annotated[Path, Parameter(name="--from")],
    rotation: int = 0,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Probe and fine-tune a pretrained encoder with few labels.

    Parameters
    ----------
    config
        TOML file that the run was pretrained with.
    run
        Folder of the run.
    rotation
        Which of the config's splits; the one the run was trained on.
    overrides
        Change a value by dotted path; as given to `pretrain`.
    as_json
        Print the scores as JSON.
    """
    from ecglipse.commands._transfer import transfer as verb

    made = verb(config, run=run, rotation=rotation, overrides=overrides or ())
    lines = [
        f"{row['task']}, "
        + (f"{row['fraction']:.0%} of labels" if row["fraction"] > 0 else f"{-row['fraction']:g} a class")
        + f", {row['probe']}"
        + (", whole validation set" if row["validation"] == "full" else "")
        + f": {'R2' if row['metric'] == 'r2' else 'macro AUROC'} "
        + ("n/a" if row[row["metric"]] is None else f"{row[row['metric']]:.3f}")
        + f" ({row['draws']} {'draw' if row['draws'] == 1 else 'draws'})"
        for row in made.scores
    ]
    _print(
        made,
        *lines,
        f"wrote {made.added} readings to `{made.ledger / 'results.jsonl'}` ({made.skipped} were there)"
        f"; next: `ecglipse study {config}`",
        as_json=as_json,
    )


@app.command
def export(run: Path, out: Path, *, as_json: Json = False) -> None:
    """Write a run's encoder alone, as safetensors with its config beside; `ecglipse.load` reads it.

    Parameters
    ----------
    run
        Folder of the run.
    out
        Folder to write.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._export import export as verb

    made = verb(run, out)
    _print(
        made,
        f"{made.encoder}: {made.parameters:,} parameters, {made.bytes / 1e6:.1f} MB",
        f'wrote `{made.folder}`; next, in Python: `ecglipse.load("{made.folder}").encode(x)`',
        as_json=as_json,
    )


@app.command
def study(
    config: Path,
    *,
    plan: Annotated[bool, Flag] = False,
    workers: int | None = None,
    executor: Literal["local", "ray"] | None = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Run the whole grid of a config: method x seed x task x fraction x draw; run it again to go on.

    Parameters
    ----------
    config
        TOML file of a study; see `configs/`.
    plan
        Only say what would be run, on how many labels, and what time and memory it would take.
    workers
        Processes, one core each; by default the config's.
    executor
        Processes of this machine, or Ray: a cluster of its own, or the one that RAY_ADDRESS names; by default
        the config's.
    overrides
        Change a value by dotted path, such as `--set study.seeds=[0,1]`; may be repeated.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._plan_words import plan_lines
    from ecglipse.commands._study import study as verb

    made = verb(config, overrides=overrides or (), plan=plan, workers=workers, executor=executor)
    rows = [f"{name}: {units} encoders, {cells} readings" for name, units, cells in made.plan]
    if plan:
        total = f"{made.units} encoders and {made.cells} readings in all, nothing run"
        _print(made, *rows, *plan_lines(made), total, as_json=as_json)
        return
    _print(
        made,
        f"{made.units} encoders, {made.cells} readings, {made.added} of them new ({made.seconds:.0f} s)",
        f"wrote `{made.folder}`; next: `ecglipse report {made.folder}`",
        as_json=as_json,
    )


@app.command
def masks(
    run: Path,
    store: Path,
    *,
    also: Annotated[list[Path] | None, Parameter(negative="")] = None,
    task: str | None = None,
    harm: Literal["scratch", "finetune", "linear"] | None = None,
    marks: Literal["auto", "store", "delineator"] = "auto",
    draws: int = 32,
    shifts: int = 9999,
    records: int = 2000,
    pictures: int = 3,
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """Say which waves a run's masks hide, against chance, with pictures: a page, a table and JSON.

    Parameters
    ----------
    run
        Folder of a finished pretraining run that masks.
    store
        Recordings to look at, at the run's rate and with its leads.
    also
        Another run, as of another seed, whose masks are compared; may be repeated.
    task
        Look at its classes one by one; by default at the most frequent codes.
    harm
        Train a model on the task (from scratch, from the run's encoder, or a linear probe on it) and measure
        what hiding costs it.
    marks
        Of the waves: the store's own, a delineator's (NeuroKit2), or the first that there is.
    draws
        Masks drawn a record.
    shifts
        Random circular shifts of the null distribution.
    records
        Look at no more than so many, drawn at random.
    pictures
        Records to draw on ECG paper.
    out
        Folder to write to; by default one in the run's folder.
    as_json
        Print what was made as JSON.
    """
    from ecglipse.commands._masks import masks as verb

    made = verb(
        run,
        store,
        also=also or (),
        task=task,
        harm=harm,
        marks=marks,
        draws=draws,
        shifts=shifts,
        records=records,
        pictures=pictures,
        out=out,
    )
    wrote = f"wrote `{made.html}`, `{made.json}` and `{made.csv}`"
    _print(made, *made.sentences, f"{made.records} records ({made.seconds:.0f} s); {wrote}", as_json=as_json)


@app.command
def report(
    folder: Path,
    *,
    out: Path | None = None,
    without_floors: Annotated[bool, Flag] = False,
    as_json: Json = False,
) -> None:
    """Write the report of a study: one HTML page, a CSV, tables for Markdown and LaTeX, and two SVG figures.

    The LaTeX needs the packages `booktabs` and `graphicx` and fits the page of a plain article; the macros at
    the head of each file can be defined otherwise before it is read.

    Parameters
    ----------
    folder
        Of the study.
    out
        Folder to write to; by default the study's own.
    without_floors
        Rank the methods even where floors are missing; the page says so.
    as_json
        Print the paths as JSON.
    """
    from ecglipse.commands._report import report as verb

    made = verb(folder, out=out, without_floors=without_floors)
    more = f"; {len(made.tables)} more tables and {len(made.figures)} figures: `{made.html.parent}/results-*`"
    said = f"wrote `{made.html}`, `{made.csv}`, `{made.markdown}` and `{made.latex}`{more}"
    _print(made, said, as_json=as_json)


@app.command
def show(thing: str, *, out: Path | None = None, row: int | None = None, as_json: Json = False) -> None:
    """Show a recording on ECG paper, or say what a store, run, study, config or corpus holds.

    Parameters
    ----------
    thing
        Path of a recording (.hea, .edf, .dcm, .xml, .scp, .npz), a store, a run, a study or a config; the
        name of a corpus, or "corpora" for a list of them.
    out
        Picture to write, where there is one.
    row
        Of a store: the record to draw.
    as_json
        Print what is known as JSON.
    """
    from ecglipse.commands._show import show as verb

    found = verb(thing, out=out, row=row)
    _print(found.data, found.text, *([f"wrote `{found.picture}`"] if found.picture else []), as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the console script."""
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print(f"error: {_usage(error)}\n\nhint: see `ecglipse --help`", file=sys.stderr)
        raise SystemExit(2) from None
    except Stopped as stop:
        print(stop, file=sys.stderr)
        raise SystemExit(75) from None
    except EcglipseError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(1) from None


def _usage(error: CycloptsError) -> str:
    """The message alone, without the box that is drawn around it."""
    return str(error).strip().rstrip(".")


def _print(made: Any, *lines: str, as_json: bool) -> None:
    """Print the result to stdout: sentences, or JSON."""
    if as_json:
        content = asdict(made) if is_dataclass(made) and not isinstance(made, type) else made
        print(json.dumps(content, default=str, ensure_ascii=False))
        return
    for line in lines:
        print(line)
