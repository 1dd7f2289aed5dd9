from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from dogbreed.errors import CloudError
from launch.accounts.account import Account, open_account, presumed_account
from launch.accounts.cloud_errors import PassingCloudError, cloud_errors
from launch.accounts.execution_role import execution_role
from launch.accounts.session import client_options
from tests.launch.scripted_aws import ACCOUNT_ID, REGION, ROLE, ScriptedAws, leave_aws_alone, use_moto

TRUST = json.dumps(
    {
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["sagemaker.amazonaws.com"]}}
        ]
    }
)


@dataclass
class Settings:
    profile: str | None = None
    region: str | None = None
    role: str | None = None
    bucket: str | None = None


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leave_aws_alone(monkeypatch, tmp_path)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_moto(monkeypatch)
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT_ID)
    with mock_aws():
        yield


def make_role(name: str = "dogbreed", trust: str = TRUST, path: str = "/service-role/") -> str:
    made: str = boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust, Path=path)["Role"]["Arn"]
    return made


def test_the_usual_bucket_is_made_private_encrypted_and_tagged(moto: None) -> None:
    role = make_role()
    account = open_account(Settings(role="dogbreed"))
    assert (account.region, account.account_id, account.role) == (REGION, ACCOUNT_ID, role)
    assert account.bucket == f"sagemaker-{REGION}-{ACCOUNT_ID}"
    s3, named = account.client("s3"), {"Bucket": account.bucket}
    assert all(s3.get_public_access_block(**named)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_encryption(**named)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_tagging(**named)["TagSet"] == [{"Key": "project", "Value": "dogbreed"}]
    assert s3.get_bucket_location(**named)["LocationConstraint"] == REGION


def _values(account: Account) -> tuple[str, str, str, str]:
    return account.region, account.account_id, account.role, account.bucket


def test_a_second_call_finds_the_bucket_and_leaves_it_alone(moto: None) -> None:
    first = open_account(Settings(role=ROLE))
    first.client("s3").put_bucket_tagging(Bucket=first.bucket, Tagging={"TagSet": [{"Key": "mine", "Value": "1"}]})
    assert _values(open_account(Settings(role=ROLE))) == _values(first)
    assert first.client("s3").get_bucket_tagging(Bucket=first.bucket)["TagSet"] == [{"Key": "mine", "Value": "1"}]


def test_the_first_region_names_no_place_for_its_buckets(moto: None) -> None:
    account = open_account(Settings(role=ROLE, region="us-east-1"))
    assert account.bucket == f"sagemaker-us-east-1-{ACCOUNT_ID}"


def test_a_bucket_that_was_named_has_to_be_there(moto: None) -> None:
    with pytest.raises(CloudError, match="aws s3 mb s3://dogs --region eu-west-1"):
        open_account(Settings(role=ROLE, bucket="dogs"))
    boto3.client("s3").create_bucket(Bucket="dogs", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert open_account(Settings(role=ROLE, bucket="dogs")).bucket == "dogs"


@pytest.mark.parametrize("variable", ["SAGEMAKER_ROLE", "SAGEMAKER_ROLE_ARN"])
def test_the_role_may_stand_in_the_environment_and_the_setting_wins(
    moto: None, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, ROLE)
    assert open_account(Settings()).role == ROLE
    assert open_account(Settings(role=f"{ROLE}-2")).role == f"{ROLE}-2"


def test_without_a_role_the_line_says_how_to_make_one(moto: None) -> None:
    with pytest.raises(CloudError, match=r"needs a role .*`python -m launch\.permissions what=trust account=\d{12} "):
        open_account(Settings())
    with pytest.raises(CloudError, match="no role 'dogs'"):
        open_account(Settings(role="dogs"))


def test_a_notebook_runs_jobs_as_its_own_role_but_nobody_as_a_role_that_sagemaker_may_not_take(moto: None) -> None:
    role, iam = make_role(), boto3.client("iam")
    assumed = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/dogbreed/SageMaker"
    assert execution_role(Settings(), assumed, iam) == role
    make_role("people", TRUST.replace("sagemaker", "ec2"))
    with pytest.raises(CloudError, match="needs a role"):
        execution_role(Settings(), assumed.replace("dogbreed", "people"), iam)


def test_who_may_not_look_at_the_role_they_are_signed_in_as_has_none_set() -> None:
    aws = ScriptedAws()
    aws.answers["GetRole"] = [("AccessDenied", "User: x is not authorized to perform: iam:GetRole on resource: y")]
    iam, assumed = aws.account.client("iam"), f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/people/anna"
    with pytest.raises(CloudError, match=f"none is set: make one .*what=trust account={ACCOUNT_ID}"):
        execution_role(Settings(), assumed, iam)
    with pytest.raises(CloudError, match="may not do iam:GetRole"):
        execution_role(Settings(role="dogs"), assumed, iam)


def faults() -> list[tuple[str, dict[str, str], Settings]]:
    key = {"AWS_ACCESS_KEY_ID": "test"}
    return [
        ("Found no AWS credentials: `aws sso login`", {"AWS_REGION": REGION}, Settings()),
        ("incomplete .*AWS_SECRET_ACCESS_KEY", {"AWS_REGION": REGION, **key}, Settings()),
        ("No AWS region is set", {**key, "AWS_SECRET_ACCESS_KEY": "test"}, Settings()),
        ("no AWS profile 'dogs'", {"AWS_REGION": REGION}, Settings(profile="dogs")),
        ("no AWS profile 'cats'", {"AWS_PROFILE": "cats"}, Settings()),
    ]


@pytest.mark.parametrize(("line", "environment", "settings"), faults())
def test_what_is_missing_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, line: str, environment: dict[str, str], settings: Settings
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CloudError, match=line) as error:
        open_account(settings)
    assert "\n" not in str(error.value)


def test_an_sso_login_that_has_run_out_and_a_file_that_is_none_are_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-west-1\nsso_start_url = https://dogs.awsapps.com/start\nsso_region = eu-west-1\n"
        "sso_account_id = 123456789012\nsso_role_name = dogs\n"
    )
    with pytest.raises(CloudError, match="have expired: `aws sso login`"):
        open_account(Settings())
    (tmp_path / "config").write_text("[default\nregion")
    with pytest.raises(CloudError, match="configuration file cannot be read"):
        open_account(Settings())


def test_an_address_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    use_moto(monkeypatch)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setattr("launch.accounts.account.client_options", lambda: client_options(attempts=1))
        with pytest.raises(PassingCloudError, match=r"Cannot reach http://127\.0\.0\.1"):
            open_account(Settings(role=ROLE))


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        ("ExpiredToken", "The security token included in the request is expired", "credentials have expired"),
        ("ExpiredTokenException", "expired", "credentials have expired"),
        ("InvalidClientTokenId", "The security token is invalid", "does not know these credentials"),
        (
            "AccessDeniedException",
            "User: arn:aws:iam::1:user/a is not authorized to perform: sagemaker:ListTags on resource: x",
            r"may not do sagemaker:ListTags: add what `python -m launch\.permissions` prints",
        ),
        ("ThrottlingException", "Rate exceeded", "asked too often"),
        ("ValidationException", "1 validation\nerror detected", "cannot use the request ListTags: 1 validation error"),
        ("SomethingNew", "of tomorrow", "AWS refused ListTags: SomethingNew: of tomorrow"),
        (
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.g4dn.xlarge for training job usage' is 0 Instances, with current "
            "utilization of 0 Instances and a request delta of 1 Instances.",
            "quota 'ml.g4dn.xlarge for training job usage' is 0, .* aws service-quotas request-service-quota-increase",
        ),
        (
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.g5.xlarge for training job usage' is 4 Instances, with current "
            "utilization of 3 Instances and a request delta of 2 Instances.",
            "usage' is 4, .* --desired-value 5 ",
        ),
        (
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.g5.xlarge for training job usage' is 0.",
            "usage' is 0, .* --desired-value 1 ",
        ),
    ],
)
def test_a_refusal_is_told_in_one_line_with_what_mends_it(code: str, message: str, line: str) -> None:
    aws = ScriptedAws()
    aws.answers["ListTags"] = [(code, message)]
    with pytest.raises(CloudError, match=line) as error, cloud_errors():
        aws.account.client("sagemaker").list_tags(ResourceArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:endpoint/a")
    assert "\n" not in str(error.value)
    assert isinstance(error.value.__cause__, ClientError)
    assert isinstance(error.value, PassingCloudError) == (code == "ThrottlingException")


def no_network(*_: Any, **__: Any) -> None:
    raise AssertionError("nobody is asked in a dry run")


def test_a_dry_run_asks_nobody_and_names_its_placeholders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    presumed = presumed_account(Settings())
    region, account_id, role, bucket = presumed
    assert (region, account_id, bucket) == ("us-east-1", "000000000000", "sagemaker-us-east-1-000000000000")
    assert role == "arn:aws:iam::000000000000:role/dogbreed-execution-role"
    assert set(presumed.placeholders) == {"region", "account_id", "role", "bucket"}


def test_a_dry_run_uses_what_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n[profile cn]\nregion = cn-north-1\n")
    assert presumed_account(Settings()).region == "eu-north-1"
    assert presumed_account(Settings(profile="cn", role="dogs")).role == "arn:aws-cn:iam::000000000000:role/dogs"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert presumed_account(Settings()).region == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert presumed_account(Settings()).region == "eu-west-3"
    known = presumed_account(Settings(region=REGION, role=ROLE))
    assert tuple(known) == (REGION, ACCOUNT_ID, ROLE, f"sagemaker-{REGION}-{ACCOUNT_ID}")
    assert known.placeholders == ()
