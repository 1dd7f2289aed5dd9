"""`python -m launch.cleanup`: what is alive in the account and what it costs, and ending it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dogbreed.caching.sizes import size
from dogbreed.command_line import fail, run_command, shows_help
from dogbreed.errors import CloudError
from dogbreed.options import only_options
from launch.accounts.account import Account, asked_account
from launch.accounts.bucket import bucket_exists
from launch.housekeeping.cleanup_choice import S3, chosen, with_parts
from launch.housekeeping.ending import end
from launch.housekeeping.living import CONFIG, ENDPOINT, MODEL, Living, living
from launch.housekeeping.stored import Stored, remove_stored, stored
from launch.planning.confirmation import confirm
from launch.requests.prices import ESTIMATE

HELP = """Show what of this project is alive on SageMaker, and what it costs an hour; end it.

  python -m launch.cleanup [key=value ...]

  delete=         names, by commas: endpoints are deleted, jobs are stopped, warm pools given back;
                  all for all that is shown; s3 for what is kept in S3, which all leaves alone
  yes=false       true does it without asking
  job.region=     that is looked at; else that of AWS_REGION or your AWS configuration
  job.profile=    of your AWS configuration
  job.bucket=     that uploads went to; else SageMaker's own, of account and region
  job.prefix=dogbreed  of all that was uploaded

  python -m launch.cleanup
  python -m launch.cleanup delete=dogbreed-0123456789ab
  python -m launch.cleanup delete=all yes=true

Only what carries the tag project=dogbreed is shown and touched. With an endpoint go its configuration and its models,
if nothing else is said."""


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    delete: str = ""
    yes: bool = False
    region: str = field(default="", metadata={"key": "job.region"})
    profile: str = field(default="", metadata={"key": "job.profile"})
    bucket: str = field(default="", metadata={"key": "job.bucket"})
    prefix: str = field(default="dogbreed", metadata={"key": "job.prefix"})
    # What chooses an account has one; here nothing runs as it.
    role: str = field(default="", metadata={"key": "job.role"})


def table(found: Sequence[Living], kept: Stored | None) -> Iterator[str]:
    """What is there, its price and their sum."""
    cells = [(one.kind, one.name, f"{one.since:%Y-%m-%d %H:%M}", an_hour(one), one.state) for one in found]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
    yield total(found) if found else "Nothing with the tag project=dogbreed is alive."
    if kept and kept.count:
        yield f"{kept.uri}: {kept.count:,} objects, {size(kept.bytes)}; delete=s3 removes them"


def an_hour(one: Living) -> str:
    """The price in words."""
    if one.an_hour is None:
        return "price not known"
    return f"${one.an_hour:.3f}/h" if one.an_hour else "-"


def total(found: Sequence[Living]) -> str:
    """What all of it costs an hour.

    >>> total([])
    'costs nothing by the hour'
    """
    known, unknown = sum(one.an_hour or 0.0 for one in found), sum(one.an_hour is None for one in found)
    more = f", and {unknown} of unknown price" if unknown else ""
    return f"about ${known:.3f} an hour{more}, {ESTIMATE}" if known or unknown else "costs nothing by the hour"


def end_all(account: Account, asked: Sequence[Living], show: Callable[[str], None]) -> int:
    """End each, and go on after what cannot be ended; the exit status.

    What an endpoint is made of stays while one could not be deleted: it may still need it.
    """
    failed: set[str] = set()
    for one in asked:
        if ENDPOINT in failed and one.kind in (CONFIG, MODEL):
            show(f"{one.kind} {one.name}: is kept, since an endpoint could not be deleted")
            continue
        try:
            show(end(account, one))
        except CloudError as error:
            fail(str(error))
            failed.add(one.kind)
    return int(bool(failed))


def kept_objects(account: Account, prefix: str) -> Stored | None:
    """What is kept in S3; None where there is no bucket.

    Raises:
        CloudError: S3 refused, or could not be asked.
    """
    s3 = account.client("s3")
    if not bucket_exists(s3, account.bucket, account.account_id):
        return None
    return stored(s3, account.bucket, prefix, account.account_id)


def main() -> int:
    """Show; and end what was asked for, after a yes."""
    if sys.argv[1:] and (status := shows_help(HELP)) is not None:
        return status
    options = only_options(Options, sys.argv[1:])
    names = [name for name in options.delete.split(",") if name]
    account, _ = asked_account(options)
    found, kept = living(account.client("sagemaker")), kept_objects(account, options.prefix)
    named = chosen(found, names)
    asked = with_parts(account, found, named) if names else []
    removed = kept if kept and kept.count and S3 in names else None
    plan = [*table(found, kept), *(f"to end: {one.kind} {one.name}" for one in asked)]
    plan += [f"to keep: {one.kind} {one.name}, since an endpoint needs it" for one in named if one not in asked]
    plan += [f"to remove: {removed.count:,} objects below {removed.uri}"] if removed else []
    if not asked and not removed:
        print("\n".join(plan))
        return 0
    confirm("\n".join(plan), "Do it?", yes=options.yes)
    status = end_all(account, asked, print)
    if removed:
        count = remove_stored(account.client("s3"), account.bucket, options.prefix, account.account_id)
        print(f"{count:,} objects are removed.")
    return status


if __name__ == "__main__":
    run_command(main)
