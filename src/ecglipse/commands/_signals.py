"""Signals that ask a run to stop: remembered until the step is done, so that nothing of it is lost."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""What a person (Ctrl-C), a system and a batch scheduler send."""


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], str | None]]:
    """Within it, the first signal that asks to stop is remembered; a second one is obeyed at once.

    Yields:
        A function that gives the signal's name, or None while there was none. In a study's worker, and
        beside the main thread, signals are left as they are: a study ends its workers itself.
    """
    asked: list[str] = []
    if multiprocessing.parent_process() or threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def remember(number: int, frame: FrameType | None) -> None:
        asked.append(signal.Signals(number).name)
        for one, handler in before.items():
            signal.signal(one, handler)

    before = {one: signal.getsignal(one) for one in _ASKING}
    for one in _ASKING:
        signal.signal(one, remember)
    try:
        yield lambda: asked[0] if asked else None
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
