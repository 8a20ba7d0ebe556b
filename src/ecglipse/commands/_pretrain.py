"""`pretrain`: writes a run (config, step log, checkpoints, gallery of masks) from a store without labels."""

import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

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
        loss: of the last step, in `unit`.
        unit: of the loss: "nats", or empty where it has none.
        coverage: share hidden in the last step.
        records: in the training set.
        seconds: of this call.
    """

    run: Path
    method: str
    steps: int
    resumed_from: int
    loss: float | None
    unit: str
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

    Under `torchrun` its processes share every batch, and the first of them writes.

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
    from ecglipse.commands import _assemble, _splits, _views
    from ecglipse.commands._ranks import together
    from ecglipse.config import Config, load
    from ecglipse.store import Store

    settings = config if isinstance(config, Config) else load(config, overrides=overrides)
    name = choose_method(settings, method)
    settings = settings.of(name)
    store = open_store(settings, Store)
    _views.see_views(settings.model_copy(update={"methods": {name: settings.methods[name]}}), store)
    split = pick_split(_splits.splits(settings, store), rotation)
    chosen_seed = settings.study.seeds[0] if seed is None else seed
    _assemble.see_that_it_fits(settings.model_copy(update={"methods": {name: settings.methods[name]}}), store)
    run = run_folder(settings, name, store=store, split=split, seed=chosen_seed)
    facts = _assemble.pretraining_facts(
        settings, settings.methods[name], store=store, split=split, seed=chosen_seed
    )
    with together():
        batches = Batches(store, device=best_device())
        training = _assemble.training(
            settings,
            settings.methods[name],
            batches=batches,
            rows=split.train,
            seed=_splits.seed_of(split, seed=chosen_seed),
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
    from ecglipse.commands._ranks import speaks

    began = time.monotonic()
    run.mkdir(parents=True, exist_ok=True)
    with alone(run) if speaks() else nullcontext():
        start, last = _go_on(
            run, name, facts, training, config.pretrain.checkpoint_every_s, progress=progress
        )
        if speaks() and not (run / "applied.json").exists():
            rows = split.validation if len(split.validation) else split.train
            write_gallery(run, training, rows, count=config.study.gallery)
    return Pretrained(
        run=run,
        method=name,
        steps=training.done,
        resumed_from=start,
        loss=None if last is None else last.loss,
        unit=training.game.objective.unit,
        coverage=None if last is None else last.coverage,
        records=len(training.rows),
        seconds=time.monotonic() - began,
    )


def _go_on(
    run: Path, name: str, facts: dict[str, object], training: "Training", every_s: float, *, progress: bool
) -> "tuple[int, StepReport | None]":
    """Play what is left, with log and checkpoints in step; gives the first step and the last report."""
    from ecglipse.checkpoints import latest_checkpoint, save_checkpoint
    from ecglipse.commands._ranks import speaks
    from ecglipse.pretrain.ranks import any_of

    if speaks():
        _claim(run, facts)
    any_of(False)  # the others wait until the folder is known to be this run's
    found = latest_checkpoint(run)
    if found is not None:
        training.load(found.tensors, found.counters)
    start, last, saved = training.done, None, time.monotonic()
    with (
        _step_log(run, steps=start, more=start < training.total) as lines,
        _bar(name, training, show=progress and speaks()) as advance,
        asked_to_stop() as stopping,
    ):
        for last in training.run():
            lines.write(json.dumps(asdict(last)) + "\n")
            advance(last)
            for alarm in last.look.alarms if last.look and speaks() else ():
                _log.warning("%s, step %d: %s", run.name, last.step, alarm)
            if last.step < training.done:
                continue  # steps that were played together: the state is that of the last
            stop = stopping()
            ends = any_of(stop is not None)
            if speaks() and (ends or time.monotonic() - saved > every_s or last.step == training.total):
                lines.flush()
                save_checkpoint(run, *training.state())
                saved = time.monotonic()
            if ends and last.step < training.total:
                any_of(False)  # no process ends before all is saved: torchrun would then stop the others
                raise Stopped(
                    f"stopped by {stop or 'another process'} after step {last.step} of {training.total}, "
                    f"saved in `{run}`",
                    hint="run the same command again to go on",
                )
    return start, last


def _claim(run: Path, facts: dict[str, object]) -> None:
    """Write the facts of the run into its folder, or see that they are the ones that are there."""
    from ecglipse.checkpoints import read_json, write_json

    if not (run / "config.json").exists():
        write_json(run / "config.json", facts)
    elif read_json(run / "config.json") != json.loads(json.dumps(facts)):
        raise CheckpointError(f"{run}: holds a run of another config", hint="choose another `out`")


@contextmanager
def _step_log(run: Path, *, steps: int, more: bool) -> Iterator[TextIO]:
    """The step log, cut to the steps done, and where the run is from; nowhere in a process that follows."""
    from ecglipse.checkpoints import truncate_log, write_json
    from ecglipse.commands._ranks import speaks
    from ecglipse.pretrain.ranks import ranks
    from ecglipse.provenance import provenance

    if not speaks():
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            yield nowhere
        return
    truncate_log(run / "steps.jsonl", steps=steps)
    if more:
        about: dict[str, Any] = {"started_at_step": steps, "ranks": ranks()}
        write_json(run / "provenance.json", provenance() | about)
    with (run / "steps.jsonl").open("a", encoding="utf-8") as lines:
        yield lines


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
