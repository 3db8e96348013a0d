"""deployments/prefect.yaml: every entry can be deployed as documented, and a run works where its worker was started."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from flow_world import environment
from model_server import ModelServer
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint
from serve_world import Served, alive, children

import glan
from deployments import steps
from deployments.deploy import FILE
from deployments.steps import enter_folder
from glan import taxonomy
from glan.errors import InputError
from tasks.choices import readable

DEPLOYED: Mapping[str, Mapping[str, Any]] = {
    one["name"]: one for one in yaml.safe_load(FILE.read_text(encoding="utf-8"))["deployments"]
}
NEEDED = {"fan-out": {}, "publish": {"release": "first"}}


@pytest.mark.parametrize("name", DEPLOYED)
def test_every_entrypoint_is_a_flow_that_takes_its_form_filled_in_as_it_comes(name: str) -> None:
    loaded: Flow[Any, Any] = load_flow_from_entrypoint(DEPLOYED[name]["entrypoint"], use_placeholder_flow=False)
    assert loaded.validate_parameters({"config": NEEDED.get(name, {})})["config"]
    assert loaded.name == {"expand-nightly": "expand"}.get(name, name)
    assert DEPLOYED[name]["description"]
    assert DEPLOYED[name]["tags"] == ["glan"]


def test_every_part_of_a_form_has_a_name_of_its_own_and_a_description() -> None:
    loaded: Flow[Any, Any] = load_flow_from_entrypoint("flows.generate.generate", use_placeholder_flow=False)
    schema = readable(loaded.parameters.model_dump(), taxonomy.shipped())
    models = schema["definitions"]["Models"]["properties"]
    assert [models[name]["title"] for name in models] == ["Subject", "Syllabus", "Question", "Answer", "Judge"]
    for model in schema["definitions"].values():
        for name, field in model["properties"].items():
            assert field.get("description") or "$ref" in field, f"{model['title']}.{name}"


@pytest.mark.parametrize("store", ["data", "./data"])
def test_a_store_relative_to_nowhere_is_refused(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLAN_STORE", store)
    monkeypatch.setenv("PWD", str(tmp_path))
    assert enter_folder() == {"directory": str(tmp_path)}
    monkeypatch.delenv("PWD")
    with pytest.raises(InputError, match="GLAN_STORE"):
        enter_folder()
    monkeypatch.setenv("GLAN_STORE", "s3://bucket/prefix")
    assert enter_folder()


def prefect(served: Served, folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "prefect", *arguments]
    settings = {**served.environment, "PREFECT_API_URL": f"{served.url}/api", "GLAN_STORE": "data", **variables}
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=150)


def test_prefect_deploy_deploys_everything_and_leaves_the_nightly_switch_as_it_is(
    served: Served, tmp_path: Path
) -> None:
    def nightly() -> Any:
        [schedule] = served.client.read_deployment_by_name("expand/expand-nightly").schedules
        return schedule

    assert (nightly().active, nightly().slug, nightly().schedule.timezone) == (False, "nightly", "UTC")
    found = served.client.read_deployment_by_name("expand/expand-nightly")
    served.client.update_deployment_schedule(found.id, nightly().id, active=True)

    arguments = ["--no-prompt", "deploy", "--all", "--prefect-file", str(FILE)]
    done = prefect(served, tmp_path, *arguments, GLAN_TIMEZONE="Europe/Berlin")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (nightly().active, nightly().schedule.timezone) == (True, "Europe/Berlin")
    assert {one.name for one in served.client.read_deployments()} == set(DEPLOYED)
    for one in served.client.read_deployments():
        assert one.version == glan.__version__
        assert one.work_pool_name == "glan"
        assert one.enforce_parameter_schema


def test_a_time_zone_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLAN_TIMEZONE", "Berlin")
    with pytest.raises(InputError, match="GLAN_TIMEZONE"):
        steps.look_around()


@pytest.mark.soak
def test_where_a_server_is_set_glan_serve_starts_none_but_a_worker_for_it(served: Served, tmp_path: Path) -> None:
    with ModelServer(seed=1) as model:
        variables = {**environment(model, "data"), "PREFECT_API_URL": f"{served.url}/api"}
        with Served(tmp_path / "work", None, **variables) as beside:
            assert beside.url == served.url
            assert len(alive(children(beside.pid))) == 1  # a worker
