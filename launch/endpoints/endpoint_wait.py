"""An endpoint that is being made or changed is waited for until it answers, or it is known why it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import PassingCloudError
from launch.endpoints.endpoint_log import last_lines
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.model_reason import log_command
from launch.endpoints.served_endpoint import READY, described

POLL_SECONDS, MOST_FAILED_LOOKS = 15.0, 10
# For an instance to be found and prepared, beside what the settings allow for download and start.
LONGEST_START_SECONDS = 1800.0
UPDATES = ("Updating", "RollingBack")
Show = Callable[[str], None]
Sleep = Callable[[float], None]


def wait_until_ready(
    account: Account, name: str, settings: EndpointSettings, config: str, *, show: Show, sleep: Sleep = time.sleep
) -> None:
    """Wait for an endpoint that is being made or changed.

    Args:
        account: that pays.
        name: of the endpoint.
        settings: that say how long it may take.
        config: name of the configuration that it is to have in the end.
        show: is told its status.
        sleep: for so many seconds.

    Raises:
        CloudError: it failed, an update was taken back, or it took too long.
    """
    last, waited = "", 0.0
    while waited < _longest_seconds(settings, last):
        found = _look(account, name, sleep)
        status = str(found["EndpointStatus"])
        if status != last:
            show(f"{name}: {status}, after {waited / 60:.0f} min")
        if status == READY:
            return _check_taken(found, name, config)
        if status in ("Failed", "OutOfService"):
            raise CloudError(_failure(account, name, found))
        last = status
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    raise CloudError(f"{name} is {last} after {waited / 60:.0f} minutes. Its log: {log_command(name)}")


def _longest_seconds(settings: EndpointSettings, status: str) -> float:
    longest = LONGEST_START_SECONDS + settings.download_seconds + settings.startup_seconds
    # An update may watch a part of the new instances first, and keeps the old ones for as long again.
    return longest + 2 * settings.update_wait_seconds if status in UPDATES else longest


def _look(account: Account, name: str, sleep: Sleep) -> Mapping[str, Any]:
    sagemaker = account.client("sagemaker")
    for number in range(1, MOST_FAILED_LOOKS + 1):
        try:
            found = described(sagemaker, name)
        except PassingCloudError:
            if number == MOST_FAILED_LOOKS:
                raise
            sleep(POLL_SECONDS)
            continue
        break
    if found is None:
        raise CloudError(f"The endpoint {name} is gone: somebody has deleted it.")
    return found


def _check_taken(found: Mapping[str, Any], name: str, config: str) -> None:
    if found["EndpointConfigName"] != config:
        reason = found.get("FailureReason") or "the new instances did not become healthy"
        raise CloudError(
            f"The update of {name} was taken back, and it serves its former model: {reason}. Its log: "
            f"{log_command(name)}"
        )


def _failure(account: Account, name: str, found: Mapping[str, Any]) -> str:
    reason = " ".join(str(found.get("FailureReason", "no reason is given")).split()).rstrip(".")
    lines = " | ".join(last_lines(account.client("logs"), name))
    said = f"its log ends: {lines}" if lines else f"its log is empty: {log_command(name)}"
    return f"The endpoint {name} has failed, which costs nothing: {reason}; {said}"
