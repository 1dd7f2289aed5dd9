from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dogbreed import serve
from dogbreed.command_line import run_command
from dogbreed.serving.server.hosts import allowed_hosts
from dogbreed.serving.server.listening import bound_socket
from tests.trained_models import save_small

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_small(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(serve, "keep_freed_memory", lambda: True)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["serve", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_command(serve.main)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["port=1"], "Expected model=DIR"),
        (["model=nowhere", "port=0"], "Expected a model in nowhere"),
        (["model=nowhere", "prot=0"], "Unknown setting 'prot': did you mean port?"),
        (["model=nowhere", "photo.jpg"], "Expected key=value, got 'photo.jpg'"),
        (["model=nowhere", "port=http"], "Expected port to be a whole number"),
        (["model=nowhere", "port=99999"], "Expected port to be from 0 to 65535, got 99999."),
        (["model=nowhere", "max_requests=0"], "Expected max_requests to be at least 1"),
        (["model=nowhere", "max_bytes=99999999999"], "Expected max_bytes to be from 1 to"),
        (["model=nowhere", "host=no such host"], "Expected host to be an address of this machine"),
        (["model=nowhere", "host="], "Expected host to be an address of this machine"),
        (["model=nowhere", "host=192.0.2.1", "port=0"], "Expected host to be an address of this machine"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line_with_status_1(
    command: Command, arguments: list[str], message: str
) -> None:
    status, out, err = command(*arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: ")
    assert message in err


def test_a_port_that_is_taken_is_told_before_the_model_is_read(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, _, err = command("model=nowhere", f"port={port}")
    assert status == 1
    assert f"Expected port {port} of 127.0.0.1 to be free" in err


def test_an_unknown_backend_or_device_is_told_in_one_line(command: Command, model: Path) -> None:
    for wrong in ("backend=quantum", "device=gpu"):
        status, _, err = command(f"model={model}", "port=0", wrong)
        assert (status, err.count("\n")) == (1, 1)
        assert err.startswith("error: Expected")


def test_a_missing_library_is_told_with_the_command_that_brings_it(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == "uvicorn" else object())
    assert command("model=nowhere")[2] == 'error: The server needs uvicorn: pip install -e ".[serve]"\n'


def test_the_environment_says_what_the_options_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOGBREED_MAX_BYTES", "5000")
    monkeypatch.setenv("DOGBREED_FETCH_HOSTS", "photos.example")
    found = serve.settings_of(serve.Options(model="m"))
    assert (found.max_bytes, found.fetch_hosts) == (5000, ("photos.example",))
    found = serve.settings_of(serve.Options(model="m", max_bytes=6000, fetch_hosts="dogs.example, cats.example"))
    assert (found.max_bytes, found.fetch_hosts) == (6000, ("dogs.example", "cats.example"))


def test_requests_that_were_cut_off_are_told_in_one_line_with_status_1(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "run", lambda options: 2)
    assert command("model=m", "grace_seconds=3") == (
        1,
        "",
        "error: 2 requests had no answer when the server ended (grace_seconds=3).\n",
    )


def test_the_options_reach_the_limits_and_a_body_that_is_allowed_can_be_held(model: Path) -> None:
    options = serve.Options(model=str(model), backend="float32", max_bytes=300 * 2**20, grace_seconds=7, max_requests=3)
    service = serve.load_service(options, serve.settings_of(options), "127.0.0.1")
    service.close()
    assert (service.limits.held, service.limits.grace_seconds, service.limits.requests) == (300 * 2**20, 7, 3)


@pytest.mark.parametrize("host", ["127.1", "LOCALHOST", "2130706433"])
def test_however_this_machine_is_written_only_its_own_names_are_answered(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with bound_socket(host, 0) as listener:
        address = listener.getsockname()[0]
        serve._say_ready(host, listener)
    assert "open" not in capsys.readouterr().out
    assert allowed_hosts(host, address) == {"localhost", "127.0.0.1", "::1", host.lower(), address}


def test_help_comes_without_the_heavy_imports() -> None:
    code = (
        "import runpy, sys\nsys.argv = ['serve', '--help']\n"
        "try:\n    runpy.run_module('dogbreed.serve', run_name='__main__')\nexcept SystemExit as ended:\n"
        "    print(ended.code, sorted({'torch', 'starlette', 'uvicorn'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.splitlines()[-1] == "0 []", run.stderr
    assert "python -m dogbreed.serve model=DIR" in run.stdout
