"""What IAM has to allow for what only some jobs use: a network or a key of yours, MLflow, a shell in the job."""

from __future__ import annotations

from launch.housekeeping.policy_parts import Scope, Statement, statement

KEY = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
SHELL = [
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
]
NETWORK = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]


def optional_user_statements(scope: Scope) -> list[Statement]:
    """Of whoever sends jobs: they read and write what the key encrypts."""
    return [statement("Key", KEY, [scope.kms])] if scope.kms else []


def optional_role_statements(scope: Scope) -> list[Statement]:
    """Of the role that jobs run as."""
    # A disk is encrypted by a grant.
    key = [*KEY, "kms:CreateGrant"]
    asked = (
        (scope.vpc, "Network", NETWORK, "*"),
        (scope.kms, "Key", key, scope.kms),
        (scope.mlflow, "Tracking", ["sagemaker-mlflow:*"], scope.mlflow),
        (scope.remote_debug, "Shell", SHELL, "*"),
    )
    return [statement(sid, actions, [resource]) for is_asked, sid, actions, resource in asked if is_asked]
