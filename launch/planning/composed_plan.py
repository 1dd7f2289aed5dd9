"""From a composed configuration to the plan of a job."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from dogbreed.composed_run import part, plain
from dogbreed.errors import ConfigError
from dogbreed.job.settings import WEIGHTS
from dogbreed.override_text import override_text
from dogbreed.tuning.search import Search, check_settings
from launch.planning import channels
from launch.planning.plan import Photos, Plan, WeightsFile
from launch.planning.run_overrides import is_own, run_overrides, setting
from launch.requests.hosted_debugger import hosted_debugger
from launch.requests.hosted_profiler import hosted_profiler
from launch.requests.images import training_image
from launch.requests.job_settings import JobSettings
from launch.requests.request import Request
from launch.requests.tags import named_by_content
from launch.requests.training import training_definition, training_job
from launch.requests.tuning import Hyperband, tuning_job
from launch.requests.validation import check
from launch.shipping.manifest import folder_manifest
from launch.shipping.requirements import pinned_requirements
from launch.shipping.source import archive_sha256, source_archive

# Groups whose choice may have been made by a preset of another group.
CHOSEN = ("experiment",)


@dataclass(frozen=True)
class Place:
    """Where in AWS: `role` is the ARN that the job runs as, `bucket` takes all that is uploaded."""

    region: str
    role: str
    bucket: str


def job_settings(cfg: DictConfig) -> JobSettings:
    """The settings of the job.

    Raises:
        ConfigError: an unknown value, or two that contradict each other.
    """
    return JobSettings(**plain(cfg.job))


def composed_plan(
    cfg: DictConfig,
    given: Sequence[str],
    place: Place,
    *,
    choices: Mapping[str, str | None] = {},
    best: Mapping[str, Any] = {},
) -> Plan:
    """The plan of the job that a configuration describes, checked as far as it can be without asking anyone.

    Args:
        cfg: of conf/sagemaker.yaml, with `hpo` where a search is wanted.
        given: overrides of the command line.
        place: where it goes.
        choices: of groups, as the composition has made them.
        best: settings by name that replace those given.

    Raises:
        ConfigError: something that SageMaker, or the run, cannot use.
        DataError: a folder of photos that cannot be used.
    """
    searching = bool(cfg.get("hpo", False))
    settings = job_settings(cfg)
    root = f"s3://{place.bucket}/{settings.prefix}"
    photos, folders, uris = _photos(cfg, root, searching)
    # The folder has it, the trials are not sent it.
    left_out = [channels.TEST] if searching and uris and channels.has_test(str(cfg.data.root)) else []
    weights = _weights(cfg, root)
    if weights:
        folders, uris = folders | {WEIGHTS: weights.path}, uris | {WEIGHTS: weights.uri}
    changed = [override_text(name, value) for name, value in best.items()]
    overrides = run_overrides(given, choices={name: choices.get(name) for name in CHOSEN}, changed=changed)
    sent = [override for override in overrides if not (weights and setting(override) == "model.weights")]
    run = {"overrides": sent, "trial": searching, "left_out": left_out}
    archive = source_archive(run, pinned_requirements([*_extras(cfg), *settings.requirements]))
    source_uri = f"{root}/source/{archive_sha256(archive)}/source.tar.gz"
    job: dict[str, Any] = {
        "image": settings.image or training_image(place.region, settings.instance_type, settings.framework_version),
        "role": place.role,
        "region": place.region,
        "channels": uris,
        "source_uri": source_uri,
        "output_uri": f"{root}/output/",
    }
    kind = "tuning" if searching else "training"
    make = REQUESTS[kind](cfg, settings, job, root)
    request = named_by_content(make, settings.tags)
    check(request)
    return Plan(request, kind, archive, source_uri, photos, weights, folders)


Make = Callable[[str, Mapping[str, str]], Request]


def _training(cfg: DictConfig, settings: JobSettings, job: dict[str, Any], root: str) -> Make:
    debugging = _hosted(cfg, settings, job["region"], f"{root}/debug/")

    def make(name: str, tags: Mapping[str, str]) -> Request:
        checkpoints = f"{root}/checkpoints/{name}/"
        parameters = training_job(name, settings, **job, checkpoint_uri=checkpoints, debugging=debugging, tags=tags)
        return Request("CreateTrainingJob", parameters)

    return make


def _tuning(cfg: DictConfig, settings: JobSettings, job: dict[str, Any], root: str) -> Make:
    if cfg.debugger.hosted:
        raise ConfigError(
            "SageMaker's hosted rules do not watch the trials of a tuning job, its API has no place for them: leave "
            "debugger.hosted out, and watch the training of the best: +train_best=true."
        )
    if cfg.lr_find:
        raise ConfigError("Expected lr_find=false: a search would find one learning rate, and lr_find another.")
    search = composed_search(cfg)
    hyperband = Hyperband(1, cfg.trainer.max_epochs) if search.strategy == "hyperband" else None

    def make(name: str, tags: Mapping[str, str]) -> Request:
        # Of all trials: each machine is given what all of them have left there so far. Only a spot trial needs it.
        checkpoints = f"{root}/checkpoints/{name}/" if settings.spot else None
        definition = training_definition(settings, **job, checkpoint_uri=checkpoints)
        parameters = tuning_job(
            name,
            search.space,
            training_job=definition,
            metric=search.metric,
            strategy=search.strategy,
            max_jobs=cfg.n_trials,
            max_parallel_jobs=cfg.n_jobs,
            early_stopping=search.early_stopping and hyperband is None,
            hyperband=hyperband,
            seed=cfg.seed,
            tags=tags,
        )
        return Request("CreateHyperParameterTuningJob", parameters)

    return make


REQUESTS: dict[str, Callable[[DictConfig, JobSettings, dict[str, Any], str], Make]] = {
    "training": _training,
    "tuning": _tuning,
}


def composed_search(cfg: DictConfig) -> Search:
    """The search of a configuration, its names those of settings.

    Raises:
        ConfigError: an unknown setting, or a value that no search has.
    """
    search: Search = part(cfg.search, "search")
    check_settings(search.space, {name: node for name, node in plain(cfg).items() if not is_own(name)})
    return search


def _photos(cfg: DictConfig, root: str, searching: bool) -> tuple[Photos | None, dict[str, Path], dict[str, str]]:
    """The photos to upload, the folders of the channels here, and their places in S3."""
    given = str(cfg.data.root)
    if channels.is_in_s3(given):
        return None, {}, channels.s3_channels(given, trial=searching)
    folder = Path(given).expanduser()
    # The container draws or downloads them as this machine does.
    if cfg.data.synthetic or (cfg.data.source is not None and not folder.is_dir()):
        return None, {}, {}
    folders = channels.folder_channels(folder, trial=searching)
    manifest = folder_manifest(folder, cache_dir=Path(cfg.paths.cache_dir).expanduser())
    uri = manifest.folder(root)
    return Photos(folder, manifest, uri), folders, channels.folder_uris(folder, uri, folders)


def _weights(cfg: DictConfig, root: str) -> WeightsFile | None:
    weights = cfg.model.weights
    if weights == "imagenet" and cfg.job.network_isolation:
        raise ConfigError(
            "With job.network_isolation=true the container cannot fetch the weights of model.weights=imagenet: give "
            "model.weights=PATH, the file of a state dict, which is sent along."
        )
    if weights in (None, "imagenet"):
        return None
    path = Path(weights).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"Expected model.weights to be imagenet, null or the path of a state dict, found no file {path}."
        )
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return WeightsFile(path, sha256, f"{root}/weights/{sha256}/")


def _extras(cfg: DictConfig) -> list[str]:
    """Extras of the package that the run needs."""
    wanted = {
        "timm": str(cfg.model.backbone).startswith("timm/"),
        "openvino": str(cfg.model.frozen_forward).startswith("openvino"),
        "profiler": cfg.profiler.interval is not None,
    }
    return [name for name, needed in wanted.items() if needed]


def _hosted(cfg: DictConfig, settings: JobSettings, region: str, output_uri: str) -> dict[str, Any]:
    """The members of a request that ask for rules beside the job; none unless they are wanted."""
    if not cfg.debugger.hosted:
        return {}
    debugger, profiler = plain(cfg.debugger), plain(cfg.profiler)
    watched = hosted_debugger(
        debugger["rules"] or {},
        debugger["collections"] or {},
        region=region,
        output_uri=output_uri,
        hook_parameters=settings.hook_parameters,
    )
    if profiler["interval"] is None:
        return watched
    return watched | hosted_profiler(
        profiler["rules"] or {},
        region=region,
        output_uri=output_uri,
        interval_milliseconds=round(1000 * profiler["interval"]),
        framework_steps=profiler["num_steps"],
    )
