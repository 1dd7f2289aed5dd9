"""`python -m launch.deploy`: a trained model behind an endpoint that has answered about a photo."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.arguments import check_arguments
from dogbreed.command_line import run_command
from dogbreed.composed_command import begin
from dogbreed.composed_run import CONF
from dogbreed.override_text import override_text
from launch.endpoints.deploy_order import Order, dry_run
from launch.endpoints.deploying import deploy
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.requests.job_settings import JobSettings

# Taken as they are typed, however Hydra's grammar would read them; and model= is a group of conf/ to Hydra.
LITERAL = {"model": "artifact", "photo": "photo"}
PARTS = ("endpoint", "job")


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="deploy")
def main(cfg: DictConfig) -> None:
    """Compose, and do what is asked for."""
    # Within it, or Hydra would say something of its own beside the fault.
    run_command(partial(_work, OmegaConf.to_container(cfg, resolve=True)))


def _work(settings: Any) -> None:
    asked = {name: value for name, value in settings.items() if name not in PARTS}
    asked["model"] = asked.pop("artifact")
    check_arguments(Order, asked, "")
    order, endpoint, job = Order(**asked), EndpointSettings(**settings["endpoint"]), JobSettings(**settings["job"])
    if order.dry_run:
        print(dry_run(order, endpoint, job))
    else:
        deploy(order, endpoint, job, show=_show)


def in_hydras_words(arguments: Sequence[str], literal: Mapping[str, str] = LITERAL) -> list[str]:
    """The arguments, `model=` and other literal values as overrides.

    Args:
        arguments: of the command line.
        literal: what is taken as it is typed, and what it is called in the configuration.

    >>> in_hydras_words(["model=s3://dogs/a=1/model.tar.gz", "endpoint=serverless"])
    ["artifact='s3://dogs/a=1/model.tar.gz'", 'endpoint=serverless']
    """
    pairs = [argument.partition("=") for argument in arguments]
    return [
        override_text(literal[key], value) if equals and key in literal else f"{key}{equals}{value}"
        for key, equals, value in pairs
    ]


def _show(line: str) -> None:
    print(line, flush=True)


def command() -> int:
    """The command with its faults told in one line."""
    if not sys.argv[1:]:
        sys.argv.append("--help")
    sys.argv[1:] = in_hydras_words(sys.argv[1:])
    begin(main, "deploy")
    return 0


if __name__ == "__main__":
    run_command(command)
