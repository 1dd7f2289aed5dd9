"""Whatever ends a deployment: an endpoint that goes on is paid for, and that is said with the command that ends it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dogbreed.errors import CloudError, DogbreedError
from launch.accounts.account import Account
from launch.endpoints.deploy_text import cleanup_command, price_text
from launch.endpoints.deployment import Deployment
from launch.endpoints.served_endpoint import described

# Of an endpoint that costs nothing.
UNPAID = ("Failed", "Deleting")


class TakenBackError(CloudError):
    """A deployment that failed and was undone: nothing is paid for that was not before."""


@contextmanager
def telling_what_goes_on(account: Account, plan: Deployment) -> Iterator[None]:
    """Whatever ends the block early is told together with the endpoint that goes on, if one does.

    Ctrl-C stays Ctrl-C, after a line on stderr.

    Args:
        account: that pays.
        plan: of the endpoint.

    Raises:
        CloudError: an error of the block, with what goes on.
    """
    try:
        yield
    except TakenBackError:
        raise
    except DogbreedError as error:
        if left := _left_running(account, plan):
            raise CloudError(f"{str(error).rstrip('.')}; {left}") from error
        raise
    except KeyboardInterrupt:
        if left := _left_running(account, plan):
            sys.stderr.write(f"Interrupted; {left}\n")
        raise


def _left_running(account: Account, plan: Deployment) -> str:
    """A sentence; nothing where nothing is paid for."""
    doubt = ""
    try:
        found = described(account.client("sagemaker"), plan.name)
        if found is None or found["EndpointStatus"] in UNPAID:
            return ""
    # As with credentials that have expired, or a second Ctrl-C.
    except (CloudError, KeyboardInterrupt):
        doubt = "if it was made, "
    end = cleanup_command(plan.name, account.region)
    return f"{doubt}{plan.name} goes on, and costs {price_text(plan.settings)}; to end it: {end}"
