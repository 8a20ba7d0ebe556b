"""What can go wrong for a user, as a small tree; programmers' mistakes are ValueError or TypeError.

    EcglipseError
    ├── RecordError       a recording cannot be read or is unfit for use (has a short `reason`)
    ├── CorpusError       a folder is not what a corpus needs
    ├── FetchError        a public corpus cannot be fetched
    ├── StoreError        an array store is missing, damaged or of another format version
    │   └── Busy          another process is writing it
    ├── ConfigError       a config file or a `--set` override is wrong
    ├── TaskError         a task, its labels or its splits cannot be had from a store
    ├── CheckpointError   a run or checkpoint is missing, damaged or belongs to something else
    ├── LedgerError       a ledger or a prediction file is damaged
    ├── TrainingError     training cannot go on (not a number, a collapsed mask, too few records)
    └── Stopped           a signal asked to stop; everything is saved (exit status 75: try again)

A message reads "where: what was wrong, with the value"; the hint says what to do.
"""


class EcglipseError(Exception):
    """A user's mistake or a damaged input: shown without traceback, exit status 1.

    Args:
        message: where and what, with the value, in one sentence without a full stop.
        hint: what to do about it; optional.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n\nhint: {self.hint}"


class RecordError(EcglipseError):
    """A recording that cannot be used.

    Args:
        message: as for `EcglipseError`.
        reason: a short stable word for tables of rejects, such as "header" or "flat-lead".
        hint: as for `EcglipseError`.
    """

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class CorpusError(EcglipseError):
    """A folder that is not what a corpus needs."""


class FetchError(EcglipseError):
    """A public corpus that cannot be fetched, or not whole."""


class StoreError(EcglipseError):
    """An array store that is missing, damaged or of another format version."""


class Busy(StoreError):
    """An array store that another process is writing."""


class ConfigError(EcglipseError):
    """A config file or an override that is wrong; all its faults in one message."""


class TaskError(EcglipseError):
    """A task, its labels or its splits cannot be had from a store."""


class CheckpointError(EcglipseError):
    """A run or checkpoint that is missing, damaged or belongs to something else."""


class LedgerError(EcglipseError):
    """A ledger or prediction file that is damaged."""


class TrainingError(EcglipseError):
    """Training that cannot go on."""


class Stopped(EcglipseError):
    """A signal asked to stop; the step was finished and saved. Exit status 75 asks a scheduler to requeue."""
