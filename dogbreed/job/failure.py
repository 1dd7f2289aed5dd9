"""Why a job failed: a line for its log, and the file whose beginning the service shows."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dogbreed.command_line import fail
from dogbreed.composed_command import fault_line


def status_of(work: Callable[[], None], failure: Path) -> int:
    """Do the work of a job; its exit status.

    Args:
        work: of this process.
        failure: gets the reason. SageMaker's toolkit leaves a file alone that is there, and would write its own words
            before ours.
    """
    from dogbreed.training.interruption import Interrupted

    try:
        work()
    except Interrupted as interrupted:
        print(f"Stopped by {interrupted}; the run is stored, and goes on from there.", file=sys.stderr, flush=True)
        return interrupted.exit_status
    except Exception as error:
        line = fault_line(error, str(failure.parent))
        told = line or "".join([*traceback.format_exception_only(error), *traceback.format_exception(error)])
        _write_first(failure, told if line is None else " ".join(line.split()))
        if line is None:
            raise
        return fail(line)
    return 0


def _write_first(path: Path, text: str) -> None:
    # Of several processes the first says why; the others fail because of it.
    with suppress(OSError), path.open("x") as file:
        file.write(f"{text}\n")
