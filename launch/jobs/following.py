"""A job is followed until it ends, or until you leave it; whatever happens here, the job itself goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import PassingCloudError
from launch.jobs.job_kinds import KINDS
from launch.jobs.outcome import DETACHED, VANISHED, Outcome, attach_command
from launch.jobs.stopping import stop
from launch.jobs.training_watch import TrainingWatch
from launch.jobs.transform_watch import TransformWatch
from launch.jobs.tuning_watch import TuningWatch

__all__ = ["Outcome", "follow"]

BETWEEN_LOOKS = 10.0  # seconds
LONGEST_WAIT = 120.0  # seconds
# After so many looks that failed one after the other, with ever longer waits, about 15 minutes have gone.
MOST_FAILED_LOOKS = 10


class Watch(Protocol):
    """Shows what is new of a job."""

    def look(self, description: dict[str, Any]) -> Outcome | None:
        """Of the job as it was described; the outcome once it has ended."""


WATCHES: dict[str, Callable[[Account, str, Callable[[str], None], Callable[[], float]], Watch]] = {
    "training": TrainingWatch,
    "tuning": TuningWatch,
    "transform": TransformWatch,
}


def follow(
    account: Account,
    name: str,
    *,
    kind: str,
    show: Callable[[str], None],
    ask: Callable[[str], str] = input,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Show status, log, rules or trials of a job as they change, until it ends.

    Ctrl-C asks whether to stop the job or to leave it running; a second one leaves it.

    Args:
        account: of the job.
        name: of the job.
        kind: training, tuning or transform.
        show: takes a line.
        ask: takes a question and answers it, as `input` does.
        clock: in seconds.
        sleep: waits so many seconds.

    Raises:
        CloudError: AWS cannot be asked any more, for instance since credentials have expired; says how to come back.
    """
    watch, client = WATCHES[kind](account, name, show, clock), account.client("sagemaker")
    failed, wait = 0, 0.0
    while True:
        try:
            sleep(wait)
            outcome = _looked(client, name, kind, watch)
            failed, wait = 0, BETWEEN_LOOKS
        except KeyboardInterrupt:
            outcome, wait = _interrupted(account, name, kind, show, ask), 0.0
        except PassingCloudError as error:
            failed, outcome = failed + 1, None
            wait = min(LONGEST_WAIT, BETWEEN_LOOKS * 2**failed)
            if failed == MOST_FAILED_LOOKS:
                raise _left(account, name, kind, error) from error
        except CloudError as error:
            raise _left(account, name, kind, error) from error
        if outcome:
            return outcome


def _looked(client: Any, name: str, kind: str, watch: Watch) -> Outcome | None:
    found = KINDS[kind].described(client, name)
    return Outcome(name, kind, VANISHED) if found is None else watch.look(found)


def _interrupted(
    account: Account, name: str, kind: str, show: Callable[[str], None], ask: Callable[[str], str]
) -> Outcome | None:
    try:
        answer = ask(f"The job {name} is running. [d]etach and leave it running, or [s]top it? ").strip().lower()
        if answer not in ("s", "stop"):
            return _detached(account, name, kind, show)
        stop(account, name, kind)
        show(f"Stopping {name}.")
    except CloudError as error:
        show(f"{name} could not be stopped: {error}")
    except (EOFError, KeyboardInterrupt):
        return _detached(account, name, kind, show)
    return None


def _detached(account: Account, name: str, kind: str, show: Callable[[str], None]) -> Outcome:
    show(f"{name} goes on. Come back with: {attach_command(name, account.region, kind)}")
    return Outcome(name, kind, DETACHED)


def _left(account: Account, name: str, kind: str, error: CloudError) -> CloudError:
    return CloudError(f"{error} The job {name} goes on; come back with: {attach_command(name, account.region, kind)}")
