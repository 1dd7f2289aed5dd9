"""The entry of a SageMaker job."""

from __future__ import annotations

from dogbreed.command_line import run_command


def main() -> None:
    """Train as the archive's `run.json` and the job's hyperparameters say, and leave the process.

    Its status is 0, 1 for a fault of the input or the machine (a line on stderr, and in the job's `output/failure`),
    or 143 after SIGTERM, with the run's state stored.
    """
    from dogbreed.job.running import run_job

    run_command(run_job)
