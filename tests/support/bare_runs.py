"""Runs without Prefect, for tests of what runs leave in a store: the same units, in the same order of commits, at once."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from flow_world import World
from model_server import ModelServer

from glan.clock import now
from glan.config import RunConfig
from glan.errors import BudgetSpent
from glan.planning.publishing import drop_orphans, publish_snapshot, publish_units
from glan.planning.scope import walks
from glan.replay.rebuild import RUN
from glan.store import taxonomies
from glan.units import Receipt, Scope
from tasks import wiring
from tasks.curation import curated
from tasks.preparation import prepare
from tasks.refreshing import finish_edition, open_edition, walk_of
from tasks.retrying import finish_if_open, open_retry
from tasks.wiring import Order, effects, recipe


def bare_store(folder: Path, config: RunConfig) -> tuple[Path, int]:
    """A store in a folder that one run has made, for copies of it; how many calls it took."""
    with ModelServer(seed=1) as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        World(server, str(folder / "store"), patch)
        assert bare_run(config) == "Completed"
        return folder / "store", server.count


def bare_run(config: RunConfig, scope: Scope = Scope()) -> str:
    """Make what there is to make, publish it and curate it; "Completed" or "BudgetSpent"."""
    order = prepare(config, f"bare-{secrets.token_hex(8)}", scope)
    store = effects(order).store
    try:
        for one in taxonomies.current(store).select(**config.selectors()):
            _discipline(order, one.discipline_id, scope)
        curated(order)
    except BudgetSpent:
        return "BudgetSpent"
    finally:
        wiring.close(order)
    return "Completed"


def _discipline(order: Order, discipline_id: str, scope: Scope) -> None:
    store = effects(order).store
    if scope.mode == "refresh":
        open_edition(order, discipline_id)
    if scope.mode == "retry":
        [walk] = walks(store, [taxonomies.current(store).find(discipline_id)], recipe(order), scope)
        if any(receipt is None for _, receipt in walk.all()):
            open_retry(order, discipline_id)
    made: list[Receipt] = []
    try:
        made += _made(order, discipline_id)
    finally:
        if scope.mode != "refresh":
            units = [receipt for receipt in made if receipt.stage != "instructions"]
            publish_units(store, discipline_id, units, order.run_id, now)
            publish_snapshot(store, [discipline_id], order.run_id, now)
    if scope.mode == "refresh":
        finish_edition(order, discipline_id)
    if scope.mode == "retry":
        finish_if_open(order, discipline_id)
    drop_orphans(store, discipline_id, order.run_id, now)


def _made(order: Order, discipline_id: str) -> Iterator[Receipt]:
    walk = walk_of(order, discipline_id)
    waiting = walk.first()
    while waiting:
        unit = waiting.pop(0)
        receipt = walk.done(unit) or RUN[unit.stage](unit, recipe(order), effects(order))
        yield receipt
        waiting += walk.after(unit, receipt)
