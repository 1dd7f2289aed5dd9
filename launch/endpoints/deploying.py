"""A deployment from its order to an endpoint that has answered; what does not answer is taken away again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dogbreed.errors import CloudError, DogbreedError
from launch.accounts.account import Account, open_account
from launch.endpoints.creation import send
from launch.endpoints.deploy_order import Order, Target, metrics_uri, planned
from launch.endpoints.deploy_text import QUESTIONS, plan_lines, ready_lines
from launch.endpoints.deployment import Deployment
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.endpoint_start import delete, next_step, start
from launch.endpoints.endpoint_wait import wait_until_ready
from launch.endpoints.hosting import endpoint_update
from launch.endpoints.invocation import open_clients
from launch.endpoints.left_running import TakenBackError, telling_what_goes_on
from launch.endpoints.model_source import ModelSource, model_source
from launch.endpoints.photo_payload import Payload
from launch.endpoints.registering import register
from launch.endpoints.registry import quality
from launch.endpoints.served_endpoint import LARGEST, described, served
from launch.endpoints.smoke_test import smoke_payload, smoke_test
from launch.planning.confirmation import confirm
from launch.requests.job_settings import JobSettings
from launch.shipping.s3_objects import split_uri
from launch.shipping.uploading import upload_bytes


def deploy(
    order: Order,
    settings: EndpointSettings,
    job: JobSettings,
    *,
    show: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make an endpoint, or give one another model, and ask it about a photo.

    Args:
        order: what to deploy.
        settings: of the endpoint.
        job: of which region, profile, role, bucket and prefix count.
        show: is told what goes on.
        sleep: for so many seconds.

    Raises:
        DogbreedError: somebody said no, or the model cannot be deployed, or it does not answer: it is deleted again.
    """
    # A photo that cannot be read is met before anything costs.
    photo = Path(order.photo).expanduser() if order.photo else None
    payload = smoke_payload(photo, LARGEST[settings.kind])
    account = open_account(job)
    target = Target(account.region, account.role, f"s3://{account.bucket}/{job.prefix}")
    source = model_source(account.client("sagemaker"), account.client("s3"), order.model, target.root, settings.server)
    plan = planned(order, settings, source, target)
    step = next_step(account, plan)
    text = plan_lines(plan, source, region=account.region, step=step)
    confirm(text, yes=order.yes or step == "adopt", question=QUESTIONS[step], show=show)
    _Deploying(order, account, plan, source, show, sleep).go_on(step, payload, metrics_uri(source, target.root))


@dataclass(frozen=True)
class _Deploying:
    """What was said yes to."""

    order: Order
    account: Account
    plan: Deployment
    source: ModelSource
    show: Callable[[str], None]
    sleep: Callable[[float], None]

    def go_on(self, step: str, payload: Payload, metrics: str) -> None:
        if self.source.archive:
            self._upload(self.source.archive.content, self.source.uri)
        if self.plan.registry:
            self._upload(json.dumps(quality(self.source.card or {})).encode(), metrics)
            self.show(register(self.account, self.plan.registry))
        former = self._config()
        with telling_what_goes_on(self.account, self.plan):
            start(self.account, self.plan, step, show=self.show, sleep=self.sleep)
            self._tested(payload, former if step == "update" else None, made=step in ("create", "replace", "wait"))
            for request in self.plan.scaling:
                send(self.account, request)
        self.show(ready_lines(self.plan, self.account.region))

    def _upload(self, content: bytes, uri: str) -> None:
        bucket, key = split_uri(uri)
        upload_bytes(self.account.client("s3"), content, bucket=bucket, key=key)
        self.show(f"{uri} is there.")

    def _config(self) -> str | None:
        found = described(self.account.client("sagemaker"), self.plan.name)
        return str(found["EndpointConfigName"]) if found else None

    def _tested(self, payload: Payload, former: str | None, *, made: bool) -> None:
        card = self.source.card
        try:
            endpoint = served(self.account.client("sagemaker"), self.plan.name)
            clients = open_clients(self.account.session)
            names = tuple(card["class_names"]) if card else None
            best = smoke_test(clients, endpoint, payload, names, sleep=self.sleep)
        except DogbreedError as error:
            self.show(f"{self.plan.name} does not do what it should: {error}")
            raise self._taken_back(error, former, made) from error
        about = self.order.photo or "a drawn dog"
        self.show(f"Asked about {about}, it says {best['label']}, {best['probability']:.1%}.")

    def _taken_back(self, error: DogbreedError, former: str | None, made: bool) -> CloudError:
        name = self.plan.name
        if self.order.keep or not (made or former):
            return CloudError(f"{error} It is kept.")
        if former is None:
            delete(self.account, name, show=self.show, sleep=self.sleep)
            return TakenBackError(f"{error} The endpoint {name} is deleted again; keep=true leaves it.")
        send(self.account, endpoint_update(name, self.plan.settings, config=former))
        wait_until_ready(self.account, name, self.plan.settings, former, show=self.show, sleep=self.sleep)
        return TakenBackError(
            f"{error} The endpoint {name} serves its former model again; keep=true leaves the new one."
        )
