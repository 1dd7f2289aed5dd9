"""An endpoint's container: a process that answers with the real `code/inference.py` of a model, on loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import IO

# With nothing on its path but the model's code and the libraries.
CONTAINER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
model = sys.argv[1]
sys.path.insert(0, model + "/code")
import inference
predictor = inference.model_fn(model)

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            asked = inference.input_fn(body, self.headers.get("Content-Type", "application/json"))
            answer, media = inference.output_fn(inference.predict_fn(asked, predictor), self.headers.get("Accept"))
            status = 200
        except Exception as error:
            status, media, answer = getattr(error, "status", 500), "text/plain", str(error).encode()
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


class ServedModel:
    """A model being served; `stop` ends it."""

    def __init__(self, model: Path, python: Path) -> None:
        command = [str(python), "-I", "-c", CONTAINER, str(model)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=model)
        port = _pipe(self._process.stdout).readline().strip()
        if not port:
            raise RuntimeError(_pipe(self._process.stderr).read().splitlines()[-1])
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
