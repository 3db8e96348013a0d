"""The embedded model at an address of its own, as the profile local-model starts it."""

import os
import subprocess
import sys
import time

import httpx
import pytest
from compose_file import ROOT
from free_ports import free_ports


@pytest.mark.model
def test_it_answers_whatever_model_is_named_and_stops_when_told() -> None:
    [port] = free_ports(1)
    command = [sys.executable, "-m", "deployments.local_model", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"smollm2-135m-instruct: http://127.0.0.1:{port}/v1\n"
        assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=60).status_code == 200
        body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3}
        reply = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, timeout=60)
        assert reply.json()["choices"][0]["message"]["content"]
        begun = time.monotonic()
        process.terminate()
        assert process.wait(30) == 0
        assert time.monotonic() - begun < 10
    finally:
        process.kill()
