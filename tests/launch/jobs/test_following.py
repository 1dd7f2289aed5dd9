from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from dogbreed.errors import CloudError
from launch.jobs.following import follow
from launch.jobs.outcome import Outcome
from tests.launch.scripted_aws import ACCOUNT_ID, REGION, Answer, ScriptedAws, leave_aws_alone

NAME = "dogbreed-0123456789ab"
ATTACH = f"python launch/sagemaker.py attach={NAME} job.region={REGION}"
MACHINES = {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50}


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leave_aws_alone(monkeypatch, tmp_path)


class Time:
    """A clock that goes on while somebody sleeps; what happens then can be told it."""

    def __init__(self) -> None:
        self.now, self.sleeps = 0.0, list[float]()
        self.happens: dict[int, BaseException] = {}

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        if error := self.happens.pop(len(self.sleeps), None):
            raise error


def job(status: str = "InProgress", detail: str = "Training", message: str = "", **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": NAME,
        "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:training-job/{NAME}",
        "TrainingJobStatus": status,
        "SecondaryStatus": detail,
        "SecondaryStatusTransitions": [{"Status": detail, "StartTime": datetime.now(UTC), "StatusMessage": message}],
        "ResourceConfig": MACHINES,
        **more,
    }


DONE = job("Completed", "Completed", "Training job completed", BillableTimeInSeconds=1800, TrainingTimeInSeconds=1800)


def followed(
    aws: ScriptedAws,
    *descriptions: Answer,
    kind: str = "training",
    time: Time | None = None,
    ask: Callable[[str], str] = lambda _: "",
) -> tuple[Outcome, list[str]]:
    time, said = time or Time(), list[str]()
    operation = {"training": "DescribeTrainingJob", "tuning": "DescribeHyperParameterTuningJob"}[kind]
    aws.answers = {"DescribeLogStreams": [{"logStreams": []}], operation: list(descriptions), **aws.answers}
    outcome = follow(aws.account, NAME, kind=kind, show=said.append, ask=ask, clock=time.clock, sleep=time.sleep)
    return outcome, said


def test_each_change_of_the_status_is_said_once_and_waiting_is_said_every_minute() -> None:
    starting = job("InProgress", "Starting", "Preparing the instances for training.")
    time = Time()
    outcome, said = followed(
        ScriptedAws(), *[starting] * 14, job(message="Training image download completed."), DONE, time=time
    )
    assert outcome.succeeded and outcome.error == ""
    assert said[:4] == [
        "Starting: Preparing the instances for training.",
        "Starting: Preparing the instances for training, 60 s",
        "Starting: Preparing the instances for training, 120 s",
        "Training: Training image download completed.",
    ]


def test_what_was_billed_and_its_price_are_told_at_the_end_for_all_machines() -> None:
    metrics = [{"MetricName": "val/loss", "Value": 0.5}, {"MetricName": "val/acc", "Value": 0.8125}]
    outcome, said = followed(ScriptedAws(), DONE | {"FinalMetricDataList": metrics})
    assert "last metrics: val/loss 0.5, val/acc 0.8125" in said
    assert said[-1].startswith("billed 1800 s: about $0.74, estimated")
    assert outcome.description["BillableTimeInSeconds"] == 1800
    _, said = followed(ScriptedAws(), DONE | {"TrainingTimeInSeconds": 6000})
    assert said[-1].startswith("billed 1800 s (70 % saved by spot): about $0.74")


class Log:
    """Two hosts' streams, that grow from look to look."""

    def __init__(self, aws: ScriptedAws, looks: list[dict[str, list[tuple[int, str]]]]) -> None:
        self.looks, self.shown = looks, dict[str, int]()
        aws.answers |= {"DescribeLogStreams": self.streams, "GetLogEvents": self.events}

    def streams(self, asked: dict[str, Any]) -> Any:
        assert (asked["logGroupName"], asked["logStreamNamePrefix"]) == ("/aws/sagemaker/TrainingJobs", f"{NAME}/")
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if not found:
            return "ResourceNotFoundException", "The specified log group does not exist."
        self.now = found
        return {"logStreams": [{"logStreamName": f"{NAME}/{host}-1700000000"} for host in found]}

    def events(self, asked: dict[str, Any]) -> Any:
        host = asked["logStreamName"].rpartition("/")[2].removesuffix("-1700000000")
        start = int(asked.get("nextToken", "0"))
        # A page has two events.
        page = self.now[host][start : start + 2]
        events = [{"timestamp": moment, "message": text} for moment, text in page]
        return {"events": events, "nextForwardToken": str(start + len(page))}


def test_log_lines_come_once_in_the_order_of_time_with_the_name_of_their_host() -> None:
    aws = ScriptedAws()
    first = [(1, "a"), (3, "c\rd"), (5, "epoch   1/12* train loss 0.25 ")]
    Log(aws, [{}, {"algo-1": first}, {"algo-1": [*first, (7, "\x1b[31me")], "algo-2": [(2, "b"), (6, "f\n")]}])
    _, said = followed(aws, job(), job(), job(), DONE)
    lines = [line for line in said if "Training" not in line and "billed" not in line and "Completed" not in line]
    assert lines == ["a", "d", "epoch   1/12* train loss 0.25 ", "algo-2 | b", "algo-2 | f", "algo-1 | [31me"]


def test_lines_that_were_being_read_when_the_connection_broke_are_not_lost() -> None:
    aws = ScriptedAws()
    log = Log(aws, [{"algo-1": [(1, "a"), (2, "b"), (3, "c")]}])
    broken = [2]

    def events(asked: dict[str, Any]) -> Any:
        broken[0] -= 1
        return ConnectionClosedError(endpoint_url="https://logs") if broken[0] == 0 else log.events(asked)

    aws.answers["GetLogEvents"] = events
    _, said = followed(aws, job(), job(), DONE)
    assert [line for line in said if len(line) == 1] == ["a", "b", "c"]


def test_a_log_that_may_not_be_read_is_said_once_and_the_job_is_followed_all_the_same() -> None:
    aws = ScriptedAws()
    aws.answers["DescribeLogStreams"] = [
        ("AccessDeniedException", "not authorized to perform: logs:DescribeLogStreams")
    ]
    outcome, said = followed(aws, job(), job(), DONE)
    assert outcome.succeeded
    assert sum("The log cannot be shown" in line for line in said) == 1


def rules(**statuses: str) -> list[dict[str, Any]]:
    return [
        {"RuleConfigurationName": name, "RuleEvaluationStatus": status, "StatusDetails": f"{name}'s\nreason"}
        for name, status in statuses.items()
    ]


def test_rules_are_told_as_they_change_and_at_the_end_those_in_error_first_with_their_reason() -> None:
    running = {"DebugRuleEvaluationStatuses": rules(Overfit="InProgress", Loss="InProgress")}
    ended = {
        "DebugRuleEvaluationStatuses": rules(Overfit="IssuesFound", Loss="NoIssuesFound"),
        "ProfilerRuleEvaluationStatuses": rules(ProfilerReport="Error"),
    }
    outcome, said = followed(ScriptedAws(), job(**running), DONE | running, DONE | running, DONE | ended)
    assert outcome.succeeded
    assert said.count("rule Overfit: InProgress: Overfit's reason") == 1
    end = said.index("1 of 3 rules ended in Error: they judged nothing.")
    assert said[end + 1 : end + 4] == [
        "rule ProfilerReport: Error: ProfilerReport's reason",
        "rule Overfit: IssuesFound: Overfit's reason",
        "rule Loss: NoIssuesFound: Loss's reason",
    ]


def test_rules_that_never_end_are_not_waited_for_for_ever() -> None:
    time = Time()
    outcome, said = followed(
        ScriptedAws(), DONE | {"DebugRuleEvaluationStatuses": rules(Overfit="InProgress")}, time=time
    )
    assert outcome.succeeded
    assert 600 < time.now < 700
    assert said[-2] == "rule Overfit: InProgress: Overfit's reason"


def test_a_failed_job_ends_with_its_reason_in_one_line() -> None:
    outcome, _ = followed(ScriptedAws(), job("Failed", "Failed", FailureReason="AlgorithmError: no photos\nin train"))
    assert outcome.error == f"The training job {NAME} failed: AlgorithmError: no photos in train"
    assert not outcome.succeeded


def test_a_job_that_was_stopped_and_one_that_has_gone_are_told() -> None:
    outcome, _ = followed(ScriptedAws(), job("Stopped", "MaxRuntimeExceeded"))
    assert f"The training job {NAME} was stopped (it has run for job.max_run_seconds);" in outcome.error
    outcome, _ = followed(ScriptedAws(), job(), ("ValidationException", "Requested resource not found."))
    assert (outcome.status, outcome.succeeded) == ("Vanished", False)
    assert "is there no more" in outcome.error


@pytest.mark.parametrize("answer", ["d", "", "no", EOFError(), KeyboardInterrupt()])
def test_ctrl_c_detaches_unless_it_is_asked_to_stop_and_a_second_one_does_too(answer: str | BaseException) -> None:
    def ask(_: str) -> str:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    time, aws = Time(), ScriptedAws()
    time.happens[2] = KeyboardInterrupt()
    outcome, said = followed(aws, job(), time=time, ask=ask)
    assert (outcome.status, outcome.error, outcome.succeeded) == ("Detached", "", False)
    assert said[-1] == f"{NAME} goes on. Come back with: {ATTACH}"
    assert aws.named("StopTrainingJob") == []


def test_ctrl_c_can_stop_the_job_which_is_then_followed_to_its_end() -> None:
    time, aws = Time(), ScriptedAws()
    time.happens[2] = KeyboardInterrupt()
    aws.answers["StopTrainingJob"] = [{}]
    outcome, said = followed(
        aws, job(), job(), job("Stopping", "Stopping"), job("Stopped", "Stopped"), time=time, ask=lambda _: "s"
    )
    assert aws.named("StopTrainingJob") == [{"TrainingJobName": NAME}]
    assert f"Stopping {NAME}." in said
    assert outcome.status == "Stopped"


def test_credentials_that_expire_leave_the_job_alone_and_say_how_to_come_back() -> None:
    with pytest.raises(CloudError, match="have expired") as error:
        followed(ScriptedAws(), job(), ("ExpiredTokenException", "expired"))
    assert str(error.value).endswith(f"The job {NAME} goes on; come back with: {ATTACH}")
    assert "\n" not in str(error.value)


def test_throttling_and_lost_connections_are_waited_out_ever_longer() -> None:
    time = Time()
    passing: list[Answer] = [
        ("ThrottlingException", "Rate exceeded"),
        ConnectionClosedError(endpoint_url="https://aws"),
    ]
    outcome, _ = followed(ScriptedAws(), job(), *passing, job(), DONE, time=time)
    assert outcome.succeeded
    assert time.sleeps[:6] == [0, 10, 20, 40, 10, 10]


def test_a_service_that_does_not_come_back_is_given_up_in_the_end() -> None:
    time = Time()
    with pytest.raises(CloudError, match="goes on; come back with"):
        followed(ScriptedAws(), ("ThrottlingException", "Rate exceeded"), time=time)
    assert max(time.sleeps) == 120
    assert time.now > 600


def trial(name: str, status: str, objective: float | None = None, rate: str = "0.001", **more: Any) -> dict[str, Any]:
    measured = {"FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "val/loss", "Value": objective}}
    return {
        "TrainingJobName": f"{NAME}-{name}",
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"model__learning_rate": rate, "model__schedule": '"cosine"'},
        **(measured if objective is not None else {}),
        **more,
    }


def tuning(status: str, **more: Any) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobStatus": status,
        "HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": {"Type": "Minimize"}},
        "TrainingJobDefinition": {"ResourceConfig": MACHINES},
        "TrainingJobStatusCounters": {"Completed": 1, "InProgress": 1},
        **more,
    }


def test_the_trials_of_a_tuning_job_are_told_as_they_change_and_the_best_at_the_end() -> None:
    aws = ScriptedAws()
    times = {
        "TrainingStartTime": datetime(2026, 1, 1, 0, tzinfo=UTC),
        "TrainingEndTime": datetime(2026, 1, 1, 1, tzinfo=UTC),
    }
    one, two = trial("1", "Completed", 0.5, **times), trial("2", "Completed", 0.25, "0.01", **times)
    failed = trial("3", "Failed", FailureReason="AlgorithmError:\nno photos")
    pages: list[Answer] = [
        {"TrainingJobSummaries": [trial("1", "InProgress")]},
        {"TrainingJobSummaries": [one], "NextToken": "more"},
        {"TrainingJobSummaries": [trial("2", "InProgress", rate="0.01")]},
        {"TrainingJobSummaries": [one, two, failed]},
    ]
    aws.answers["ListTrainingJobsForHyperParameterTuningJob"] = pages
    outcome, said = followed(
        aws, tuning("InProgress"), tuning("InProgress"), tuning("Completed", BestTrainingJob=two), kind="tuning"
    )
    told = 'model.learning_rate={} model.schedule="cosine"'
    assert said[0] == f"{NAME}-1  InProgress        -  {told.format('0.001')}"
    assert said.count(f"{NAME}-1  Completed   0.50000  {told.format('0.001')}") == 2
    assert said[-5:-1] == [
        f"{NAME}-2  Completed   0.25000  {told.format('0.01')}",
        f"{NAME}-1  Completed   0.50000  {told.format('0.001')}",
        f"{NAME}-3  Failed            -  {told.format('0.001')}  AlgorithmError: no photos",
        f"best: {NAME}-2  Completed   0.25000  {told.format('0.01')}",
    ]
    assert said[-1].startswith("about $2.94 for the trials' hours")
    assert outcome.best is not None
    assert outcome.best.settings == {"model.learning_rate": "0.01", "model.schedule": '"cosine"'}


def test_a_tuning_job_without_an_objective_has_no_best() -> None:
    aws = ScriptedAws()
    aws.answers["ListTrainingJobsForHyperParameterTuningJob"] = [{"TrainingJobSummaries": []}]
    outcome, said = followed(aws, tuning("Failed", FailureReason="No objective metric was found."), kind="tuning")
    assert outcome.best is None
    assert outcome.error == f"The tuning job {NAME} failed: No objective metric was found."
    assert "No trial has an objective: look at the reasons above." in said
