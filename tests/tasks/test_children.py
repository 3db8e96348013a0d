"""The runs that a run has started, on a Prefect server that forgets some and cannot always start one."""

from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from faulty_s3 import FaultyS3
from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Completed

from glan.errors import InputError
from tasks.children import GONE_AFTER_LOOKS, Children

pytestmark = pytest.mark.usefixtures("prefect_server")


@flow(name="a-parent")
def parent() -> None:
    """Only to be on record."""


@flow(name="a-child")
def child(number: int = 0) -> None:
    """Never begun."""


@pytest.fixture
def proxy() -> Iterator[FaultyS3]:
    """A relay before the Prefect server, which does to HTTP requests what it is told to."""
    with (
        FaultyS3(int(urlsplit(str(PREFECT_API_URL.value())).port or 0)) as relay,
        temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{relay.port}/api"}),
    ):
        yield relay


@pytest.fixture
def children(proxy: FaultyS3) -> Children:
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(parent)
        client.create_deployment(client.create_flow(child), name="here", enforce_parameter_schema=False)
    return Children("a-child/here", str(run.id), 2, 60.0)


def test_a_run_that_was_deleted_on_the_server_has_ended_as_crashed(children: Children) -> None:
    children.start("physics", {})
    children.start("law", {})
    [deleted] = [run_id for run_id, name in children.open.items() if name == "law"]
    with get_client(sync_client=True) as client:
        client.delete_flow_run(deleted)
    ended = [one for _ in range(GONE_AFTER_LOOKS) for one in children.wait()]
    assert [(one.discipline_id, one.state_name, one.completed) for one in ended] == [("law", "Crashed", False)]
    assert list(children.open.values()) == ["physics"]


def test_a_server_that_cannot_start_a_run_is_asked_again(children: Children, proxy: FaultyS3) -> None:
    proxy.when = lambda asked: (
        "failing" if asked.key.endswith("create_flow_run") and not proxy.struck["failing"] else None
    )
    children.start("physics", {})
    assert proxy.struck["failing"] == 1
    assert list(children.open.values()) == ["physics"]


def test_a_server_that_refuses_the_parameters_is_not(children: Children, proxy: FaultyS3) -> None:
    proxy.when = lambda asked: "denied" if asked.key.endswith("create_flow_run") else None
    with pytest.raises(InputError, match="does not take these fields"):
        children.start("physics", {})


def test_a_parent_that_is_tried_again_starts_anew_what_broke_off(children: Children) -> None:
    tries: list[dict[str, UUID]] = []

    @flow(name="tried-again", retries=1)
    def tried_again() -> None:
        mine = Children("a-child/here", str(runtime.flow_run.id), 2, 60.0)
        mine.start("physics", {})
        mine.start("law", {})
        tries.append({name: run_id for run_id, name in mine.open.items()})
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(tries[-1]["physics"], Completed(), force=True)
            client.set_flow_run_state(tries[-1]["law"], Cancelled(), force=True)
        if len(tries) == 1:
            raise ValueError("its machine went down")

    tried_again()
    first, second = tries
    assert second["physics"] == first["physics"]
    assert second["law"] != first["law"]
