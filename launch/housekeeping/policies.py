"""The least that IAM has to allow: to whom sends jobs, and to the role that they run as."""

from __future__ import annotations

from typing import Any

from launch.accounts.execution_role import SERVICE
from launch.housekeeping.optional_statements import optional_role_statements, optional_user_statements
from launch.housekeeping.policy_parts import Scope, Statement, allowed_actions, policy, statement
from launch.requests.tags import PROJECT

__all__ = ["Scope", "allowed_actions", "role_policy", "trust_policy", "user_policy"]

OURS_BY_REQUEST = {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in PROJECT.items()}}
OURS_BY_TAG = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in PROJECT.items()}}


JOBS = ("training-job/dogbreed-*", "hyper-parameter-tuning-job/dogbreed-*", "transform-job/dogbreed-*")
# Whose names are yours to choose.
SERVED = ("endpoint/*", "endpoint-config/*", "model/*")
PACKAGES = ("model-package-group/*", "model-package/*")


def user_policy(scope: Scope) -> dict[str, Any]:
    """Of whoever sends and follows jobs, deploys, asks and cleans up."""
    objects, bucket = scope.s3(f"{scope.bucket}/{scope.prefix}/*"), scope.s3(scope.bucket)
    create = [f"sagemaker:Create{noun}" for noun in ("Endpoint", "EndpointConfig", "HyperParameterTuningJob", "Model")]
    create += [f"sagemaker:Create{noun}" for noun in ("ModelPackageGroup", "TrainingJob", "TransformJob")]
    create += ["sagemaker:AddTags"]
    alarms = ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"]
    passed, tracking = {"iam:PassedToService": SERVICE}, "sagemaker.application-autoscaling.amazonaws.com"
    linked = f"arn:{scope.partition}:iam::{scope.account_id}:role/aws-service-role/{tracking}/*"
    return policy(
        statement("Create", create, scope.arn("sagemaker", *JOBS, *SERVED, PACKAGES[0]), OURS_BY_REQUEST),
        # A version has no tags of its own.
        statement("AddVersions", ["sagemaker:CreateModelPackage"], scope.arn("sagemaker", *PACKAGES)),
        statement("Look", LOOK, scope.arn("sagemaker", *JOBS, *SERVED, *PACKAGES)),
        # Whose each thing is stands in its tags.
        statement("List", LIST, ["*"]),
        statement("Tags", ["sagemaker:ListTags"], scope.arn("sagemaker", "*")),
        statement("End", END, scope.arn("sagemaker", *JOBS, *SERVED), OURS_BY_TAG),
        statement("Ask", ASK, scope.arn("sagemaker", "endpoint/*"), OURS_BY_TAG),
        statement("Scale", SCALE, scope.arn("application-autoscaling", "scalable-target/*")),
        statement("ScaleByAlarms", alarms, scope.arn("cloudwatch", "alarm:TargetTracking-endpoint/*")),
        statement(
            "ScaleAsService",
            ["iam:CreateServiceLinkedRole"],
            [linked],
            {"StringEquals": {"iam:AWSServiceName": tracking}},
        ),
        statement("PassRole", ["iam:PassRole"], [scope.role], {"StringEquals": passed}),
        statement("SeeRole", ["iam:GetRole", "iam:SimulatePrincipalPolicy"], [scope.role]),
        statement(
            "Log", ["logs:DescribeLogStreams", "logs:GetLogEvents"], _log_groups(scope, "TrainingJobs", "Endpoints/*")
        ),
        statement("Quotas", ["servicequotas:ListServiceQuotas"], ["*"]),
        statement("Bucket", BUCKET, bucket),
        statement("ListObjects", ["s3:ListBucket"], bucket, _below(scope.prefix)),
        statement("Objects", ["s3:DeleteObject", *OBJECTS], objects),
        # Whoever has photos asked about lists them first, and reads a manifest.
        *_all_photos(scope),
        *optional_user_statements(scope),
    )


def role_policy(scope: Scope) -> dict[str, Any]:
    """Of the role that jobs and endpoints run as."""
    images = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    write_log = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return policy(
        statement("Objects", OBJECTS, scope.s3(f"{scope.bucket}/{scope.prefix}/*")),
        statement("ListObjects", ["s3:ListBucket"], scope.s3(scope.bucket), _below(scope.prefix)),
        *_all_photos(scope),
        statement("Log", write_log, scope.arn("logs", "log-group:/aws/sagemaker/*")),
        statement(
            "Metrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "AWS/SageMaker"]}},
        ),
        statement("ImageLogin", ["ecr:GetAuthorizationToken"], ["*"]),
        # AWS's registries are other accounts'.
        statement("Images", images, [f"arn:{scope.partition}:ecr:{scope.region}:*:repository/*"]),
        *optional_role_statements(scope),
    )


def trust_policy(scope: Scope) -> dict[str, Any]:
    """Who may take on the role: SageMaker, for this account."""
    return policy(
        {
            "Sid": "SageMaker",
            "Effect": "Allow",
            "Principal": {"Service": SERVICE},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": scope.account_id}},
        }
    )


def _below(prefix: str) -> dict[str, Any]:
    # Whether a bucket is there is asked without a prefix.
    return {"StringLikeIfExists": {"s3:prefix": [prefix, f"{prefix}/*"]}}


def _all_photos(scope: Scope) -> list[Statement]:
    return [one for number, uri in enumerate(scope.data, 1) for one in _photos(scope, number, uri)]


def _photos(scope: Scope, number: int, uri: str) -> list[Statement]:
    bucket, _, prefix = uri.removeprefix("s3://").strip("/").partition("/")
    below = f"{prefix}/*" if prefix else "*"
    listed = {"StringLike": {"s3:prefix": [prefix, below]}} if prefix else None
    return [
        statement(f"Photos{number}", ["s3:GetObject"], scope.s3(f"{bucket}/{below}")),
        statement(f"ListPhotos{number}", ["s3:ListBucket"], scope.s3(bucket), listed),
    ]


def _log_groups(scope: Scope, *names: str) -> list[str]:
    groups = [f"log-group:/aws/sagemaker/{name}" for name in names]
    return scope.arn("logs", *(one for group in groups for one in (group, f"{group}:log-stream:*")))


LOOK = [
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeHyperParameterTuningJob",
    "sagemaker:DescribeModel",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:DescribeTransformJob",
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
]
LIST = [
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModels",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
]
END = [
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "sagemaker:StopHyperParameterTuningJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:StopTransformJob",
    "sagemaker:UpdateEndpoint",
    "sagemaker:UpdateTrainingJob",
]
ASK = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"]
SCALE = [
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
]
BUCKET = [
    "s3:CreateBucket",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutEncryptionConfiguration",
]
OBJECTS = ["s3:GetObject", "s3:PutObject"]
