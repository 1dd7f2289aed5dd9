"""What `python launch/sagemaker.py` does: plan, and then print, rehearse, or send, follow and fetch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dogbreed.command_line import fail
from dogbreed.composed_command import begin
from dogbreed.composed_run import CONF
from dogbreed.errors import CloudError, ConfigError, DogbreedError
from dogbreed.job.hyperparameters import hyperparameters
from launch.accounts.account import Account, open_account
from launch.accounts.presumed_account import Presumed, presumed_account
from launch.jobs.following import follow
from launch.jobs.job_kinds import kind_of
from launch.jobs.outcome import DETACHED, Outcome, attach_command
from launch.jobs.outputs import check_destination, fetch_outputs
from launch.jobs.sending import send as send_job
from launch.planning.composed_plan import Place, composed_plan, job_settings
from launch.planning.confirmation import confirm
from launch.planning.plan import Plan
from launch.planning.plan_text import plan_text, presumed_facts
from launch.planning.run_overrides import setting
from launch.requests.request import as_json
from launch.shipping.uploading import upload_bytes, upload_file, upload_folder

# What the best settings are trained with, where nothing else was typed.
WATCHED = {"debugger": "debugger=rules", "profiler": "profiler=on"}
DRY_RUNS = (False, True, "json")


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="sagemaker")
def main(cfg: DictConfig) -> None:
    """Compose, plan, and do what is asked for; faults are told in one line."""
    try:
        work(cfg, HydraConfig.get().overrides.task)
    except DogbreedError as error:
        sys.exit(fail(str(error)))


def work(cfg: DictConfig, given: Sequence[str]) -> None:
    """What the command does.

    Args:
        cfg: composed.
        given: overrides of the command line.

    Raises:
        DogbreedError: what the user gave cannot be used, or the cloud refused it.
    """
    if cfg.dry_run not in DRY_RUNS:
        raise ConfigError(f"Expected dry_run to be true, false or json, got {cfg.dry_run!r}.")
    if cfg.get("train_best", False) and not cfg.get("hpo", False):
        raise ConfigError("Expected +train_best=true beside +hpo=true: without a search there is no best.")
    asked = next((name for name in MODES if cfg.get(name)), "send")
    (MODES | {"send": send})[asked](cfg, given)


def dry_run(cfg: DictConfig, given: Sequence[str]) -> None:
    """Print what would be sent, asking nobody."""
    plan, presumed = _presumed(cfg, given)
    if cfg.dry_run != "json":
        print(plan_text(plan, region=presumed.region, presumed=presumed_facts(presumed.placeholders)))
        print("\nNothing has been sent. The requests:")
    print(as_json([plan.request]))


def rehearse(cfg: DictConfig, given: Sequence[str]) -> None:
    """Do the job on this machine.

    Raises:
        CloudError: what would have failed in the cloud, in one line.
    """
    from launch.rehearsal import rehearse as rehearsed

    plan, _ = _presumed(cfg, given)
    found = rehearsed(plan.request, plan.archive, plan.folders, cache_dir=_cache(cfg), show=_show)
    for name, value in found.metrics.items():
        _show(f"{name}: {value:g}")
    if found.faults:
        raise CloudError(" ".join(found.faults))
    _show(f"Rehearsed in {found.seconds:.0f} s: the job would run. To send it, leave rehearse=true out.")


def attach(cfg: DictConfig, given: Sequence[str]) -> None:  # noqa: ARG001
    """Come back to a job."""
    account = open_account(job_settings(cfg))
    name = str(cfg.attach)
    _followed(account, name, kind_of(account.client("sagemaker"), name), cfg)


def send(cfg: DictConfig, given: Sequence[str]) -> None:
    """Upload what changed, create the job or find it again, follow it, fetch what it leaves; then train the best."""
    account = open_account(job_settings(cfg))
    outcome = _sent(cfg, given, account)
    if outcome.kind == "tuning" and outcome.succeeded and cfg.get("train_best", False):
        if outcome.best is None:
            raise CloudError(f"No trial of {outcome.name} has an objective; its log says why.")
        best = hyperparameters(outcome.best.settings)
        typed = {setting(override) for override in given}
        watched = [override for name, override in WATCHED.items() if name not in typed]
        again = [*(o for o in given if setting(o) not in ("hpo", "train_best")), *watched]
        _show(f"Training with the settings of {outcome.best.name}.")
        _sent(hydra.compose("sagemaker", overrides=[*again, *_experiment(typed)]), again, account, best)


MODES: dict[str, Callable[[DictConfig, Sequence[str]], None]] = {
    "attach": attach,
    "rehearse": rehearse,
    "dry_run": dry_run,
}


def _presumed(cfg: DictConfig, given: Sequence[str]) -> tuple[Plan, Presumed]:
    """The plan, and the account that was presumed for it."""
    presumed = presumed_account(job_settings(cfg))
    return _planned(cfg, given, Place(presumed.region, presumed.role, presumed.bucket)), presumed


def _planned(cfg: DictConfig, given: Sequence[str], place: Place, best: Mapping[str, Any] = {}) -> Plan:
    return composed_plan(cfg, given, place, choices=_choices(), best=best)


def _choices() -> dict[str, str | None]:
    return dict(HydraConfig.get().runtime.choices)


def _experiment(typed: set[str]) -> list[str]:
    """The choice that the space of a search has made."""
    chosen = _choices().get("experiment")
    return [f"experiment={chosen}"] if chosen and "experiment" not in typed else []


def _sent(cfg: DictConfig, given: Sequence[str], account: Account, best: Mapping[str, Any] = {}) -> Outcome:
    plan = _planned(cfg, given, Place(account.region, account.role, account.bucket), best)
    if plan.kind == "training":
        check_destination(Path(cfg.paths.output_dir), plan.name)
    confirm(plan_text(plan, region=account.region), yes=cfg.yes)
    _uploaded(plan, account.client("s3"), account.bucket, job_settings(cfg).prefix)
    name = send_job(account, plan.request, show=_show)
    return _followed(account, name, plan.kind, cfg)


def _uploaded(plan: Plan, s3: Any, bucket: str, prefix: str) -> None:
    """What the job is to find, there before it is created."""
    if plan.photos:
        upload_folder(s3, plan.photos.root, plan.photos.manifest, bucket=bucket, prefix=prefix, show=_show)
    if plan.weights:
        key = f"{plan.weights.uri}{plan.weights.path.name}".removeprefix(f"s3://{bucket}/")
        upload_file(s3, plan.weights.path, bucket=bucket, key=key)
    upload_bytes(s3, plan.archive, bucket=bucket, key=plan.source_uri.removeprefix(f"s3://{bucket}/"))


def _followed(account: Account, name: str, kind: str, cfg: DictConfig) -> Outcome:
    outcome = follow(account, name, kind=kind, show=_show)
    if outcome.error:
        raise CloudError(outcome.error)
    if kind == "training" and outcome.status != DETACHED:
        _fetched(account, name, Path(cfg.paths.output_dir))
        _show(f"Report: {Path(cfg.paths.output_dir) / 'report.html'}")
        _show(f"To serve it: python -m launch.deploy model={name}")
    return outcome


def _fetched(account: Account, name: str, folder: Path) -> None:
    try:
        fetch_outputs(account, name, folder, show=_show)
    except DogbreedError as error:
        # What the job has left is in S3 whatever happens here.
        again = f"{attach_command(name, account.region)} paths.output_dir={folder}"
        raise CloudError(f"{error} To fetch it once that is mended: {again}") from error


def _cache(cfg: DictConfig) -> Path:
    return Path(cfg.paths.cache_dir).expanduser()


def _show(line: str) -> None:
    print(line, flush=True)


def command() -> None:
    """The command with its faults told in one line."""
    begin(main, "sagemaker")
