"""The job templates for docker and kubernetes pools, as the server and the workers of those pools read them."""

import asyncio
import json
import uuid
from typing import Any

import pytest
from compose_file import ROOT, SECRETS, resolved
from prefect import get_client
from prefect.blocks.system import Secret
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect.workers.base import BaseWorker
from prefect_docker.worker import DockerWorker
from prefect_kubernetes.worker import KubernetesWorker

WORKERS: dict[str, type[BaseWorker[Any, Any, Any]]] = {"docker": DockerWorker, "kubernetes": KubernetesWorker}
OWN_SECRETS = {"aws-access-key-id": "key-0", "aws-secret-access-key": "secret-0", "openai-api-key": "sk-0"}


@pytest.fixture(scope="module", autouse=True)
def secrets_on_the_server(prefect_server: None) -> None:
    for name, value in OWN_SECRETS.items():
        Secret(value=value).save(name, overwrite=True)  # type: ignore[call-arg]


def template(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "deployments" / "job-templates" / f"{kind}.json").read_text())
    return found


def job(kind: str, **values: Any) -> Any:
    """What a worker of the pool would start for a run, where the deployment sets these job variables."""
    worker = WORKERS[kind]

    async def configured() -> tuple[Any, WorkPool]:
        async with get_client() as client:
            pool = await client.create_work_pool(
                WorkPoolCreate(name=f"{kind}-{uuid.uuid4().hex}", type=worker.type, base_job_template=template(kind))
            )
            found = await worker.job_configuration.from_template_and_values(
                pool.base_job_template, values, client=client
            )
        return found, pool

    configuration, pool = asyncio.run(configured())
    configuration.prepare_for_flow_run(FlowRun(flow_id=uuid.uuid4(), name="brave-otter"), work_pool=pool)
    return configuration


def container(configuration: Any) -> dict[str, Any]:
    [found] = configuration.job_manifest["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_docker_starts_a_run_in_our_image_with_the_secrets_of_the_blocks() -> None:
    started = job("docker")
    assert started.image == resolved(SECRETS)["services"]["worker"]["image"]
    assert started.env["AWS_SECRET_ACCESS_KEY"] == "secret-0"
    assert started.env["OPENAI_API_KEY"] == "sk-0"
    assert started.networks == ["glan_default"]


def test_docker_takes_another_image_and_network_from_a_deployment() -> None:
    started = job("docker", image="registry.example/glan:2", networks=["other"], env={"GLAN_MODEL": "teacher"})
    assert (started.image, started.networks) == ("registry.example/glan:2", ["other"])
    assert started.env["GLAN_MODEL"] == "teacher"


def test_kubernetes_starts_a_run_in_our_image_with_the_variables_of_a_secret() -> None:
    started = job("kubernetes")
    assert container(started)["image"] == resolved(SECRETS)["services"]["worker"]["image"]
    assert container(started)["envFrom"] == [{"secretRef": {"name": "glan"}}]
    assert {"name": "GLAN_STORE", "value": "s3://glan"} in container(started)["env"]
    assert started.namespace == "glan"


def test_kubernetes_takes_another_secret_and_more_memory_from_a_deployment() -> None:
    started = job("kubernetes", secret_name="other", memory_limit="8Gi")
    assert container(started)["envFrom"] == [{"secretRef": {"name": "other"}}]
    assert container(started)["resources"]["limits"]["memory"] == "8Gi"


@pytest.mark.parametrize("kind", WORKERS)
def test_no_secret_stands_in_a_template(kind: str) -> None:
    environment = template(kind)["variables"]["properties"]["env"]["default"]
    secret = {name: value for name, value in environment.items() if "KEY" in name}
    assert all(value.startswith("{{ prefect.blocks.secret.") for value in secret.values())
