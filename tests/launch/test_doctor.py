from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from dogbreed.command_line import run_command
from launch import doctor
from launch.accounts import account as account_module
from launch.housekeeping import diagnosis
from tests.launch.scripted_aws import ACCOUNT_ID, BUCKET, REGION, ROLE, ScriptedAws, leave_aws_alone

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}]})
KNOWN = f"job.region={REGION} job.bucket=dogs job.prefix=dogbreed job.role={ROLE}"
TRAINING, ENDPOINT = "ml.g4dn.xlarge for training job usage", "ml.m5.large for endpoint usage"
TRANSFORM = "ml.m5.xlarge for transform job usage"


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leave_aws_alone(monkeypatch, tmp_path)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> ScriptedAws:
    """An account with all that is needed."""
    aws = ScriptedAws()
    aws.answers |= {
        "GetCallerIdentity": [{"Account": ACCOUNT_ID, "Arn": f"arn:aws:iam::{ACCOUNT_ID}:user/anna"}],
        "GetRole": [{"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": TRUST}}],
        "SimulatePrincipalPolicy": lambda asked: {"EvaluationResults": judged(asked, "allowed")},
        "HeadBucket": [{}],
        "ListServiceQuotas": [
            {"Quotas": [{"QuotaName": TRAINING, "Value": 2.0}], "NextToken": "more"},
            {"Quotas": [{"QuotaName": ENDPOINT, "Value": 4.0}, {"QuotaName": TRANSFORM, "Value": 1.0}]},
        ],
    }
    monkeypatch.setattr(account_module, "open_session", lambda _: (aws.session, REGION))
    monkeypatch.setenv("AWS_REGION", REGION)
    return aws


def judged(asked: dict[str, Any], decision: str) -> list[dict[str, str]]:
    return [{"EvalActionName": action, "EvalDecision": decision} for action in asked["ActionNames"]]


class Command:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: str) -> tuple[int, list[str]]:
        self.monkeypatch.setattr(sys, "argv", ["doctor", *arguments])
        with pytest.raises(SystemExit) as ended:
            run_command(doctor.main)
        captured = self.capsys.readouterr()
        assert captured.err == ""
        return int(ended.value.code or 0), captured.out.splitlines()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


def ills(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("✓")]


def test_an_account_that_has_all_is_told_so_and_nothing_is_made(aws: ScriptedAws, command: Command) -> None:
    status, lines = command("job.role=dogbreed")
    assert (status, ills(lines)) == (0, [])
    assert [line.split()[1] for line in lines[3:]] == [
        "region",
        "image",
        "credentials",
        "role",
        "role",
        "bucket",
        "quota",
        "quota",
        "quota",
    ]
    assert f"✓ bucket       {BUCKET}" in lines
    assert f"✓ quota        {TRAINING}: 2" in lines
    made = ("Create", "Put", "Delete", "Update")
    assert not [name for name, _ in aws.calls if name.startswith(made)]


def test_without_anything_each_line_says_what_mends_it(command: Command) -> None:
    status, lines = command()
    assert status == 1
    assert ills(lines) == [
        "✗ region       none is set: give job.region=…, set AWS_REGION, or `aws configure`",
        "· image        needs a region first",
        "✗ credentials  No AWS region is set: give job.region=…, set AWS_REGION, or `aws configure`.",
        "· role         needs credentials first",
        "· bucket       needs credentials first",
        "· quotas       needs credentials first",
    ]


def test_without_credentials_nobody_is_waited_for(command: Command) -> None:
    status, lines = command(f"job.region={REGION}")
    assert status == 1
    assert any(line.startswith("✗ credentials  Found no AWS credentials: `aws sso login`") for line in lines)
    assert any(line.startswith("✓ image") and f".dkr.ecr.{REGION}.amazonaws.com/pytorch" in line for line in lines)


def missing(aws: ScriptedAws) -> dict[str, tuple[str, Any]]:
    denied = ("AccessDeniedException", "User: a is not authorized to perform: servicequotas:ListServiceQuotas")
    return {
        "no role": ("GetRole", [("NoSuchEntity", "The role with name dogbreed cannot be found.")]),
        "no trust": ("GetRole", [{"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": '{"Statement": []}'}}]),
        "no rights": (
            "SimulatePrincipalPolicy",
            lambda asked: {"EvaluationResults": judged(asked, "implicitDeny")},
        ),
        "no bucket": ("HeadBucket", [("404", "Not Found")]),
        "another's bucket": ("HeadBucket", [("403", "Forbidden")]),
        "no quota": (
            "ListServiceQuotas",
            [
                {
                    "Quotas": [
                        {"QuotaName": n, "Value": v} for n, v in ((TRAINING, 0.0), (ENDPOINT, 1.0), (TRANSFORM, 1.0))
                    ]
                }
            ],
        ),
        "unknown quota": ("ListServiceQuotas", [{"Quotas": []}]),
        "quotas unseen": ("ListServiceQuotas", [denied]),
    }


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        (
            "no role",
            [
                "✗ role         There is no role 'dogbreed' in this account: make one .*"
                f"what=role account={ACCOUNT_ID} job.region={REGION} job.bucket=dogs job.prefix=dogbreed "
                "job.role=dogbreed`"
            ],
        ),
        (
            "no trust",
            [
                f"✗ role         arn.* does not let SageMaker .*what=trust account={ACCOUNT_ID} {KNOWN} > trust.json "
                "&& aws iam update-assume"
            ],
        ),
        (
            "no rights",
            [
                f"✗ role may     not .*s3:PutObject.*what=role account={ACCOUNT_ID} {KNOWN} > role.json "
                "&& aws iam put-role-policy"
            ],
        ),
        ("no bucket", ["✗ bucket       there is no bucket dogs: aws s3 mb s3://dogs --region eu-west-1"]),
        ("another's bucket", ["✗ bucket       The bucket dogs is not the account's 123456789012"]),
        ("no quota", [f"✗ quota        {TRAINING}: 0; at least 1 is needed. aws .*increase --region {REGION} "]),
        ("unknown quota", [f"✗ quota        {name}: not among those" for name in (TRAINING, ENDPOINT, TRANSFORM)]),
        ("quotas unseen", ["✗ quotas       These credentials may not do servicequotas:ListServiceQuotas"]),
    ],
)
def test_what_is_missing_is_named_alone_with_the_command_that_mends_it(
    aws: ScriptedAws, command: Command, what: str, lines: list[str]
) -> None:
    operation, answers = missing(aws)[what]
    aws.answers[operation] = answers
    status, printed = command("job.role=dogbreed", "job.bucket=dogs")
    found = ills(printed)
    assert (status, len(found)) == (1, len(lines))
    assert all(re.match(line, one) for line, one in zip(lines, found, strict=True)), found


def test_the_usual_bucket_need_not_be_there(aws: ScriptedAws, command: Command) -> None:
    aws.answers["HeadBucket"] = [("404", "Not Found")]
    status, lines = command("job.role=dogbreed")
    assert status == 0
    assert f"✓ bucket       {BUCKET} is made with the first job" in lines


def test_a_region_without_images_and_an_unknown_profile_are_named(command: Command) -> None:
    status, lines = command("job.region=eu-nowhere-1")
    assert status == 1
    assert any(line.startswith("✗ image") for line in lines)
    status, lines = command("job.profile=dogs")
    assert any(line.startswith("✗ region       There is no AWS profile 'dogs'") for line in lines)


def test_a_package_that_is_not_installed_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "PACKAGES", ("boto3", "no-such-package"))
    _, lines = command()
    assert lines[1] == '✗ package      no-such-package is not installed: pip install -e ".[launch]"'


@pytest.mark.parametrize(("account_id", "status"), [(ACCOUNT_ID, 0), ("999999999999", 1)])
def test_a_role_that_sagemaker_may_take_for_another_account_alone_is_not_trusted(
    aws: ScriptedAws, command: Command, account_id: str, status: int
) -> None:
    trust = json.loads(TRUST)
    trust["Statement"][0]["Condition"] = {"StringEquals": {"aws:sourceAccount": [account_id]}}
    aws.answers["GetRole"] = [{"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": json.dumps(trust)}}]
    assert command("job.role=dogbreed")[0] == status


def test_the_resources_that_iam_is_asked_about_are_whole_arns(aws: ScriptedAws, command: Command) -> None:
    command("job.role=dogbreed")
    asked = {one for call in aws.named("SimulatePrincipalPolicy") for one in call["ResourceArns"]}
    assert f"arn:aws:ecr:{REGION}:111122223333:repository/x" in asked
    assert not [one for one in asked if "*" in one or not re.fullmatch(r"\d{12}|", one.split(":")[4])]
