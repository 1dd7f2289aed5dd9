"""`python -m launch.doctor`: what is missing before a job can be sent, and the command that mends it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from dogbreed.command_line import run_command, shows_help
from dogbreed.options import only_options
from launch.housekeeping.diagnosis import Finding, diagnosis

HELP = """Check all that a job needs on SageMaker: packages, credentials, region, role, bucket, image, quotas.

  python -m launch.doctor [key=value ...]

  job.region=     of jobs; else that of AWS_REGION or your AWS configuration
  job.profile=    of your AWS configuration
  job.role=       name or ARN of the role that jobs run as; else SAGEMAKER_ROLE
  job.bucket=     for all that is uploaded; else SageMaker's own, of account and region
  job.prefix=dogbreed  of all that is uploaded
  job.instance_type=ml.g4dn.xlarge  that jobs run on
  job.spot=false  whether they take spare machines
  endpoint.instance_type=ml.m5.large  that endpoints run on
  transform.instance_type=ml.m5.xlarge  that batch transforms run on

The exit status is 1 if something is missing. Nothing is made, and nothing costs anything."""
MARKS = {True: "✓", False: "✗", None: "·"}


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    region: str = field(default="", metadata={"key": "job.region"})
    profile: str = field(default="", metadata={"key": "job.profile"})
    role: str = field(default="", metadata={"key": "job.role"})
    bucket: str = field(default="", metadata={"key": "job.bucket"})
    prefix: str = field(default="dogbreed", metadata={"key": "job.prefix"})
    instance_type: str = field(default="ml.g4dn.xlarge", metadata={"key": "job.instance_type"})
    spot: bool = field(default=False, metadata={"key": "job.spot"})
    endpoint_type: str = field(default="ml.m5.large", metadata={"key": "endpoint.instance_type"})
    transform_type: str = field(default="ml.m5.xlarge", metadata={"key": "transform.instance_type"})


def line(finding: Finding) -> str:
    """A finding in one line.

    >>> line(Finding("region", True, "eu-west-1"))
    '✓ region       eu-west-1'
    """
    return f"{MARKS[finding.is_well]} {finding.name:<12} {finding.text}"


def main() -> int:
    """Show each finding as it is made; 1 if something is missing."""
    if sys.argv[1:] and (status := shows_help(HELP)) is not None:
        return status
    missing = False
    for finding in diagnosis(only_options(Options, sys.argv[1:])):
        print(line(finding), flush=True)
        missing |= finding.is_well is False
    return int(missing)


if __name__ == "__main__":
    run_command(main)
