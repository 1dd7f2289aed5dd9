"""`python -m launch.permissions`: the IAM policies that suffice, as JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dogbreed.command_line import run_command, shows_help
from dogbreed.errors import ConfigError
from dogbreed.options import only_options
from launch.accounts.account import presumed_account
from launch.housekeeping.policies import Scope, role_policy, trust_policy, user_policy

HELP = """Print the least that IAM has to allow, as JSON. Nothing is asked of AWS.

  python -m launch.permissions [key=value ...]

  what=all        all, or user (whoever sends jobs), role (which they run as) or trust (who may take on the role)
  job.role=       name or ARN of the role; else SAGEMAKER_ROLE
  job.region=     of jobs and endpoints; else that of AWS_REGION or your AWS configuration
  job.profile=    of your AWS configuration
  job.bucket=     for all that is uploaded; else SageMaker's own, of account and region
  job.prefix=dogbreed  of all that is uploaded
  account=        its twelve digits; else those of the role's ARN
  data=           photos of yours in S3 that jobs read: s3://BUCKET/PREFIX, several by commas
  vpc=false       true if jobs run in a network of yours
  kms=            ARN of the key that encrypts disks or what is stored
  mlflow=         ARN of the tracking server or app that jobs write to
  remote_debug=false  true if a shell is opened in jobs

  python -m launch.permissions what=trust account=123456789012 > trust.json
  python -m launch.permissions what=role account=123456789012 > role.json
  aws iam create-role --role-name dogbreed --assume-role-policy-document file://trust.json
  aws iam put-role-policy --role-name dogbreed --policy-name dogbreed --policy-document file://role.json"""

# A key has to be named by its own ARN: IAM knows no aliases.
ARNS = {
    "kms": (
        re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+"),
        "arn:aws:kms:REGION:ACCOUNT:key/ID",
    ),
    "mlflow": (
        re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:mlflow-(tracking-server|app)/[\w-]+"),
        "arn:aws:sagemaker:REGION:ACCOUNT:mlflow-tracking-server/NAME",
    ),
}


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    what: str = field(default="all", metadata={"choices": ("all", "user", "role", "trust")})
    role: str = field(default="", metadata={"key": "job.role"})
    region: str = field(default="", metadata={"key": "job.region"})
    profile: str = field(default="", metadata={"key": "job.profile"})
    bucket: str = field(default="", metadata={"key": "job.bucket"})
    prefix: str = field(default="dogbreed", metadata={"key": "job.prefix"})
    account: str = ""
    data: str = ""
    vpc: bool = False
    kms: str = ""
    mlflow: str = ""
    remote_debug: bool = False

    def __post_init__(self) -> None:
        for name, (pattern, example) in ARNS.items():
            given = getattr(self, name)
            if given and not pattern.fullmatch(given):
                raise ConfigError(f"Expected {name} to be an ARN like {example}, got {given!r}.")


def scope(options: Options) -> tuple[Scope, tuple[str, ...]]:
    """What the policies are about, and what in it stands for something unknown.

    Raises:
        CloudError: there is no such profile.
    """
    found = presumed_account(options, account_id=options.account or None)
    region, account_id, role, bucket = found
    data = tuple(uri for uri in options.data.split(",") if uri)
    about = Scope(
        region,
        account_id,
        role,
        bucket,
        options.prefix,
        data,
        options.vpc,
        options.kms,
        options.mlflow,
        options.remote_debug,
    )
    return about, found.placeholders


POLICIES: dict[str, Callable[[Scope], dict[str, Any]]] = {
    "user": user_policy,
    "role": role_policy,
    "trust": trust_policy,
}


def main() -> int:
    """Print; what is a placeholder is said on stderr."""
    if sys.argv[1:] and (status := shows_help(HELP)) is not None:
        return status
    options = only_options(Options, sys.argv[1:])
    about, placeholders = scope(options)
    if options.what != "all" and "account_id" in placeholders:
        raise ConfigError(
            "The account is not known, and a policy for another one would be of no use; give account=, its twelve "
            f"digits: python -m launch.permissions what={options.what} account=…"
        )
    printed = {name: make(about) for name, make in POLICIES.items() if options.what in (name, "all")}
    print(json.dumps(printed if options.what == "all" else printed[options.what], indent=2))
    for name in placeholders:
        print(f"note: {name} is not known and stands for itself; {GIVE[name]}", file=sys.stderr)
    return 0


GIVE = {
    "account_id": "give account=, its twelve digits",
    "bucket": "give job.bucket=, or account=",
    "region": "give job.region=",
    "role": "give job.role=, name or ARN",
}

if __name__ == "__main__":
    run_command(main)
