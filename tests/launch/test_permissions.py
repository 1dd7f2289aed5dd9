from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

import launch
from dogbreed.command_line import run_command
from launch import permissions
from launch.housekeeping.iam_actions import ACTIONS, actions
from launch.housekeeping.policies import Scope, allowed_actions, role_policy, trust_policy, user_policy
from tests.launch.policy_evaluation import allows
from tests.launch.scripted_aws import ACCOUNT_ID, BUCKET, REGION, ROLE, leave_aws_alone

SCOPE = Scope(REGION, ACCOUNT_ID, ROLE, BUCKET, "dogbreed")
USER, RUNS = user_policy(SCOPE), role_policy(SCOPE)
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:"
OURS = {"aws__ResourceTag_project": "dogbreed"}
NEW = {"aws__RequestTag_project": "dogbreed"}
OWN = {"iam_actions.py", "policies.py"}


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leave_aws_alone(monkeypatch, tmp_path)


def test_the_users_policy_allows_what_the_calls_need_and_nothing_else() -> None:
    assert allowed_actions(USER) == actions(ACTIONS)


def words() -> set[str]:
    """Every name and text in launch/."""
    found: set[str] = set()
    for path in Path(launch.__file__).parent.rglob("*.py"):
        if path.name not in OWN:
            for node in ast.walk(ast.parse(path.read_text())):
                found |= {node.attr} if isinstance(node, ast.Attribute) else set()
                found |= {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()
    return found


def test_every_call_of_the_table_is_one_that_launch_makes() -> None:
    said = words()
    assert not {call for call in ACTIONS if not {xform_name(call.partition(":")[2]), call.partition(":")[2]} & said}


@pytest.mark.parametrize("service", sorted({call.partition(":")[0] for call in ACTIONS}))
def test_the_table_names_services_and_operations_as_botocore_does(service: str) -> None:
    model = ServiceModel(Loader().load_service_model(service, "service-2"))
    assert {call.partition(":")[2] for call in ACTIONS if call.startswith(f"{service}:")} <= set(model.operation_names)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("sagemaker:CreateTrainingJob", f"{SAGEMAKER}training-job/dogbreed-1", NEW),
        ("sagemaker:AddTags", f"{SAGEMAKER}training-job/dogbreed-1", NEW),
        ("sagemaker:CreateHyperParameterTuningJob", f"{SAGEMAKER}hyper-parameter-tuning-job/dogbreed-1", NEW),
        ("sagemaker:DescribeTrainingJob", f"{SAGEMAKER}training-job/dogbreed-1-001-abc", {}),
        ("sagemaker:StopTrainingJob", f"{SAGEMAKER}training-job/dogbreed-1", OURS),
        ("sagemaker:CreateTransformJob", f"{SAGEMAKER}transform-job/dogbreed-1", NEW),
        ("sagemaker:StopTransformJob", f"{SAGEMAKER}transform-job/dogbreed-1", OURS),
        ("sagemaker:CreateEndpoint", f"{SAGEMAKER}endpoint/dogs", NEW),
        ("sagemaker:DeleteEndpoint", f"{SAGEMAKER}endpoint/dogs", OURS),
        ("sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/dogs", OURS),
        ("sagemaker:ListTags", f"{SAGEMAKER}endpoint/cats", {}),
        ("sagemaker:ListEndpoints", "*", {}),
        ("iam:PassRole", ROLE, {"iam__PassedToService": "sagemaker.amazonaws.com"}),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/dogbreed/source/1/source.tar.gz", {}),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {}),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3__prefix": "dogbreed/photos/"}),
        (
            "logs:GetLogEvents",
            f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/aws/sagemaker/TrainingJobs:log-stream:dogbreed-1/algo-1-1",
            {},
        ),
    ],
)
def test_the_user_may_do_what_the_commands_do(action: str, resource: str, context: dict[str, str]) -> None:
    assert allows(USER, action, resource, **context)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("sagemaker:CreateTrainingJob", f"{SAGEMAKER}training-job/dogbreed-1", {}),
        ("sagemaker:CreateTrainingJob", f"{SAGEMAKER}training-job/cats", NEW),
        ("sagemaker:StopTrainingJob", f"{SAGEMAKER}training-job/dogbreed-1", {}),
        ("sagemaker:DeleteEndpoint", f"{SAGEMAKER}endpoint/dogs", {"aws__ResourceTag_project": "cats"}),
        ("sagemaker:DeleteModel", f"{SAGEMAKER}model/dogs", {}),
        ("sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/dogs", {}),
        ("sagemaker:DescribeTrainingJob", f"{SAGEMAKER}training-job/cats", {}),
        ("iam:PassRole", ROLE, {}),
        ("iam:PassRole", ROLE, {"iam__PassedToService": "ec2.amazonaws.com"}),
        ("iam:PassRole", f"{ROLE}-admin", {"iam__PassedToService": "sagemaker.amazonaws.com"}),
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/cats/1.jpg", {}),
        ("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/dogbreed-other/1.jpg", {}),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3__prefix": "cats/"}),
        ("s3:PutObject", "arn:aws:s3:::another/dogbreed/1.jpg", {}),
        (
            "logs:GetLogEvents",
            f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/aws/lambda/cats:log-stream:1",
            {},
        ),
    ],
)
def test_the_user_may_do_nothing_else(action: str, resource: str, context: dict[str, str]) -> None:
    assert not allows(USER, action, resource, **context)


def test_the_role_reads_and_writes_below_the_prefix_alone() -> None:
    below, beside = f"arn:aws:s3:::{BUCKET}/dogbreed/output/1", f"arn:aws:s3:::{BUCKET}/cats/1"
    assert allows(RUNS, "s3:PutObject", below) and allows(RUNS, "s3:GetObject", below)
    assert not allows(RUNS, "s3:GetObject", beside) and not allows(RUNS, "s3:DeleteObject", below)
    assert allows(
        RUNS, "logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/aws/sagemaker/TrainingJobs"
    )
    assert not any(action.startswith(("sagemaker:", "iam:", "ec2:")) for action in allowed_actions(RUNS))


def test_photos_elsewhere_in_s3_are_read_and_not_written() -> None:
    reads = role_policy(Scope(REGION, ACCOUNT_ID, ROLE, BUCKET, "dogbreed", ["s3://photos/dogs/"], vpc=True))
    assert allows(reads, "s3:GetObject", "arn:aws:s3:::photos/dogs/train/1.jpg")
    assert allows(reads, "s3:ListBucket", "arn:aws:s3:::photos", s3__prefix="dogs/train/")
    assert not allows(reads, "s3:GetObject", "arn:aws:s3:::photos/cats/1.jpg")
    assert not allows(reads, "s3:PutObject", "arn:aws:s3:::photos/dogs/train/1.jpg")
    assert "ec2:CreateNetworkInterface" in allowed_actions(reads)


def test_photos_elsewhere_in_s3_are_listed_by_whoever_has_them_asked_about() -> None:
    asks = user_policy(Scope(REGION, ACCOUNT_ID, ROLE, BUCKET, "dogbreed", ["s3://photos/dogs/"]))
    assert allows(asks, "s3:ListBucket", "arn:aws:s3:::photos", s3__prefix="dogs/")
    assert allows(asks, "s3:GetObject", "arn:aws:s3:::photos/dogs/all.manifest")
    assert not allows(asks, "s3:PutObject", "arn:aws:s3:::photos/dogs/all.manifest")
    assert not allows(asks, "s3:ListBucket", "arn:aws:s3:::photos", s3__prefix="cats/")


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/0123-abcd"
TRACKING = f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:mlflow-tracking-server/dogs"
WHOLE = Scope(REGION, ACCOUNT_ID, ROLE, BUCKET, "dogbreed", vpc=True, kms=KEY, mlflow=TRACKING, remote_debug=True)


def test_a_key_mlflow_and_a_shell_are_allowed_where_they_are_asked_for() -> None:
    user, runs = user_policy(WHOLE), role_policy(WHOLE)
    for action in ("kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"):
        assert allows(user, action, KEY) and allows(runs, action, KEY)
        assert not allows(runs, action, f"{KEY}-2") and not allows(RUNS, action, KEY)
    assert allows(runs, "kms:CreateGrant", KEY) and not allows(user, "kms:CreateGrant", KEY)
    assert allows(runs, "sagemaker-mlflow:*", TRACKING) and not allows(runs, "sagemaker-mlflow:*", f"{TRACKING}-2")
    shell = {action for action in allowed_actions(runs) if action.startswith("ssmmessages:")}
    assert len(shell) == 4 and all(allows(runs, action, "*") for action in shell)
    added = allowed_actions(runs) - allowed_actions(RUNS)
    assert {action.partition(":")[0] for action in added} == {"ec2", "kms", "sagemaker-mlflow", "ssmmessages"}


def test_sagemaker_alone_takes_on_the_role_and_for_this_account_alone() -> None:
    (statement,) = trust_policy(SCOPE)["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "sagemaker.amazonaws.com"}, "sts:AssumeRole")
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}


@pytest.mark.parametrize("document", [USER, RUNS, user_policy(WHOLE), role_policy(WHOLE)])
def test_a_policy_fits_into_iam(document: dict[str, Any]) -> None:
    assert len(json.dumps(document, separators=(",", ":"))) < 6144
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids) and all(sid.isalnum() for sid in sids)


def test_another_part_of_aws_has_other_arns() -> None:
    chinese = json.dumps(
        user_policy(Scope("cn-north-1", ACCOUNT_ID, ROLE.replace("aws:", "aws-cn:"), BUCKET, "dogbreed"))
    )
    assert "arn:aws:" not in chinese


class Command:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["permissions", *arguments])
        with pytest.raises(SystemExit) as ended:
            run_command(permissions.main)
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


def test_the_command_prints_what_iam_reads(command: Command) -> None:
    given = [f"job.region={REGION}", f"account={ACCOUNT_ID}", "job.role=dogbreed"]
    assert command("what=user", *given) == (0, json.dumps(USER, indent=2) + "\n", "")
    assert json.loads(command("what=role", *given)[1]) == RUNS
    assert json.loads(command(*given)[1]) == {"user": USER, "role": RUNS, "trust": trust_policy(SCOPE)}


def test_what_is_not_known_is_said_beside_the_policies(command: Command) -> None:
    status, out, err = command()
    assert (status, set(json.loads(out))) == (0, {"user", "role", "trust"})
    assert [line.split()[1] for line in err.splitlines()] == ["region", "account_id", "role", "bucket"]


@pytest.mark.parametrize("what", ["user", "role", "trust"])
def test_no_policy_alone_is_printed_for_an_account_that_is_not_known(command: Command, what: str) -> None:
    status, out, err = command(f"what={what}", f"job.region={REGION}", "job.role=dogbreed")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: The account is not known") and f"what={what} account=" in err
    assert command(f"what={what}", f"job.role={ROLE}")[0] == 0


def test_the_command_adds_what_its_options_ask_for(command: Command) -> None:
    given = [f"job.region={REGION}", f"account={ACCOUNT_ID}", "job.role=dogbreed", "vpc=true"]
    given += [f"kms={KEY}", f"mlflow={TRACKING}", "remote_debug=true"]
    assert json.loads(command("what=role", *given)[1]) == role_policy(WHOLE)
    assert json.loads(command("what=user", *given)[1]) == user_policy(WHOLE)


@pytest.mark.parametrize("wrong", ["kms=alias/dogs", "kms=*", "mlflow=https://mlflow.example"])
def test_what_is_no_arn_is_refused_in_one_line(command: Command, wrong: str) -> None:
    status, out, err = command(f"account={ACCOUNT_ID}", wrong)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"error: Expected {wrong.partition('=')[0]} to be an ARN like arn:aws:")


def test_the_command_has_help_and_one_line_for_a_wrong_setting(command: Command) -> None:
    assert command("--help")[:2] == (0, permissions.HELP + "\n")
    status, out, err = command("what=everything")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert command("job.role=dogs", "job.profil=x")[2].startswith("error: Unknown setting 'job.profil'")
