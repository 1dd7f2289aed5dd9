"""The end of what an endpoint's containers have written, as CloudWatch keeps it."""

from __future__ import annotations

from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import cloud_errors
from launch.jobs.logs import shown

GROUP = "/aws/sagemaker/Endpoints/{endpoint}"


def last_lines(logs: Any, endpoint: str, count: int = 8) -> list[str]:
    """Of the container that wrote last; none where there are none, or where they may not be read.

    Args:
        logs: client of CloudWatch Logs.
        endpoint: its name.
        count: lines at most.
    """
    group = GROUP.format(endpoint=endpoint)
    try:
        with cloud_errors():
            found = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)
            streams = [stream["logStreamName"] for stream in found["logStreams"]]
            events = [
                event
                for stream in streams
                for event in logs.get_log_events(logGroupName=group, logStreamName=stream, limit=count)["events"]
            ]
    # What is told is why the endpoint failed; that its log cannot be had is no reason not to.
    except CloudError:
        return []
    return [line for event in events for line in shown(event["message"])][-count:]
