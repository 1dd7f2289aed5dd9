from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dogbreed.options import only_options
from dogbreed.serve import Options

ANY_HOST = "0.0.0.0"  # noqa: S104
ROOT = Path(__file__).parents[3]
INSTRUCTIONS = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text()).splitlines()


def instructions(name: str) -> list[str]:
    return [line.removeprefix(f"{name} ") for line in INSTRUCTIONS if line.startswith(f"{name} ")]


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    run = subprocess.run([linter, "--no-color", ROOT / "Containerfile"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_the_image_keeps_sagemakers_contract_and_runs_as_no_root() -> None:
    assert instructions("CMD")[-1] == '["serve"]'
    assert not instructions("ENTRYPOINT")
    assert instructions("EXPOSE") == ["8080"]
    assert instructions("LABEL") == ["com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true"]
    assert int(instructions("USER")[-1]) > 0
    assert "/ping" in instructions("HEALTHCHECK")[0]
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+( AS \w+)?", base) for base in instructions("FROM"))


@pytest.mark.parametrize("status", [200, 503])
def test_health_is_asked_of_the_server_itself_whatever_proxy_the_container_has(status: int) -> None:
    class Ping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ping" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    *_, (shell, option, code) = [json.loads(line.partition("CMD ")[2]) for line in instructions("HEALTHCHECK")]
    with HTTPServer(("127.0.0.1", 0), Ping) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        proxy = {"http_proxy": "http://127.0.0.1:9", "SAGEMAKER_BIND_TO_PORT": str(server.server_port)}
        run = subprocess.run([shell, option, code], check=False, env={"PATH": path, **proxy}, timeout=30)
    assert run.returncode == (status != 200)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    sent = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    for copied in instructions("COPY"):
        sources = [word for word in copied.split()[:-1] if not word.startswith("--")]
        if "--from" not in copied:
            assert all((ROOT / source).exists() and source.split("/")[0] in sent for source in sources)


@pytest.mark.parametrize(("environment", "port"), [({}, 8080), ({"SAGEMAKER_BIND_TO_PORT": "9001"}, 9001)])
def test_serve_starts_the_command_where_sagemaker_will_ask_it(
    tmp_path: Path, environment: dict[str, str], port: int
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        [ROOT / "container" / "serve", "threads=2"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": path, **environment},
    )
    module, arguments = run.stdout.splitlines()[:2], run.stdout.splitlines()[2:]
    assert module == ["-m", "dogbreed.serve"]
    options = only_options(Options, arguments)
    assert (options.model, options.host, options.port, options.threads) == ("/opt/ml/model", ANY_HOST, port, 2)
