"""The command that prints what IAM has to allow, told all that is known."""

from __future__ import annotations

import shlex

KEYS = {
    "account": "account",
    "region": "job.region",
    "bucket": "job.bucket",
    "prefix": "job.prefix",
    "role": "job.role",
}


def permissions_command(what: str, **known: str | None) -> str:
    """For a shell.

    Args:
        what: user, role or trust.
        known: account, region, bucket, prefix and role; None or an empty text for what is not known.

    >>> permissions_command("role", account="123456789012", region=None, bucket="dogs")
    'python -m launch.permissions what=role account=123456789012 job.bucket=dogs'
    """
    told = [f"{key}={known[name]}" for name, key in KEYS.items() if known.get(name)]
    return shlex.join(["python", "-m", "launch.permissions", f"what={what}", *told])
