"""`python -m launch.transform`: many photos answered on SageMaker, in one table."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.arguments import check_arguments
from dogbreed.command_line import fail, run_command
from dogbreed.composed_command import begin
from dogbreed.composed_run import CONF
from launch.deploy import in_hydras_words
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.requests.job_settings import JobSettings
from launch.requests.transform_settings import TransformSettings
from launch.transforms.transform_order import Order
from launch.transforms.transforming import dry_run, transform

# Taken as they are typed, however Hydra's grammar would read them; and model= is a group of conf/ to Hydra.
LITERAL = {"model": "artifact", "photos": "photos", "out": "out"}
PARTS = ("transform", "endpoint", "job")


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="transform")
def main(cfg: DictConfig) -> None:
    """Compose, and do what is asked for."""
    # Within it, or Hydra would say something of its own beside the fault.
    run_command(partial(_work, OmegaConf.to_container(cfg, resolve=True)))


def _work(settings: Any) -> int:
    asked = {name: value for name, value in settings.items() if name not in PARTS}
    asked["model"] = asked.pop("artifact")
    check_arguments(Order, asked, "")
    order, made = Order(**asked), TransformSettings(**settings["transform"])
    endpoint, job = EndpointSettings(**settings["endpoint"]), JobSettings(**settings["job"])
    if order.dry_run:
        print(dry_run(order, made, endpoint, job))
        return 0
    written = transform(order, made, endpoint, job, show=_show)
    if written is None:
        return 0
    _show(f"{order.out}: {written.rows:,} photos")
    unanswered = f"{written.unreadable:,} of {written.rows:,} photos have no answer; the column error says why."
    return fail(unanswered) if written.unreadable else 0


def _show(line: str) -> None:
    print(line, flush=True)


def command() -> int:
    """The command with its faults told in one line."""
    if not sys.argv[1:]:
        sys.argv.append("--help")
    sys.argv[1:] = in_hydras_words(sys.argv[1:], LITERAL)
    begin(main, "transform")
    return 0


if __name__ == "__main__":
    run_command(command)
