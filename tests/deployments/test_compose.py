"""docker-compose.yml: read by a compose implementation, held against the specification, and against what it promises."""

import re
from typing import Any

import pytest
import yaml
from compose_file import COMPOSE_FILE, ROOT, SECRETS, config, resolved
from compose_spec import PyCompose

from glan.settings import Settings

PROFILE = "local-model"
JOBS = {"migrate", "bucket", "deploy"}
PUBLISHED = {"server": 4200, "store": 8333}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return resolved(SECRETS, PROFILE)


@pytest.fixture(scope="module")
def services(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["services"]
    return found


def test_the_specification_knows_every_field_and_value(document: dict[str, Any]) -> None:
    # This checker takes a host only as an address; `host-gateway` is the engine's own word for one.
    text = yaml.safe_dump(document).replace("host-gateway", "127.0.0.1")
    assert PyCompose.from_yaml(text).service_names() == sorted(document["services"])


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("given", [None, ""], ids=["missing", "empty"])
def test_nothing_starts_without_a_secret(secret: str, given: str | None) -> None:
    variables = {name: value for name, value in SECRETS.items() if name != secret}
    refused = config(variables if given is None else variables | {secret: given})
    assert refused.returncode != 0
    assert f"{secret} is missing a value: set it in .env" in refused.stderr


def test_the_file_holds_no_secret() -> None:
    values = re.findall(r"(?:PASSWORD|SECRET|KEY|AUTH_STRING)\w*: (.+)", COMPOSE_FILE.read_text())
    assert values
    assert all(value.startswith("${") for value in values)


def test_a_password_of_any_characters_arrives_as_it_is(services: dict[str, Any]) -> None:
    assert services["server"]["environment"]["PREFECT_SERVER_DATABASE_PASSWORD"] == SECRETS["POSTGRES_PASSWORD"]
    assert services["server"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"] == SECRETS["PREFECT_API_AUTH_STRING"]
    assert services["worker"]["environment"]["PREFECT_API_AUTH_STRING"] == SECRETS["PREFECT_API_AUTH_STRING"]


def test_only_loopback_is_open(services: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {name: [f"127.0.0.1:{port}:{port}"] for name, port in PUBLISHED.items()}
    assert not [name for name, service in services.items() if "network_mode" in service]


def test_every_image_has_a_version(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?[\w.-]*", service["image"]), name
    [base] = re.findall(r"^FROM (\S+:\S+) AS worker$", (ROOT / "deployments" / "Dockerfile").read_text(), re.MULTILINE)
    assert base == services["server"]["image"]


def test_what_is_to_last_is_watched_and_comes_back(services: dict[str, Any]) -> None:
    lasting = services.keys() - JOBS
    assert {name for name in services if "healthcheck" in services[name]} == lasting
    assert {name for name in services if services[name].get("restart") == "unless-stopped"} == lasting


def test_each_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            usual = "service_completed_successfully" if other in JOBS else "service_healthy"
            assert how["condition"] == usual, f"{name} -> {other}"


def test_what_holds_data_has_a_named_volume(document: dict[str, Any]) -> None:
    mounted = {name: service["volumes"] for name, service in document["services"].items() if "volumes" in service}
    named = {name: volumes[0].partition(":")[0] for name, volumes in mounted.items() if name != "worker"}
    assert named == {"postgres": "postgres", "redis": "redis", "store": "store"}
    assert document["volumes"].keys() == set(named.values())


def test_workers_can_be_many_and_have_time_to_stop(services: dict[str, Any]) -> None:
    worker = services["worker"]
    assert not worker.keys() & {"container_name", "ports", "hostname"}
    assert worker["stop_grace_period"] == "2m"
    assert worker["init"] is True


def test_workers_take_every_setting_of_env(services: dict[str, Any]) -> None:
    variables = {
        name.upper() if name.startswith("openai") else f"GLAN_{name.upper()}" for name in Settings.model_fields
    }
    assert variables <= services["worker"]["environment"].keys()


def test_what_the_core_has_to_say_stands_in_the_log_of_its_run(services: dict[str, Any]) -> None:
    assert services["worker"]["environment"]["PREFECT_LOGGING_EXTRA_LOGGERS"] == "glan"


def test_the_local_model_is_there_only_when_asked_for(services: dict[str, Any]) -> None:
    assert resolved(SECRETS)["services"].keys() == services.keys() - {"model"}
    pointed = resolved({**SECRETS, "OPENAI_BASE_URL": "http://model:8080/v1"}, PROFILE)["services"]
    assert pointed["worker"]["environment"]["OPENAI_BASE_URL"] == "http://model:8080/v1"


def test_the_image_gets_the_code_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[ignored.index("*") :][0] == "*"  # everything, before what is let in
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    rooms = {"glan", "tasks", "flows", "prompts", "deployments"}
    assert let_in == rooms | {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"}


def test_the_example_of_env_names_all_that_has_to_be_set() -> None:
    text = (ROOT / ".env.example").read_text()
    assert {name for name in SECRETS if not re.search(rf"^(?:# )?{name}=", text, re.MULTILINE)} == set()
