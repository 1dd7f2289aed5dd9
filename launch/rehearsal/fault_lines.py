"""What a job's log and `output/failure` come to: one line that says what to mend."""

from __future__ import annotations

import re
from collections.abc import Sequence

from launch.rehearsal.running import Ended

FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
RAISED = re.compile(r"^[A-Za-z_][\w.]*(:.*)?$")
HOST = re.compile(r"^host-\d+: ")
# Of SageMaker's training toolkit, when it reports what its child did.
TOOLKIT = re.compile(r"^\w+Error:\nExitCode (?P<status>-?\d+)")
KILLED = ("-9", "137")
# Of the toolkit's own log.
SERVICE = re.compile(r"^(\d{4}-\d\d-\d\d |ExitCode|ErrorMessage|Command)")
NO_SPACE = ("No space left on device", "File too large", "Errno 28", "Errno 27")
# Frames of files that are not the user's say where an error came up, not where to mend it.
SHIPPED = "/code/"
LONGEST = 400


def fault_line(ended: Ended) -> str:
    """Why a job failed, in a sentence."""
    found = next((line for say in CAUSES if (line := say(ended))), None)
    return _one_line(found or "The job ended without saying why; its log is above.")


def _time(ended: Ended) -> str | None:
    if not ended.timed_out:
        return None
    return (
        f"The job was ended after {ended.seconds:.0f} seconds; its last line: {ended.lines[-1] if ended.lines else ''}"
    )


def _requirement(ended: Ended) -> str | None:
    """What pip said; the toolkit reports no more than that it failed."""
    if "InstallRequirementsError" not in (ended.failure or ""):
        return None
    errors = [line.partition("ERROR: ")[2] for line in ended.lines if "ERROR: " in line]
    said = [line for line in errors if "InstallRequirements" not in line] or ["it did not say why"]
    return f"pip could not install the job's requirements: {said[0]} Mend job.requirements."


def _own_words(ended: Ended) -> str | None:
    """The line that the job itself left."""
    failure = (ended.failure or "").strip()
    return failure if failure and "\n" not in failure and not TOOLKIT.match(failure) else None


def _raised(ended: Ended) -> str | None:
    """The first error that went uncaught, with the place in the code: the job's own words, or those of its log."""
    lines = [*(ended.failure or "").splitlines(), *(HOST.sub("", line) for line in ended.lines)]
    # A syntax error has no line before its place.
    begin = next((number for number, line in enumerate(lines) if FRAME.match(line)), len(lines))
    return _error(lines[begin:])


def _error(lines: Sequence[str]) -> str | None:
    """The error below the places that a traceback begins with."""
    frames: list[str] = []
    for number, line in enumerate(lines):
        if frame := FRAME.match(line):
            frames.append(_place(frame))
        elif frames and RAISED.match(line):
            own = [place for place in frames if not place.startswith("/")]
            return f"{_whole(lines[number : number + 3])} ({[*frames, *own][-1]})"
    return None


def _whole(lines: Sequence[str]) -> str:
    """An error's line: a program's unbuffered output arrives in pieces, which the toolkit takes for lines."""
    text = lines[0]
    for piece in lines[1:]:
        if ": " in text or not piece.strip() or piece.startswith("20"):
            break
        text += piece if piece.startswith(":") else f" {piece}"
    return text


def _disk(ended: Ended) -> str | None:
    full = [line for line in [*(ended.failure or "").splitlines(), *ended.lines] if any(w in line for w in NO_SPACE)]
    return f"The disk is full: {full[-1].strip()} Raise job.volume_gb." if full else None


def _killed(ended: Ended) -> str | None:
    found = TOOLKIT.match(ended.failure or "")
    if found is None or found["status"] not in KILLED:
        return None
    return "The training process was killed, as it is where memory runs out: lower data.batch_size or data.num_workers."


def _printed(ended: Ended) -> str | None:
    """What the job said where it could not write it down."""
    return next((found[2] for line in reversed(ended.lines) if (found := line.partition("error: "))[2]), None)


def _said(ended: Ended) -> str | None:
    failure = (ended.failure or "").strip()
    if found := TOOLKIT.match(failure):
        last = [line for line in ended.lines if line.strip() and not SERVICE.match(HOST.sub("", line))]
        return (
            f"The job ended with status {found['status']} without saying why; its last line: {last[-1] if last else ''}"
        )
    return failure.splitlines()[0] if failure else None


CAUSES = (_time, _requirement, _own_words, _disk, _raised, _killed, _printed, _said)


def _place(frame: re.Match[str]) -> str:
    file = frame["file"]
    return f"{file.rpartition(SHIPPED)[2] if SHIPPED in file and 'site-packages' not in file else file}:{frame['line']}"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
