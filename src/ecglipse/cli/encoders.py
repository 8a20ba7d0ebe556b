"""The verbs for one encoder: `pretrain`, `transfer`, `export`, and `masks`, which looks at what it hid."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ecglipse.cli.options import Json, Set, say


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
    say(
        made,
        f"{made.method}: {made.steps} steps on {made.records} records{resumed}, {done}"
        f" ({made.seconds:.0f} s)",
        f"{'it is in' if made.loss is None else 'wrote'} `{made.run}`"
        f"; next: `ecglipse transfer {config} --from {made.run}`",
        as_json=as_json,
    )


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
    say(
        made,
        *[_score_words(row) for row in made.scores],
        f"wrote {made.added} readings to `{made.ledger / 'results.jsonl'}` ({made.skipped} were there)"
        f"; next: `ecglipse study {config}`",
        as_json=as_json,
    )


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
    say(
        made,
        f"{made.encoder}: {made.parameters:,} parameters, {made.bytes / 1e6:.1f} MB",
        f'wrote `{made.folder}`; next, in Python: `ecglipse.load("{made.folder}").encode(x)`',
        as_json=as_json,
    )


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
    say(made, *made.sentences, f"{made.records} records ({made.seconds:.0f} s); {wrote}", as_json=as_json)


def _score_words(row: dict[str, Any]) -> str:
    """Say what was read of an encoder, with how many labels, and how well."""
    fraction, score = row["fraction"], row[row["metric"]]
    labels = f"{100 * fraction:g}% of labels" if fraction > 0 else f"{-fraction:g} a class"
    whole = ", whole validation set" if row["validation"] == "full" else ""
    metric = "R2" if row["metric"] == "r2" else "macro AUROC"
    value = "n/a" if score is None else f"{score:.3f}"
    draws = "draw" if row["draws"] == 1 else "draws"
    return f"{row['task']}, {labels}, {row['probe']}{whole}: {metric} {value} ({row['draws']} {draws})"
