"""`pretrain`: writes a run (config, step log, checkpoints, gallery of masks) from a store without labels."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecglipse.commands._signals import asked_to_stop
from ecglipse.errors import CheckpointError, ConfigError, Stopped

if TYPE_CHECKING:
    from ecglipse.config import Config
    from ecglipse.pretrain import StepReport, Training
    from ecglipse.splits import Split
    from ecglipse.store import Store


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pretrained:
    """What `pretrain` made.

    Args:
        run: its folder.
        method: name of the method.
        steps: steps done in all.
        resumed_from: step that this call went on from; 0 for a fresh run.
        loss: of the last step, nats.
        coverage: share hidden in the last step.
        records: in the training set.
        seconds: of this call.
    """

    run: Path
    method: str
    steps: int
    resumed_from: int
    loss: float | None
    coverage: float | None
    records: int
    seconds: float


def pretrain(
    config: "Path | Config",
    *,
    method: str | None = None,
    seed: int | None = None,
    rotation: int = 0,
    overrides: Sequence[str] = (),
    progress: bool = True,
) -> Pretrained:
    """Pretrain one encoder without labels; the same call resumes a run that was stopped.

    Args:
        config: a config, or the path of one.
        method: name of one of its methods; needed where it has several that pretrain.
        seed: of everything drawn; by default the study's first.
        rotation: which split to train on.
        overrides: "a.b=value", where `config` is a path.
        progress: show a bar on stderr.

    Raises:
        ConfigError: if the method is not there or trains nothing.
        CheckpointError: if the run's folder holds something else.
        TrainingError: if the loss is no longer a number.
        Stopped: if a signal asked for it; the step was finished and saved.
    """
    from ecglipse.batches import Batches, best_device
    from ecglipse.commands import _assemble
    from ecglipse.config import Config, load
    from ecglipse.store import Store

    settings = config if isinstance(config, Config) else load(config, overrides=overrides)
    name = choose_method(settings, method)
    settings = settings.of(name)
    store = open_store(settings, Store)
    split = pick_split(_assemble.splits(settings, store), rotation)
    chosen_seed = settings.study.seeds[0] if seed is None else seed
    batches = Batches(store, device=best_device())
    run = run_folder(settings, name, store=store, split=split, seed=chosen_seed)
    training = _assemble.training(
        settings, settings.methods[name], batches=batches, rows=split.train, seed=chosen_seed
    )
    facts = _assemble.pretraining_facts(
        settings, settings.methods[name], store=store, split=split, seed=chosen_seed
    )
    return _play(run, name, facts, training, settings, split, progress=progress)


def choose_method(config: "Config", name: str | None) -> str:
    """Give the method's name, or the only one that pretrains."""
    able = [key for key, rule in config.methods.items() if rule.kind == "pretrained"]
    if name is None and len(able) == 1:
        return able[0]
    if name is None:
        raise ConfigError(
            f"the config has {len(able)} methods that pretrain",
            hint=f"choose with `--method`: {', '.join(able)}",
        )
    if name not in able:
        raise ConfigError(f"no method {name!r} that pretrains", hint=f"there are {', '.join(able) or 'none'}")
    return name


def open_store(config: "Config", kind: type["Store"]) -> "Store":
    """Open the config's store and see that it has the rate the config was written for."""
    store = kind.open(Path(config.store))
    if config.corpus_fs is not None and store.fs != config.corpus_fs:
        raise ConfigError(
            f"store {config.store} has {store.fs:g} Hz, the config asks for {config.corpus_fs:g} Hz",
            hint=f"prepare it again with `--fs {config.corpus_fs:g}`, or set `corpus_fs`",
        )
    return store


def pick_split(splits: "list[Split]", rotation: int) -> "Split":
    """Give one of the splits."""
    if not 0 <= rotation < len(splits):
        raise ConfigError(f"rotation {rotation} is not there: the config has {len(splits)}, counted from 0")
    return splits[rotation]


def run_folder(config: "Config", name: str, *, store: "Store", split: "Split", seed: int) -> Path:
    """Where a run lies: the method, the seed, and a hash of everything that determines it."""
    from ecglipse.commands._assemble import pretraining_facts
    from ecglipse.config import digest

    facts = pretraining_facts(config.of(name), config.methods[name], store=store, split=split, seed=seed)
    return Path(config.out) / "runs" / f"{name}-s{seed}-{digest(facts)}"


def _play(
    run: Path,
    name: str,
    facts: dict[str, object],
    training: "Training",
    config: "Config",
    split: "Split",
    *,
    progress: bool,
) -> Pretrained:
    """Play from the last checkpoint to the end, with the run's folder held for this process."""
    from ecglipse.checkpoints import alone
    from ecglipse.commands._gallery import write_gallery

    began = time.monotonic()
    run.mkdir(parents=True, exist_ok=True)
    with alone(run):
        start, last = _go_on(
            run, name, facts, training, config.pretrain.checkpoint_every_s, progress=progress
        )
        if not (run / "masks.npz").exists():
            write_gallery(run, training, split.validation, count=config.study.gallery)
    return Pretrained(
        run=run,
        method=name,
        steps=training.done,
        resumed_from=start,
        loss=None if last is None else last.loss,
        coverage=None if last is None else last.coverage,
        records=len(training.rows),
        seconds=time.monotonic() - began,
    )


def _go_on(
    run: Path, name: str, facts: dict[str, object], training: "Training", every_s: float, *, progress: bool
) -> "tuple[int, StepReport | None]":
    """Play what is left, with log and checkpoints in step; gives the first step and the last report."""
    from ecglipse.checkpoints import latest_checkpoint, read_json, save_checkpoint, truncate_log, write_json
    from ecglipse.provenance import provenance

    if not (run / "config.json").exists():
        write_json(run / "config.json", facts)
    elif read_json(run / "config.json") != json.loads(json.dumps(facts)):
        raise CheckpointError(f"{run}: holds a run of another config", hint="choose another `out`")
    found = latest_checkpoint(run)
    if found is not None:
        training.load(found.tensors, found.counters)
    start, last, saved = training.done, None, time.monotonic()
    log = run / "steps.jsonl"
    truncate_log(log, steps=start)
    if start < training.total:
        write_json(run / "provenance.json", provenance() | {"started_at_step": start})
    with (
        log.open("a", encoding="utf-8") as lines,
        _bar(name, training, show=progress) as advance,
        asked_to_stop() as stopping,
    ):
        for last in training.run():
            lines.write(json.dumps(asdict(last)) + "\n")
            advance(last)
            for alarm in last.look.alarms if last.look else ():
                _log.warning("%s, step %d: %s", run.name, last.step, alarm)
            stop = stopping()
            if stop or time.monotonic() - saved > every_s or last.step == training.total:
                lines.flush()
                save_checkpoint(run, *training.state())
                saved = time.monotonic()
            if stop and last.step < training.total:
                raise Stopped(
                    f"stopped by {stop} after step {last.step} of {training.total}, saved in `{run}`",
                    hint="run the same command again to go on",
                )
    return start, last


@contextmanager
def _bar(name: str, training: "Training", *, show: bool) -> Iterator[Any]:
    """A progress bar on stderr with loss, coverage, records/s and time left."""
    from rich.console import Console

    console = Console(stderr=True)
    if not (show and console.is_terminal):
        yield lambda report: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}  hidden {task.fields[coverage]}"),
        TextColumn("{task.fields[rate]:.0f} records/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(
            name, total=training.total, completed=training.done, loss="-", coverage="-", rate=0.0
        )
        began, seen = time.monotonic(), 0

        def advance(report: "StepReport") -> None:
            nonlocal seen
            seen += report.records
            progress.update(
                task,
                completed=report.step,
                loss=f"{report.loss:.3f}",
                coverage=f"{report.coverage:.0%}",
                rate=seen / max(time.monotonic() - began, 1e-9),
            )

        yield advance
