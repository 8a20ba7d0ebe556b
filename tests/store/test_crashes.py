"""A writer that dies, or whose disk fails, leaves what was there; nobody ever sees half a store."""

import contextlib
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.errors import StoreError
from ecglipse.records.record import Record
from ecglipse.store import Manifest, Store, StoreWriter, _folder, problems

SCRIPT = r'''
"""Writes a store in children that die at the first, second, ... effect; says what each left."""
import json, os, resource, signal, sys
from pathlib import Path
import numpy as np
from ecglipse.errors import StoreError
from ecglipse.leads import LEADS
from ecglipse.records.record import Record
from ecglipse.store import Store, StoreWriter, _folder, problems

path, how = Path(sys.argv[1]), sys.argv[2]
EFFECTS = {"open", "os.mkdir", "os.chmod", "os.rename", "os.remove", "os.rmdir", "ctypes.dlsym"}

def write(corpus):
    with StoreWriter(path, corpus=corpus, fs=100.0, duration_s=1.0, vocabulary={}, processing=[],
                     shard_records=4) as writer:
        for number in range(10):
            signal_mv = np.full((12, 100), number, dtype=np.float32)
            writer.add(Record(signal_mv, 100.0, LEADS, str(number), str(number), "test"))
        writer.reject("bad", "flat-lead", "flat")
        writer.commit()

def dying(last):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event in EFFECTS and not (event == "open" and arguments[1] in ("r", "rb")):
            seen += 1
            if seen > last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    write("new")

def limited(last):
    resource.setrlimit(resource.RLIMIT_FSIZE, (last * 397, last * 397))
    write("new")

if "fallback" in how:
    _folder._exchange = lambda first, second: False
if "fresh" not in how:
    write("old")
outcomes = []
for last in range(10_000):
    child = os.fork()
    if child == 0:
        try:
            (limited if "limit" in how else dying)(last)
        except StoreError as error:
            told = "cannot be written: File too large" in str(error) and "make room" in str(error)
            os._exit(3 if told else 4)
        except BaseException:
            os._exit(5)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    there = path.exists()
    _folder.sweep(path)
    state = Store.open(path).manifest.corpus if path.exists() else None
    wrong = problems(path) if path.exists() else []
    outcomes.append([code, state, wrong, sorted(os.listdir(path.parent)), there])
    if code == 0:
        break
    if state == "new" and "limit" not in how:
        write("old") if "fresh" not in how else [file.unlink() for file in path.iterdir()] and path.rmdir()
print(json.dumps(outcomes))
'''


@pytest.mark.parametrize("how", ["kill", "kill-fresh", "kill-fallback", "limit"])
def test_death_at_any_effect_leaves_the_old_store_or_the_new_one(tmp_path: Path, how: str) -> None:
    """Killed before each effect in turn, or with a limit on the length of files that grows by 397 bytes."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "s"), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    before = None if "fresh" in how else "old"
    for code, state, wrong, beside, there in outcomes:
        assert there or state is None or how == "kill-fallback"  # before the next writer swept
        assert code in ((3, 0) if "limit" in how else (-9, 0))
        assert state in (before, "new")
        assert wrong == []
        assert beside == ([] if state is None else ["s"])
    failed = outcomes[:-1]
    assert len(failed) > 15  # the effects were met, and not the end alone
    assert outcomes[-1][:2] == [0, "new"]
    assert failed[0][1] == before
    if how == "kill-fallback":
        assert not all(there for *_, there in outcomes)  # the case that the sweep is for was met
    if "limit" in how:
        assert {state for _, state, *_ in failed} == {before}


def test_an_exception_leaves_nothing_behind(
    tmp_path: Path, make_store: Callable[..., Manifest], make_record: Callable[..., Record]
) -> None:
    digest = make_store(tmp_path / "s").digest
    with contextlib.suppress(KeyboardInterrupt), writer_of(tmp_path / "s") as writer:
        for number in range(6):
            writer.add(make_record(number))
        raise KeyboardInterrupt
    assert Store.open(tmp_path / "s").digest == digest
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_failing_call_is_an_error_and_the_old_store_stays(
    tmp_path: Path,
    make_store: Callable[..., Manifest],
    make_record: Callable[..., Record],
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    call: str,
) -> None:
    digest = make_store(tmp_path / "s").digest
    real, failures = getattr(os, call), 0
    for last in range(100):
        calls = 0

        def failing(*arguments: object, last: int = last) -> object:
            nonlocal calls
            calls += 1
            if calls > last:
                raise OSError(code, os.strerror(code))
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            said = failure_of(lambda: write_new(tmp_path / "s", make_record))
        if said is None:
            break
        failures += 1
        assert f"s: cannot be written: {os.strerror(code)}" in said
        assert ("make room and run it again" in said) == (code == errno.ENOSPC)
        assert problems(tmp_path / "s") == []
        assert [path.name for path in tmp_path.iterdir()] == ["s"]
        if Store.open(tmp_path / "s").digest != digest:  # only the flush after the rename failed
            assert (call, calls) == ("fsync", last + 1)
            make_store(tmp_path / "s")
    assert failures >= 3
    assert Store.open(tmp_path / "s").manifest.corpus == "new"


def test_short_writes_are_continued(
    tmp_path: Path, make_record: Callable[..., Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    write_new(tmp_path / "whole", make_record)
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:100]))
    write_new(tmp_path / "bits", make_record)
    assert Store.open(tmp_path / "bits").digest == Store.open(tmp_path / "whole").digest
    assert problems(tmp_path / "bits") == []


def test_a_folder_of_a_dead_writer_is_swept_and_of_a_living_one_kept(
    tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    for name in (".s.partial-1", f".s.partial-{os.getpid()}", ".s2.partial-1", ".[s].partial-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "signals-00000.npy").write_bytes(b"half")
    living = tmp_path / ".s.partial-2"
    living.mkdir()
    lock = _folder._lock(living)
    assert lock is not None
    write_new(tmp_path / "s", make_record)
    write_new(tmp_path / "[s]", make_record)
    os.close(lock)
    assert {path.name for path in tmp_path.iterdir()} == {"s", "[s]", ".s2.partial-1", ".s.partial-2"}


def test_an_open_store_outlives_its_replacement(
    tmp_path: Path, make_store: Callable[..., Manifest], make_record: Callable[..., Record]
) -> None:
    make_store(tmp_path / "s", 10)
    store = Store.open(tmp_path / "s")
    before = store.signals(np.arange(10))
    make_store(tmp_path / "s", 10, seed=1)
    np.testing.assert_array_equal(store.signals(np.arange(10)), before)
    assert (Store.open(tmp_path / "s").signals(np.arange(10)) != before).any()


def failure_of(action: Callable[[], None]) -> str | None:
    try:
        action()
    except StoreError as error:
        return str(error)
    return None


def writer_of(path: Path) -> StoreWriter:
    return StoreWriter(
        path, corpus="new", fs=100.0, duration_s=1.0, vocabulary={}, processing=[], shard_records=4
    )


def write_new(path: Path, make_record: Callable[..., Record]) -> None:
    with writer_of(path) as writer:
        for number in range(6):
            writer.add(make_record(number))
        writer.commit()
