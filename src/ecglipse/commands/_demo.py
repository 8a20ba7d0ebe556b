"""`demo`: the whole chain on simulated recordings, from a store to a report, in minutes on two cores."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecglipse.errors import EcglipseError

FULL: dict[str, Any] = {"records": 1600, "epochs": 24, "batch": 64, "draws": 3, "finetune_epochs": 8}
QUICK: dict[str, Any] = {"records": 300, "epochs": 3, "batch": 64, "draws": 1, "finetune_epochs": 2}


@dataclass(frozen=True)
class Shown:
    """What `demo` made.

    Args:
        folder: of the study.
        page: the report.
        records: simulated.
        cells: readings of the test set.
        seconds: in all.
    """

    folder: Path
    page: Path
    records: int
    cells: int
    seconds: float


def demo(*, out: Path = Path("demo"), quick: bool = False, progress: bool = True) -> Shown:
    """Simulate recordings, pretrain with and without masks, transfer with few labels, and report.

    Args:
        out: folder to write to; what a stopped demo left there is used.
        quick: a tenth of the work, to see the chain and not the result.
        progress: say on stderr what ended.

    Raises:
        EcglipseError: if `out` holds something that is not a demo.
    """
    from ecglipse.commands._report import report
    from ecglipse.commands._study import study
    from ecglipse.config import check

    began = time.monotonic()
    size = QUICK if quick else FULL
    if out.exists() and any(out.iterdir()) and not (out / "store").exists():
        raise EcglipseError(f"{out}: is there and is not a demo", hint="choose another folder with `--out`")
    out.mkdir(parents=True, exist_ok=True)
    store = out / "store"
    if not store.exists():
        write_simulated_store(store, size["records"])
    config = check(_content(out, size), where="the demo's config")
    studied = study(config, progress=progress)
    page = report(Path(config.out)).html
    return Shown(Path(config.out), page, size["records"], studied.cells, time.monotonic() - began)


def write_simulated_store(path: Path, records: int, *, seed: int = 0, fs: float = 100.0) -> None:
    """Write simulated recordings as an array store: 12 leads, 10 s, truth about waves, rhythm and sex.

    Args:
        path: of the store.
        records: how many.
        seed: of the simulator.
        fs: Hz.
    """
    from ecglipse.corpora.simulator import VOCABULARY, simulate
    from ecglipse.store import StoreWriter

    sentence = f"simulated by ecglipse at {fs:g} Hz (seed {seed}); not recorded from anybody"
    with StoreWriter(
        path, corpus="simulator", fs=fs, duration_s=10.0, vocabulary=VOCABULARY, processing=[sentence]
    ) as writer:
        for record in simulate(records, fs=fs, duration_s=10.0, seed=seed, recordings_per_patient=2):
            writer.add(record)
        writer.commit()


def _content(out: Path, size: dict[str, Any]) -> dict[str, Any]:
    """The demo's config; `configs/demo.toml` says the same for use with `ecglipse study`."""
    import tomllib
    from importlib.resources import files

    content = tomllib.loads((files("ecglipse.commands") / "demo.toml").read_text(encoding="utf-8"))
    content["store"], content["out"] = str(out / "store"), str(out / "study")
    content["pretrain"] |= {"epochs": size["epochs"], "batch": size["batch"]}
    content["transfer"] |= {"draws": size["draws"], "finetune_epochs": size["finetune_epochs"]}
    return content
