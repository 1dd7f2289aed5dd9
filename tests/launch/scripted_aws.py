"""AWS by script: botocore's own clients, with answers that a test has written instead of a network."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from launch.accounts.account import Account

REGION, ACCOUNT_ID = "eu-west-1", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/dogbreed"
BUCKET = f"sagemaker-{REGION}-{ACCOUNT_ID}"
# To read the description of SageMaker takes half a second.
shared_loader: Callable[[Any], Loader] = functools.cache(lambda _=None: create_loader())
Answer = dict[str, Any] | Exception | tuple[str, str]


class ScriptedAws:
    """Answers by operation: one after the other, the last one again and again; or what a function makes of the asked.

    An answer is what botocore returns, a botocore exception, or code and message of a refusal.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer] | Callable[[dict[str, Any]], Answer]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        core = Session()
        core.register_component("data_loader", shared_loader(None))
        core.set_credentials("test", "test")
        core.register("before-parameter-build", self._asked)
        core.register("before-call", self._answered)
        self.session = boto3.Session(botocore_session=core, region_name=REGION)

    @property
    def account(self) -> Account:
        return Account(self.session, REGION, ACCOUNT_ID, ROLE, BUCKET)

    def named(self, operation: str) -> list[dict[str, Any]]:
        """What was asked for, call by call."""
        return [asked for name, asked in self.calls if name == operation]

    def _asked(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, dict(params)))

    def _next(self, answers: list[Answer] | Callable[[dict[str, Any]], Answer]) -> Answer:
        if callable(answers):
            return answers(self.calls[-1][1])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _answered(self, model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        answer = self._next(self.answers[model.name])
        if isinstance(answer, Exception):
            raise answer
        # botocore changes what it is answered.
        status, parsed = 200, deepcopy(answer)
        if isinstance(answer, tuple):
            status, parsed = 400, {"Error": {"Code": answer[0], "Message": answer[1]}}
        return AWSResponse("https://aws", status, {}, None), parsed  # type: ignore[return-value]


def leave_aws_alone(monkeypatch: pytest.MonkeyPatch, folder: Any) -> None:
    """No credentials, no settings, no machine to ask for them."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("botocore.session.create_loader", shared_loader)


def use_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that only moto takes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", REGION)
