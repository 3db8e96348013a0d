"""`glan serve`: one command, and a person can press Run; Ctrl-C, and nothing is left."""

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faulty_s3 import FaultyS3
from flow_world import SMALL
from model_server import ModelServer
from prefect.exceptions import PrefectHTTPStatusError
from s3_server import S3Server
from serve_world import Served, alive, children, form, page

import glan
from glan.store.store import Store
from glan.taxonomy import added, shipped
from tasks.taxonomy_versions import publish_taxonomy, seed_taxonomy


def test_run_pressed_on_generate_makes_rows_in_the_folder(served: Served) -> None:
    run = served.run("generate/generate", form(**{**SMALL, "disciplines": ["music"]}))
    assert run.state_name == "Completed", run.state
    store = str(served.folder / "data")
    assert len(glan.load("instructions", store=store, disciplines=["music"])) == 2 * 3
    assert not (served.folder / "work").exists()
    release = served.run("publish/publish", {"config": {"release": "first"}})
    assert release.state_name == "Completed", release.state
    assert "as release first" in release.state.message
    assert (served.folder / "data/v1/releases/first/manifest.json").is_file()
    [table] = [one for one in served.client.read_artifacts() if one.key == "glan-release"]
    assert "manifest.json" not in str(table.data)
    assert "train" in str(table.data)


def test_what_cannot_be_published_is_one_sentence(served: Served) -> None:
    run = served.run("publish/publish", {"config": {"release": "none", "disciplines": ["chemistry"]}})
    assert run.state_name == "Failed"
    assert run.state.message and "Traceback" not in run.state.message and "exception" not in run.state.message


@pytest.mark.parametrize(
    ("deployment", "wrong", "said"),
    [
        ("generate/generate", {"disciplines": ["phsics"]}, "'phsics' is not one of ["),
        ("generate/generate", {"fields": ["Alchemy"]}, "'Alchemy' is not one of ["),
        ("generate/generate", {"questions": -1}, "less than the minimum of 0"),
        ("generate/generate", {"qestions": 5}, "'qestions' was unexpected"),
        ("generate/generate", {"models": {"answer": {"temperature": 9}}}, "greater than the maximum of 2"),
        ("expand/expand-nightly", {"target": 0}, "less than the minimum of 1"),
        ("backfill/backfill", {"mode": "everything"}, "'everything' is not one of ["),
        ("fan-out/fan-out", {"at_once": 0}, "less than the minimum of 1"),
        ("publish/publish", {"release": "Über"}, "does not match"),
        ("publish/publish", {}, "'release' is a required property"),
    ],
)
def test_a_wrong_value_is_refused_before_there_is_a_run(
    served: Served, deployment: str, wrong: dict[str, object], said: str
) -> None:
    before = len(served.client.read_flow_runs())
    with pytest.raises(PrefectHTTPStatusError) as refused:
        served.start(deployment, {"config": wrong})
    assert refused.value.response.status_code in (409, 422)
    assert said in refused.value.response.json()["detail"]
    assert len(served.client.read_flow_runs()) == before


def test_forms_offer_a_discipline_soon_after_it_is_added(served: Served) -> None:
    store = Store.open(str(served.folder / "data"))
    store.start()
    seed_taxonomy(store)
    tree = added(shipped(), "Natural sciences", "", "Study of Lichens")
    publish_taxonomy(store, tree, expected_latest=1)
    deadline = time.monotonic() + 60
    for deployment in ("generate/generate", "publish/publish"):
        while "study-of-lichens" not in offered(served, deployment):
            assert time.monotonic() < deadline
            time.sleep(0.5)
    nightly = served.client.read_deployment_by_name("expand/expand-nightly")
    assert nightly.concurrency_options and nightly.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert nightly.description and nightly.tags == ["glan"] and nightly.version == glan.__version__


def offered(served: Served, deployment: str) -> list[str]:
    schema = served.client.read_deployment_by_name(deployment).parameter_openapi_schema
    [model] = [one for name, one in schema["definitions"].items() if name in ("RunConfig", "PublishConfig")]
    return list(model["properties"]["disciplines"]["items"]["enum"])


def test_the_browser_is_told_to_talk_to_nobody_else(served: Served) -> None:
    _, headers = page(served.url)
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert served.client.request("GET", "/admin/settings").json()["server"]["analytics_enabled"] is False


def test_a_port_that_is_taken_is_one_sentence(served: Served, tmp_path: Path) -> None:
    other = Served(tmp_path, None)
    command = [str(Path(sys.executable).with_name("glan")), "serve", "--port", str(served.port)]
    done = subprocess.run(command, cwd=tmp_path, env=other.environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 2
    assert "choose another --port" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_with_a_run_going_leaves_no_process_and_no_running_run(tmp_path: Path, how: signal.Signals) -> None:
    with ModelServer(seed=1, latency=1.0) as model, Served(tmp_path / "work", model) as served:
        run = served.start("generate/generate", form(**{**SMALL, "questions": 60}))
        model.wait_for_calls(8, timeout=120)
        below = children(served.pid)
        assert len(alive(below)) >= 3  # server, worker, run
        assert served.stop(how) == 0
        asked = model.count
        assert alive(below) == []
        time.sleep(2)
        assert model.count == asked
    assert len(glan.load("subjects", store=str(tmp_path / "work/data"))) > 0
    with sqlite3.connect(tmp_path / "work/prefect/prefect.db") as database:
        states = dict(database.execute("select id, state_name from flow_run"))
    assert states.pop(str(run.id)) in ("Cancelled", "Crashed")
    assert set(states.values()) <= {"Cancelled", "Crashed"}  # its sub-flow


@pytest.mark.soak
def test_a_store_that_is_away_does_not_end_it(tmp_path: Path, s3_server: S3Server, s3_url: str) -> None:
    with FaultyS3(s3_server.port) as proxy:
        where = {"GLAN_STORE": s3_url, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        with Served(tmp_path / "work", None, **where) as served:
            proxy.when = lambda request: "busy"
            time.sleep(45)  # a look every ten seconds, which gives up after some twenty
            assert proxy.struck["busy"] >= 8
            assert alive([served.pid])
            assert page(served.url)
            proxy.when = lambda request: None


@pytest.mark.soak
def test_not_even_a_kill_leaves_a_process_behind(tmp_path: Path) -> None:
    with Served(tmp_path / "work", None) as served:
        below = children(served.pid)
        served.stop(signal.SIGKILL)
        deadline = time.monotonic() + 30
        while alive(below):
            assert time.monotonic() < deadline, alive(below)
            time.sleep(0.2)


@pytest.mark.soak
@pytest.mark.model
@pytest.mark.timeout(1800)
def test_with_the_embedded_model_run_needs_no_key(tmp_path: Path) -> None:
    with Served(tmp_path / "work", None, "--local", OPENAI_API_KEY="") as served:
        deployed = served.client.read_deployment_by_name("generate/generate")
        assert deployed.parameters["config"]["disciplines"]  # the form begins with the demo's
        run = served.run("generate/generate", deployed.parameters, seconds=1700)
        assert run.state_name in ("Completed", "PartiallyCompleted"), run.state
    assert len(glan.load("answers", store=str(tmp_path / "work/data"))) > 0
