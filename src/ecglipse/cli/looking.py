"""The verbs that look at what is there: `verify`, `leaks` and `show`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ecglipse.cli.options import Json, say


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
    say(found, *lines, f"{found.kind} `{path}`: {verdict}, {found.checked} files checked", as_json=as_json)
    if not found.ok:
        raise SystemExit(1)


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
    say(
        found,
        *lines,
        f"{len(found.pairs)} {'pair' if len(found.pairs) == 1 else 'pairs'} of equal recordings "
        f"in {found.records} records",
        as_json=as_json,
    )


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
    say(found.data, found.text, *([f"wrote `{found.picture}`"] if found.picture else []), as_json=as_json)
