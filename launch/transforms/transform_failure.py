"""What to say of a batch transform that failed or was stopped."""

from __future__ import annotations

from pathlib import Path

from dogbreed.errors import CloudError
from dogbreed.predicting.table_file import Written
from launch.jobs.outcome import Outcome


def transform_failure(outcome: Outcome, region: str, *, left: str) -> CloudError:
    """The error, with the command that shows the job's log.

    Args:
        outcome: of the job.
        region: of the job.
        left: a sentence about what it has left.
    """
    log = f"aws logs tail /aws/sagemaker/TransformJobs --log-stream-name-prefix {outcome.name} --since 1d"
    return CloudError(f"{outcome.error} {left} Its log: {log} --region {region}")


def left_text(table: Path, written: Written) -> str:
    """What a job has left that did not come to its end.

    >>> left_text(Path("a.csv"), Written(rows=3, unreadable=1)).partition(";")[0]
    'a.csv has the answers to 2 of 3 photos'
    """
    answered = f"{written.rows - written.unreadable:,} of {written.rows:,} photos"
    return f"{table} has the answers to {answered}; with overwrite=true the same command begins another attempt."
