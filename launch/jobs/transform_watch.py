"""What is new of a batch transform: its status, and what it has cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from launch.accounts.account import Account
from launch.jobs.job_kinds import ENDED
from launch.jobs.outcome import Outcome, reason
from launch.jobs.status_line import StatusLine
from launch.requests.prices import ESTIMATE, highest_price


class TransformWatch:
    """Shows what has changed at each look, and every minute that it goes on.

    Args:
        account: not needed here.
        name: of the job.
        show: takes a line.
        clock: in seconds.
    """

    def __init__(self, account: Account, name: str, show: Callable[[str], None], clock: Callable[[], float]) -> None:
        del account
        self.name, self.show, self.status = name, show, StatusLine(show, clock)

    def look(self, description: Mapping[str, Any]) -> Outcome | None:
        """Show what is new; the outcome once there is nothing to wait for."""
        status = str(description["TransformJobStatus"])
        self.status.say(status, again=True)
        if status not in ENDED:
            return None
        if line := cost_line(description):
            self.show(line)
        return Outcome(self.name, "transform", status, reason(description), description)


def cost_line(description: Mapping[str, Any]) -> str:
    """How long its machines ran and what that costs; empty where they never did.

    >>> from datetime import datetime
    >>> times = {"TransformStartTime": datetime(2026, 1, 1, 12), "TransformEndTime": datetime(2026, 1, 1, 13)}
    >>> machines = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2}
    >>> cost_line({**times, "TransformResources": machines}).partition(", estimated")[0]
    'ran for 3600 s: about $0.46'
    """
    began, ended = (description.get(f"Transform{end}Time") for end in ("Start", "End"))
    machines = description["TransformResources"]
    price = highest_price([machines["InstanceType"]], machines["InstanceCount"])
    if began is None or ended is None:
        return ""
    seconds = (ended - began).total_seconds()
    return f"ran for {seconds:.0f} s" + (f": about ${price * seconds / 3600:.2f}, {ESTIMATE}" if price else "")
