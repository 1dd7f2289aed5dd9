"""`python -m dogbreed.serve`: a model behind HTTP on this machine, and a page to ask it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import fail, run_command, shows_help
from dogbreed.errors import ConfigError
from dogbreed.options import only_options

if TYPE_CHECKING:
    import socket

    from dogbreed.serving.server.app import Service
    from dogbreed.serving.settings import Settings

HELP = """Answer which breeds photos show, over HTTP, with a page to ask.

  python -m dogbreed.serve model=DIR [key=value ...]

  model=DIR        the model folder that a run left: OUTPUT_DIR/model
  host=127.0.0.1   the address to listen on; 0.0.0.0 for all of this machine's: whoever reaches the port can then ask
  port=8080        0 for any free one
  device=cpu       cpu, cuda, cuda:1, mps; auto for the accelerator of this machine, if it has one
  backend=auto     what computes the network; auto for the fastest that answers as the stored network does
  threads=0        that the network computes with; 0 for one a core, or OMP_NUM_THREADS
  workers=0        threads that read photos; 0 for as many, at most 4
  max_batch=16     photos that are computed at once
  max_requests=64  requests that wait or are computed; the next are told to come again (503, Retry-After)
  max_bytes=N      of a request; 26214400 unless DOGBREED_MAX_BYTES says otherwise
  fetch_hosts=A,B  from which photos are fetched for {"url": ...}; none unless DOGBREED_FETCH_HOSTS names some
  names=A,B        further names by which this server is asked, if a proxy passes them on
  grace_seconds=25 for the answers to what was accepted, once the server is to stop

  /             the page
  /invocations  POST a photo (image/jpeg, image/png, image/webp), {"instances": [...]} or an array (.npy)
  /ping         200 once a photo was answered
  /metrics      for Prometheus

  python -m dogbreed.serve model=outputs/2026-11-20/10-00-00/model
  curl --data-binary @photo.jpg -H "Content-Type: image/jpeg" http://127.0.0.1:8080/invocations

Ctrl-C or SIGTERM: no more requests are taken, those that were are answered, the exit status is 0; it is 1 if some could
not be answered in grace_seconds. The log is on stderr, a line of JSON for each request."""

NO_MODEL = "Expected model=DIR, the model folder that a run left (OUTPUT_DIR/model)."
NEEDED = ("starlette", "uvicorn", "prometheus_client")
MOST_WORKERS = 4


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments; a field's name is its key."""

    model: str = field(default="", metadata={"needed": NO_MODEL})
    host: str = "127.0.0.1"
    port: int = field(default=8080, metadata={"least": 0})
    device: str = "cpu"
    backend: str = ""
    threads: int = field(default=0, metadata={"least": 0})
    workers: int = field(default=0, metadata={"least": 0})
    max_batch: int = field(default=16, metadata={"least": 1})
    max_requests: int = field(default=64, metadata={"least": 1})
    max_bytes: int = field(default=0, metadata={"least": 0})
    fetch_hosts: str = ""
    names: str = ""
    grace_seconds: int = field(default=25, metadata={"least": 0})


def main() -> int | None:
    """Serve until told to stop; the command's status."""
    if (status := shows_help(HELP)) is not None:
        return status
    options = only_options(Options, sys.argv[1:])
    check_installed()
    keep_freed_memory()
    if cut_off := run(options):
        return fail(f"{cut_off} requests had no answer when the server ended (grace_seconds={options.grace_seconds}).")
    return 0


def check_installed() -> None:
    """Raise ConfigError if a library is missing that only the server needs."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ConfigError(f'The server needs {", ".join(missing)}: pip install -e ".[serve]"')


def run(options: Options) -> int:
    """Take the address, load the model, serve; how many requests were cut off at the end.

    Raises:
        ArtifactError: the folder holds no model, or a damaged one.
        ConfigError: an option that cannot be used, an address that cannot be had.
    """
    import asyncio

    from dogbreed.serving.server.listening import bound_socket
    from dogbreed.serving.server.request_log import log_to_stderr
    from dogbreed.serving.server.running import serve

    settings = settings_of(options)
    with bound_socket(options.host, options.port) as listener:
        service = load_service(options, settings, listener.getsockname()[0])
        log_to_stderr()
        return asyncio.run(serve(service, listener, lambda: _say_ready(options.host, listener)))


def settings_of(options: Options) -> Settings:
    """What a request may hold: as the environment says where the options do not.

    Raises:
        ConfigError: a value that cannot be used.
    """
    from dogbreed.serving.settings import Settings

    hosts = tuple(host.strip() for host in options.fetch_hosts.split(",") if host.strip())
    given: dict[str, Any] = {"max_bytes": options.max_bytes, "fetch_hosts": hosts, "backend": options.backend}
    return replace(Settings.from_environment(os.environ), **{name: value for name, value in given.items() if value})


def load_service(options: Options, settings: Settings, address: str) -> Service:
    """The model and what serves it, on so many threads, at the address that it listens on."""
    import torch

    from dogbreed.predictor import BreedPredictor
    from dogbreed.serving.server.app import Service
    from dogbreed.serving.server.hosts import allowed_hosts
    from dogbreed.serving.server.limits import Limits

    threads = options.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    workers = options.workers or min(threads, MOST_WORKERS)
    limits = Limits.holding(
        settings.max_bytes,
        requests=options.max_requests,
        batch=options.max_batch,
        workers=workers,
        grace_seconds=options.grace_seconds,
    )
    predictor = BreedPredictor.load(options.model, options.device, backend=settings.backend)
    breeds, version = len(predictor.class_names), str(predictor.artifact.card["digest"])[:12]
    print(f"model     {options.model}: {breeds} breeds, version {version}")
    print(f"computes  {predictor.backend} on {options.device}, threads: {threads}", flush=True)
    hosts = allowed_hosts(options.host, address, options.names.split(","))
    return Service(predictor, settings, limits, hosts=hosts, threads=threads)


def _say_ready(host: str, listener: socket.socket) -> None:
    from dogbreed.serving.server.hosts import is_loopback
    from dogbreed.serving.server.listening import url

    if not is_loopback(listener.getsockname()[0]):
        print(f"open      host={host} is not for this machine alone: whoever reaches the port can ask")
    print(f"ready     {url(listener, host)} (the page), {url(listener, host)}/invocations; Ctrl-C stops", flush=True)


if __name__ == "__main__":
    run_command(main)
