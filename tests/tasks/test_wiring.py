"""A unit that is tried again in the same process finds what its first try was answered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from model_faults import Faults
from model_server import ModelServer
from proof_checks import paid_twice
from proof_world import environment

from glan import taxonomy
from glan.config import RunConfig
from glan.errors import EndpointDown
from glan.stages import subjects
from tasks import wiring
from tasks.preparation import prepare
from tasks.wiring import Order

LISTS = 10


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=7) as server:
        yield server


@pytest.fixture
def order(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Order]:
    """A run whose patience with an endpoint that is down is none."""
    for name, value in {**environment(server, str(tmp_path / "store")), "GLAN_PATIENCE_SECONDS": "0"}.items():
        monkeypatch.setenv(name, value)
    order = prepare(RunConfig(disciplines=["physics"], lists=LISTS), run_id="run")
    yield order
    wiring.close(order)


def test_a_unit_tried_again_after_an_outage_pays_nothing_twice(server: ModelServer, order: Order) -> None:
    recipe, effects = wiring.recipe(order), wiring.effects(order)
    unit = subjects.plan(taxonomy.shipped().find("physics"), recipe)
    server.faults = Faults(when=lambda payload, nth: "error_503" if "response_format" in payload else None)
    with pytest.raises(EndpointDown):
        subjects.run(unit, recipe, effects)
    server.faults = Faults()
    receipt = subjects.run(unit, recipe, effects)
    assert receipt.quarantined == 0
    assert not paid_twice(server)
    assert server.count_by_payload(status=200).total() == 2 * LISTS
