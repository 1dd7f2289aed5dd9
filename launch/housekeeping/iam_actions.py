"""What each call needs of IAM, by AWS's Service Authorization Reference: the calls that are made here and no others."""

from __future__ import annotations

from collections.abc import Iterable

# As IAM begins an action of a service that botocore names otherwise.
PREFIXES = {"sagemaker-runtime": "sagemaker", "service-quotas": "servicequotas"}

ALONE: dict[str, tuple[str, ...]] = {
    "application-autoscaling": ("DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"),
    "iam": ("GetRole", "SimulatePrincipalPolicy"),
    "logs": ("DescribeLogStreams", "GetLogEvents"),
    "s3": ("CreateBucket", "GetObject", "PutBucketTagging", "PutObject"),
    "sagemaker": (
        "CreateModelPackage",
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
        "DescribeEndpoint",
        "DescribeEndpointConfig",
        "DescribeHyperParameterTuningJob",
        "DescribeModel",
        "DescribeModelPackage",
        "DescribeModelPackageGroup",
        "DescribeTrainingJob",
        "DescribeTransformJob",
        "ListEndpointConfigs",
        "ListEndpoints",
        "ListHyperParameterTuningJobs",
        "ListModelPackages",
        "ListModels",
        "ListTags",
        "ListTrainingJobs",
        "ListTrainingJobsForHyperParameterTuningJob",
        "ListTransformJobs",
        "StopHyperParameterTuningJob",
        "StopTrainingJob",
        "StopTransformJob",
        "UpdateEndpoint",
        "UpdateTrainingJob",
    ),
    "sagemaker-runtime": ("InvokeEndpoint", "InvokeEndpointAsync"),
    "service-quotas": ("ListServiceQuotas",),
}
# Calls that need other permissions than those of their own name, or more.
OTHERS: dict[str, tuple[str, ...]] = {
    "application-autoscaling:DeregisterScalableTarget": (
        "application-autoscaling:DeregisterScalableTarget",
        "cloudwatch:DeleteAlarms",
    ),
    "application-autoscaling:PutScalingPolicy": (
        "application-autoscaling:PutScalingPolicy",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
    ),
    "application-autoscaling:RegisterScalableTarget": (
        "application-autoscaling:RegisterScalableTarget",
        "iam:CreateServiceLinkedRole",
    ),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:PutBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    # Who asks may always know who they are.
    "sts:GetCallerIdentity": (),
    **{
        f"sagemaker:{operation}": (f"sagemaker:{operation}", "sagemaker:AddTags", "iam:PassRole")
        for operation in ("CreateHyperParameterTuningJob", "CreateModel", "CreateTrainingJob")
    },
    **{
        f"sagemaker:{operation}": (f"sagemaker:{operation}", "sagemaker:AddTags")
        for operation in ("CreateEndpoint", "CreateEndpointConfig", "CreateModelPackageGroup", "CreateTransformJob")
    },
}
ACTIONS: dict[str, tuple[str, ...]] = {
    f"{service}:{operation}": (f"{PREFIXES.get(service, service)}:{operation}",)
    for service, operations in ALONE.items()
    for operation in operations
} | OTHERS


def actions(calls: Iterable[str]) -> set[str]:
    """What calls need, each as botocore names service and operation.

    Raises:
        KeyError: a call that the table does not know.

    >>> sorted(actions(["s3:CopyObject", "sts:GetCallerIdentity"]))
    ['s3:GetObject', 's3:PutObject']
    """
    return {action for call in calls for action in ACTIONS[call]}
