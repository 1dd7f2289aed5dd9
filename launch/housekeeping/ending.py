"""Ends what is ours: the tag is read again right before, and what is gone already is no fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import cloud_errors, has_ended, is_missing
from launch.endpoints.autoscaling import DIMENSION, SERVICE
from launch.housekeeping.living import CONFIG, ENDPOINT, MODEL, POOL, TRAINING, TRANSFORM, TUNING, Living, is_ours


def end(account: Account, one: Living) -> str:
    """Delete or stop it; what was done, in words.

    Raises:
        CloudError: it does not carry the project's tag (any more), or the service refused.
    """
    client = account.client("sagemaker")
    ours = is_ours(client, one.arn)
    if ours is None:
        return f"{one.kind} {one.name}: gone already"
    if not ours:
        raise CloudError(
            f"The {one.kind} {one.name} does not carry the tag project=dogbreed, so it is left alone; delete it by "
            "hand if it is yours."
        )
    word, ending = ENDINGS[one.kind]
    return (
        f"{one.kind} {one.name}: {word if _gone_after(lambda: ending(account, client, one.name)) else 'gone already'}"
    )


def _gone_after(ending: Callable[[], Any]) -> bool:
    """Whether there was something to end."""
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            ending()
        except ClientError as error:
            if is_missing(error) or has_ended(error):
                return False
            raise
    return True


def _delete_endpoint(account: Account, client: Any, name: str) -> None:
    variants = client.describe_endpoint(EndpointName=name).get("ProductionVariants") or ()
    scaling = account.client(SERVICE)
    for variant in variants:
        target = f"endpoint/{name}/variant/{variant['VariantName']}"
        asked = {"ServiceNamespace": "sagemaker", "ResourceId": target, "ScalableDimension": DIMENSION}
        _gone_after(lambda asked=asked: scaling.deregister_scalable_target(**asked))  # type: ignore[misc]
    client.delete_endpoint(EndpointName=name)


ENDINGS: dict[str, tuple[str, Callable[[Account, Any, str], Any]]] = {
    TUNING: ("is stopping", lambda _, c, name: c.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)),
    TRAINING: ("is stopping", lambda _, c, name: c.stop_training_job(TrainingJobName=name)),
    TRANSFORM: ("is stopping", lambda _, c, name: c.stop_transform_job(TransformJobName=name)),
    POOL: (
        "is given back",
        lambda _, c, name: c.update_training_job(TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": 0}),
    ),
    ENDPOINT: ("is deleted", _delete_endpoint),
    CONFIG: ("is deleted", lambda _, c, name: c.delete_endpoint_config(EndpointConfigName=name)),
    MODEL: ("is deleted", lambda _, c, name: c.delete_model(ModelName=name)),
}
