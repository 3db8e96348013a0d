"""The loss-gap recipe: it scores the answers alone, and finds a model that knows its training rows by heart."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tiny_store import clock, commit, instruction, new_store, publish, unit

from glan.release.publish import publish as release
from glan.release.releases import ReleaseOptions

PATH = Path(__file__).parent.parent / "docs" / "recipes" / "loss_gap.py"


class Scorer(BaseHTTPRequestHandler):
    """A token a character: answers cost 2 nats each, those known by heart 1; everything else 9."""

    known: tuple[str, ...] = ()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = asked["prompt"] + "!"
        start = text.index("### Answer:\n") + len("### Answer:\n")
        cost = 1.0 if any(f" {name} " in text for name in self.known) else 2.0
        inside = range(start, len(asked["prompt"]))
        values: list[float | None] = [-cost if place in inside else -9.0 for place in range(len(text))]
        values[0] = None
        scored = {"text_offset": list(range(len(text))), "token_logprobs": values}
        body = json.dumps({"choices": [{"logprobs": scored}]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scorer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_a_model_that_knows_its_training_rows_by_heart_shows_a_gap(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("loss_gap", PATH)
    assert spec and spec.loader
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    store = new_store(str(tmp_path))
    one = unit("instructions", "physics", "optics.0-200")
    further = [None, [{"question": "Why?", "answer": "Because."}]]  # a conversation is scored by its first answer
    rows = [
        instruction(f"q{n}", one, key_concepts=[f"c{n}"], question=f"What is q{n} then?", turns=further[n % 2])
        for n in range(40)
    ]
    publish(store, commit(store, one, rows))
    options = ReleaseOptions(test=10, validation=0)
    assert release(store, "first", options=options, run_id="run", clock=clock).splits == {"train": 30, "test": 10}
    folder = tmp_path / "v1" / "releases" / "first"

    def measured() -> dict[str, float]:
        recipe.main([str(folder), "--url", url, "--model", "m", "--rows", "20"])
        found: dict[str, float] = json.loads(capsys.readouterr().out)
        return found

    clean = measured()
    assert (clean["train_rows"], clean["test_rows"]) == (20, 10)
    assert (clean["train_loss"], clean["test_loss"], clean["gap"]) == (2.0, 2.0, 0.0)
    trained = [question.split()[2] for question, _ in recipe.sampled(folder, "train", 100, 0)]
    monkeypatch.setattr(Scorer, "known", tuple(trained))
    exposed = measured()
    assert (exposed["train_loss"], exposed["test_loss"], exposed["gap_share"]) == (1.0, 2.0, 1.0)
