"""What the automations do on a real Prefect server: told once, to whoever the notification block reaches."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flow_world import World
from model_faults import Faults
from model_server import ModelServer
from prefect import flow, get_client, runtime
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import State
from prefect.events.filters import EventFilter, EventResourceFilter
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Completed
from prefect_world import PrefectServer, Started, eventually, newest, run_of, running_server

from deployments import automations
from deployments.automations import deploy_automations
from glan.errors import InputError
from tasks import telling

NOTIFY = "custom-webhook/team"
ALL = {
    "glan: dead run",
    "glan: failed run",
    "glan: crashed run",
    "glan: budget spent",
    "glan: units failed",
    "glan: endpoint down",
    "glan: quarantine high",
}


class Webhook:
    """A tiny HTTP server that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        kept = self.messages

        class Keeper(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Keeper)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self, subject: str, about: str) -> list[str]:
        """The messages of a subject that name a run."""
        return [one["body"] for one in self.messages if one["subject"] == subject and about in one["body"]]


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with running_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture(scope="module")
def webhook(prefect: PrefectServer) -> Iterator[Webhook]:
    """A notification block that reaches the test, and all automations deployed."""
    hook = Webhook()
    block = CustomWebhookNotificationBlock(
        name="team", url=hook.url, json_data={"subject": "{{subject}}", "body": "{{body}}"}
    )
    block.save("team")
    # The shortest that Prefect allows: a run counts as dead, and an endpoint as down for long, soon enough for a test.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: 30}):
        deploy_automations(NOTIFY, endpoint_patience=timedelta(seconds=10))
        yield hook
    hook.close()


@pytest.fixture
def world(prefect: PrefectServer, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)


def deployed() -> dict[str, Any]:
    with get_client(sync_client=True) as client:
        return {one.name: one for one in client.read_automations() if one.name.startswith("glan")}


def test_deployed_twice_they_are_the_same_set(webhook: Webhook) -> None:
    first = deployed()
    assert first.keys() == ALL
    with get_client(sync_client=True) as client:
        client.pause_automation(first["glan: budget spent"].id)
    names = deploy_automations(NOTIFY, endpoint_patience=timedelta(seconds=10))
    again = deployed()
    assert set(names) == again.keys() == ALL
    assert {name: one.id for name, one in again.items()} == {name: one.id for name, one in first.items()}
    assert not again["glan: budget spent"].enabled  # as a person left it
    assert all(one.trigger == first[name].trigger for name, one in again.items())
    assert deploy_automations(None) == ["glan: dead run"]
    assert deployed().keys() == ALL


@pytest.mark.parametrize("notify", ["slack-webhook/nobody", "no-such-type/team", "secret/key"])
def test_a_block_that_cannot_notify_is_bad_input(
    notify: str, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Secret(value="x").save("key", overwrite=True)
    with pytest.raises(InputError, match="GLAN_NOTIFY"):
        deploy_automations(notify)
    monkeypatch.setenv("GLAN_NOTIFY", notify)
    assert automations.main() == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_failed_and_a_crashed_run_are_told_of_but_not_their_parts(webhook: Webhook) -> None:
    @flow(name="discipline")
    def discipline() -> None:
        raise ValueError("<b>model text</b> [link](http://bad)")

    @flow(name="generate", flow_run_name="fails")
    def failing() -> None:
        discipline()

    @flow(name="generate", flow_run_name="crashes")
    def crashing() -> None:
        raise KeyboardInterrupt

    failed = failing(return_state=True)
    with pytest.raises(KeyboardInterrupt):
        crashing()
    eventually(lambda: bool(webhook.told("glan: failed run", "fails")), seconds=60)
    eventually(lambda: bool(webhook.told("glan: crashed run", "crashes")), seconds=60)
    [body] = set(webhook.told("glan: failed run", "fails"))  # on SQLite, Prefect may send one twice
    assert "model text" in body and str(failed.state_details.flow_run_id) in body
    assert not any(hostile in body for hostile in ("<", "[", "http://bad"))
    assert not webhook.told("glan: failed run", "discipline:")


def test_a_spent_budget_and_failed_units_are_told_of(webhook: Webhook) -> None:
    with get_client(sync_client=True) as client:
        client.resume_automation(deployed()["glan: budget spent"].id)

    @flow(name="expand", flow_run_name="spends")
    def spending() -> State[Any]:
        return Completed(name="BudgetSpent", message="the budget of all nights together is spent")

    @flow(name="generate", flow_run_name="leaves")
    def leaving() -> None:
        telling.units_failed(str(runtime.flow_run.id), 3, 1)

    spending()
    leaving()
    eventually(lambda: bool(webhook.told("glan: budget spent", "spends")), seconds=60)
    assert "all nights together" in webhook.told("glan: budget spent", "spends")[0]
    eventually(lambda: bool(webhook.told("glan: units failed", "leaves")), seconds=60)
    assert "units failed: 3, disciplines not completed: 1" in webhook.told("glan: units failed", "leaves")[0]


def test_much_quarantine_is_told_with_its_share(webhook: Webhook, world: World) -> None:
    world.server.faults = Faults(
        when=lambda payload, nth: "refusal" if "Course:" in payload["messages"][-1]["content"] else None
    )
    world.set(GLAN_QUARANTINE_ALARM="0.02")
    state = world.run(subjects=1)
    assert state.name == "PartiallyCompleted"
    eventually(lambda: bool(webhook.told("glan: quarantine high", "in quarantine")), seconds=60)
    [body] = set(webhook.told("glan: quarantine high", "in quarantine"))
    assert "%" in body and str(state.state_details.flow_run_id) in body
    world.server.faults = Faults()
    assert world.run(disciplines=["law"]).name == "Completed"
    assert set(webhook.told("glan: quarantine high", "in quarantine")) == {body}


@pytest.mark.soak
def test_an_endpoint_that_stays_down_is_told_and_one_that_comes_back_is_not(webhook: Webhook, world: World) -> None:
    world.server.faults = Faults(error_503=1.0)
    run = Started(world.run)
    eventually(lambda: bool(webhook.told("glan: endpoint down", "has been down")), seconds=120)
    world.server.faults = Faults()
    assert run.state(within=60).name == "Completed"
    eventually(lambda: {telling.ENDPOINT_DOWN, telling.ENDPOINT_BACK} <= events_of(f"glan.run.{newest('generate').id}"))
    [body] = set(webhook.told("glan: endpoint down", "has been down"))
    assert "127.0.0.1" in body

    away = iter([True] * 8 + [False] * 10_000)
    world.server.faults = Faults(when=lambda payload, nth: "error_503" if next(away) else None)
    assert world.run(disciplines=["law"]).name == "Completed"
    time.sleep(20)
    assert set(webhook.told("glan: endpoint down", "has been down")) == {body}


@pytest.mark.soak
def test_a_run_without_a_sign_of_life_is_marked_as_crashed_and_told(webhook: Webhook, prefect: PrefectServer) -> None:
    environment = {**os.environ, "PREFECT_API_URL": prefect.url, "PREFECT_HOME": str(prefect.home), "DO_NOT_TRACK": "1"}
    process = subprocess.Popen([sys.executable, "-c", DIES], env=environment)
    eventually(lambda: newest("generate").name == "dies" and newest("generate").state_name == "Running", seconds=60)
    dead = newest("generate")
    eventually(lambda: "prefect.flow-run.heartbeat" in events_of(f"prefect.flow-run.{dead.id}"), seconds=60)
    process.kill()
    process.wait()
    eventually(lambda: run_of(dead.id).state_name == "Crashed", seconds=150)
    eventually(lambda: bool(webhook.told("glan: crashed run", "dies")), seconds=60)


DIES = """
import time, prefect
@prefect.flow(name="generate", flow_run_name="dies")
def dies():
    time.sleep(600)
dies()
"""


def events_of(resource: str) -> set[str]:
    """The events whose subject this was."""
    wanted = EventFilter(resource=EventResourceFilter(id=[resource]))
    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/events/filter", json={"filter": wanted.model_dump(mode="json")})
    return {event["event"] for event in answer.json()["events"]}
