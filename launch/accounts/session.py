"""A session with AWS: whose credentials, which region; nothing is asked of anyone yet."""

from __future__ import annotations

import os
from typing import Any, Protocol

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import INSTALL, cloud_errors

# A connection that is not there after so many seconds will not come.
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 60}
ATTEMPTS = 5


class AccountSettings(Protocol):
    """What chooses an account: None or an empty text leaves it to the environment."""

    @property
    def profile(self) -> str | None:
        """Of AWS's configuration file."""

    @property
    def region(self) -> str | None:
        """As AWS names it: eu-west-1."""

    @property
    def role(self) -> str | None:
        """Name or ARN of the role that jobs run as."""

    @property
    def bucket(self) -> str | None:
        """For all that is uploaded."""


def configured(profile: str | None) -> Any:
    """Botocore's session: the environment and AWS's configuration files.

    Raises:
        CloudError: botocore is not installed, there is no such profile, or a file cannot be read.
    """
    try:
        from botocore.session import Session
    except ImportError as error:
        raise CloudError(INSTALL) from error
    with cloud_errors():
        session = Session(profile=profile or None)
        session.get_scoped_config()
    return session


def configured_region(settings: AccountSettings, session: Any) -> str | None:
    """The setting, else AWS_REGION, else AWS_DEFAULT_REGION, else the profile's."""
    return settings.region or os.environ.get("AWS_REGION") or session.get_config_variable("region")


def client_options(attempts: int = ATTEMPTS, **timeouts: int) -> Any:
    """Botocore's configuration of a client: its default mode of trying again is the old one."""
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": attempts}
    return Config(retries=retries, user_agent_extra="dogbreed", **{**TIMEOUTS, **timeouts})


def partition(region: str) -> str:
    """The part of AWS that a region belongs to, as ARNs name it.

    >>> partition("eu-west-1"), partition("cn-north-1"), partition("us-gov-west-1")
    ('aws', 'aws-cn', 'aws-us-gov')
    """
    parts = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for beginning, name in parts.items() if region.startswith(beginning)), "aws")
