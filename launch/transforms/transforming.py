"""A batch transform from its order to a table of answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dogbreed.errors import CloudError, DogbreedError
from dogbreed.predicting.table_file import TableFile, Written
from launch.accounts.account import Account, open_account, presumed_account
from launch.endpoints.creation import make
from launch.endpoints.deploy_order import Target
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.model_source import ModelSource, model_source, presumed_source
from launch.jobs.following import follow
from launch.jobs.job_kinds import KINDS, UNSUCCESSFUL
from launch.jobs.outcome import Outcome
from launch.jobs.sending import next_attempt, send
from launch.planning.channels import is_in_s3
from launch.planning.confirmation import confirm
from launch.planning.plan_text import presumed_facts, presumed_names
from launch.requests.job_settings import JobSettings
from launch.requests.request import as_json
from launch.requests.transform_settings import TransformSettings
from launch.shipping.s3_objects import split_uri
from launch.shipping.uploading import upload_bytes, upload_folder
from launch.transforms.left_answers import BATCH, LeftAnswers
from launch.transforms.local_photos import local_photos
from launch.transforms.photo_place import PhotoPlace
from launch.transforms.stored_photos import presumed_place, stored_photos
from launch.transforms.transform_container import container
from launch.transforms.transform_failure import left_text, transform_failure
from launch.transforms.transform_order import Order, Transform, planned
from launch.transforms.transform_text import plan_lines

KIND = KINDS["transform"]


def transform(
    order: Order,
    settings: TransformSettings,
    endpoint: EndpointSettings,
    job: JobSettings,
    *,
    show: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Written | None:
    """Ask a model about photos, and write what it says as a table; None where the job goes on without us.

    Args:
        order: what to ask about.
        settings: of the job.
        endpoint: whose container answers.
        job: of which region, profile, role, bucket and prefix count.
        show: is told what goes on.
        sleep: for so many seconds.

    Raises:
        DogbreedError: somebody said no, the model or the photos cannot be used, or the job failed.
    """
    # What cannot be written is met before anything costs.
    table, account = order.table, open_account(job)
    target = Target(account.region, account.role, f"s3://{account.bucket}/{job.prefix}")
    s3, uri = account.client("s3"), order.photos
    source = model_source(account.client("sagemaker"), s3, order.model, target.root, endpoint.server)
    most = settings.most_bytes
    place = stored_photos(s3, uri, most) if is_in_s3(uri) else _local(uri, most, target)
    plan = planned(settings, container(endpoint, settings, order.top_k), target, source, place)
    text = plan_lines(plan, settings, source, place, region=account.region)
    name, is_paid = next_attempt(account, KIND, plan.name)
    table.check(_command(name, order, source))
    confirm(text, "Go on with it?" if is_paid else "Send it?", yes=order.yes or is_paid, show=show)
    return _Transforming(order, account, plan, source, place, show, sleep).go_on(job.prefix, table, settings)


def dry_run(order: Order, settings: TransformSettings, endpoint: EndpointSettings, job: JobSettings) -> str:
    """What would be sent, asking nobody: the plan and its requests, or their JSON alone.

    Raises:
        DogbreedError: something that cannot be sent.
    """
    # Looked at for what cannot be written.
    _ = order.table
    found = presumed_account(job)
    target = Target(found.region, found.role, f"s3://{found.bucket}/{job.prefix}")
    source = presumed_source(order.model, target.root)
    uri = order.photos
    place = presumed_place(uri) if is_in_s3(uri) else _local(uri, settings.most_bytes, target)
    plan = planned(settings, container(endpoint, settings, order.top_k), target, source, place)
    requests = as_json([plan.model, plan.job])
    if order.dry_run == "json":
        return requests
    presumed = presumed_facts(found.placeholders) | presumed_names(order.model, order.photos)
    text = plan_lines(plan, settings, source, place, region=found.region, presumed=presumed)
    return f"{text}\n\nNothing has been sent. The requests:\n{requests}"


def _command(name: str, order: Order, source: ModelSource) -> dict[str, object]:
    """All that the rows of the table depend on."""
    classes = (source.card or {}).get("class_names")
    return {"job": name, "top_k": min(order.top_k, len(classes or range(order.top_k))), "batch_size": BATCH}


def _local(folder: str, most_bytes: int, target: Target) -> PhotoPlace:
    return local_photos(Path(folder).expanduser(), most_bytes, place=target.root)


@dataclass(frozen=True)
class _Transforming:
    """What was said yes to."""

    order: Order
    account: Account
    plan: Transform
    source: ModelSource
    place: PhotoPlace
    show: Callable[[str], None]
    sleep: Callable[[float], None]

    def go_on(self, prefix: str, table: TableFile, settings: TransformSettings) -> Written | None:
        self._upload(prefix)
        make(self.account, self.plan.model)
        name = send(self.account, self.plan.job, show=self.show)
        outcome = follow(self.account, name, kind=KIND.name, show=self.show, sleep=self.sleep)
        if outcome.status in UNSUCCESSFUL:
            raise self._failed(outcome, table, settings)
        if outcome.error:
            raise CloudError(outcome.error)
        return self._written(table, self._left(settings), name) if outcome.succeeded else None

    def _upload(self, prefix: str) -> None:
        s3 = self.account.client("s3")
        if self.source.archive:
            bucket, key = split_uri(self.source.uri)
            upload_bytes(s3, self.source.archive.content, bucket=bucket, key=key)
            self.show(f"{self.source.uri} is there.")
        if self.place.manifest:
            root, manifest = self.place.root, self.place.manifest
            upload_folder(s3, root, manifest, bucket=self.account.bucket, prefix=prefix, show=self.show)

    def _failed(self, outcome: Outcome, table: TableFile, settings: TransformSettings) -> CloudError:
        """What to say of it; what it has answered, and was paid for, is written."""
        try:
            left = left_text(table.path, self._written(table, self._left(settings), outcome.name))
        except DogbreedError as error:
            left = str(error)
        return transform_failure(outcome, self.account.region, left=left)

    def _left(self, settings: TransformSettings) -> LeftAnswers:
        output = str(self.plan.job.parameters["TransformOutput"]["S3OutputPath"])
        left = LeftAnswers(self.account.client("s3"), output, settings.accept, self.order.top_k)
        return left.found(self.place)

    def _written(self, table: TableFile, left: LeftAnswers, name: str) -> Written:
        command = _command(name, self.order, self.source)
        return table.write(self.place.names, partial(left.about, self.place), command, show=self.show)
