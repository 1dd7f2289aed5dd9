"""What the hosts of a job have written, line by line, as CloudWatch keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from launch.accounts.cloud_errors import cloud_errors, is_missing

GROUP = "/aws/sagemaker/TrainingJobs"


class JobLog:
    """The lines of a training job that were not there before.

    Args:
        client: botocore's, of CloudWatch Logs.
        job: its name; a stream's name begins with it.
    """

    def __init__(self, client: Any, job: str) -> None:
        self.client, self.job = client, job
        self.tokens: dict[str, str | None] = {}

    def new_lines(self) -> list[str]:
        """In the order of time; beside several hosts', each with the name of its host.

        Raises:
            CloudError: CloudWatch refused, or could not be asked.
        """
        with cloud_errors():
            tokens = dict.fromkeys(self._streams()) | self.tokens
            pages = {stream: self._since(stream, token) for stream, token in tokens.items()}
        # All of it or nothing: what was read before a lost connection is read again.
        self.tokens = {stream: token for stream, (_, token) in pages.items()}
        events = [(event["timestamp"], name, event["message"]) for name, (new, _) in pages.items() for event in new]
        several = len(self.tokens) > 1
        # By time alone: one host's lines of one moment stay in their order.
        in_order = sorted(events, key=lambda event: event[0])
        return [f"{_host(name)} | {line}" if several else line for _, name, text in in_order for line in shown(text)]

    def _streams(self) -> Iterator[str]:
        from botocore.exceptions import ClientError

        pages = self.client.get_paginator("describe_log_streams")
        try:
            for page in pages.paginate(logGroupName=GROUP, logStreamNamePrefix=f"{self.job}/"):
                yield from (stream["logStreamName"] for stream in page["logStreams"])
        except ClientError as error:
            # The account's first job makes the group.
            if not is_missing(error):
                raise

    def _since(self, stream: str, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        """The events after a token, and the token after them: the service ends with the one that it was given."""
        events: list[dict[str, Any]] = []
        while True:
            given = {"nextToken": token} if token else {}
            page = self.client.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True, **given)
            events += page["events"]
            if page["nextForwardToken"] == token:
                return events, token
            token = page["nextForwardToken"]


def shown(text: str) -> list[str]:
    r"""The lines of a message as a terminal may show them: of a progress bar the last state, no control characters.

    >>> shown("10%\r100%\n\x1b[2Jdone\t1")
    ['100%', '[2Jdone\t1']
    """
    last = [line.rstrip("\r").rpartition("\r")[2] for line in text.rstrip("\r\n").split("\n")]
    return ["".join(letter for letter in line if letter.isprintable() or letter == "\t") for line in last]


def _host(stream: str) -> str:
    """`algo-1` of `<job>/algo-1-<seconds>`."""
    return stream.rpartition("/")[2].rpartition("-")[0]
