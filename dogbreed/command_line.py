"""What every command does with a fault: one line on stderr, an exit status, no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from dogbreed.errors import DogbreedError


def run_command(command: Callable[[], int | None]) -> None:
    """Call a command and leave the process with its status.

    0 for success, 1 for a fault of the input or the machine, 130 for Ctrl-C. A fault of the program keeps its
    traceback.
    """
    try:
        status = command() or 0
    except DogbreedError as error:
        status = fail(str(error))
    except BrokenPipeError:
        # Whoever read the output has gone: `… | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def shows_help(text: str) -> int | None:
    """The command's status if it was asked for its help, or for nothing at all; None if there is something to do."""
    asked = sys.argv[1:]
    if asked and not {"-h", "--help"} & set(asked):
        return None
    print(text)
    return 0 if asked else 1


def fail(message: str) -> int:
    """Say what is wrong on stderr, in one line; the exit status."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr, flush=True)
    return 1
