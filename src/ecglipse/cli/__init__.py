"""The command line: arguments to function calls, results to stdout, errors to exit codes.

Data goes to stdout (`--json` for JSON), progress and hints to stderr. Exit: 0 done, 1 the user's mistake
or a damaged input, 2 wrong usage, 75 stopped by a signal with everything saved. Nothing heavy is
imported before a verb runs.

recordings.py brings them to a store, looking.py looks at what is there, encoders.py makes and reads one,
studies.py compares many; options.py is what verbs have in common.
"""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from ecglipse import __version__
from ecglipse.cli.encoders import export, masks, pretrain, transfer
from ecglipse.cli.looking import leaks, show, verify
from ecglipse.cli.recordings import fetch, prepare
from ecglipse.cli.studies import demo, report, study
from ecglipse.errors import EcglipseError, Stopped

app = App(
    name="ecglipse",
    help="Learn what to hide in an ECG: adversarial-masking pretraining of 12-lead encoders, and an honest "
    "comparison.",
    version=__version__,
    version_flags=["--version"],
)
for verb in (demo, fetch, prepare, verify, leaks, pretrain, transfer, export, study, masks, report, show):
    app.command(verb)


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
