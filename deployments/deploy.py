"""prefect.yaml -> a Prefect server: `python -m deployments.deploy` makes the work pool, deploys everything, and the automations."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from deployments.automations import deploy_automations
from glan.errors import InputError
from glan.settings import Settings

FILE = Path(__file__).with_name("prefect.yaml")
POOL = "glan"


def make_pool() -> None:
    """Make the work pool, for processes, on a server that has none of this name.

    Raises:
        InputError: it is there and needs workers of another type.
    """
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    with get_client(sync_client=True) as client:
        try:
            pool = client.read_work_pool(POOL)
        except ObjectNotFound:
            template = ProcessWorker.get_default_base_job_template()
            pool = client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
    if pool.type != "process":
        raise InputError(
            f"the work pool {POOL} of the Prefect server is of type {pool.type}: deploy with `prefect deploy` and start "
            f"its own workers with `prefect worker start --pool {POOL}`"
        )


def deploy() -> None:
    """Deploy prefect.yaml as it stands, with Prefect's own command.

    Raises:
        InputError: Prefect refuses it; with the end of what it says.
    """
    command = [sys.executable, "-P", "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise InputError(f"deploying {FILE} failed: {' '.join(said[-5:])}")
    sys.stderr.write("".join(line for line in done.stderr.splitlines(True) if line.startswith("glan:")))


def prefill(config: dict[str, Any]) -> None:
    """Let the form of `generate` begin with this configuration."""
    from prefect import get_client
    from prefect.client.schemas.actions import DeploymentUpdate

    with get_client(sync_client=True) as client:
        deployed = client.read_deployment_by_name("generate/generate")
        client.update_deployment(deployed.id, DeploymentUpdate(parameters={"config": config}))


def main() -> int:
    """Deploy to the server of PREFECT_API_URL; 2 with one sentence if something is wrong."""
    if not os.environ.get("PREFECT_API_URL"):
        sys.stderr.write("glan: PREFECT_API_URL: set it to the address of your Prefect server, which ends in /api\n")
        return 2
    try:
        make_pool()
        deploy()
        deploy_automations(Settings.load().notify or None)
    except InputError as error:
        sys.stderr.write(f"glan: {error}\n")
        return 2
    sys.stdout.write(f"deployed; start workers with: prefect worker start --pool {POOL}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
