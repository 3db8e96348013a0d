"""Runs go on from a store that was merged and swept as if nothing had happened to it."""

import datetime
import secrets

from flow_world import World
from proof_checks import tables
from stage_world import UNJUDGED

from flows.backfill import backfill
from flows.parameters import BackfillConfig
from glan.care.compact import compact
from glan.care.keeping import SWEEPING
from glan.care.sweep import find, sweep
from glan.care.unit_parts import Tools
from glan.care.verify import verify
from glan.clock import now
from glan.store.parts import is_part
from tasks.holding import leases_of

AGE = datetime.timedelta(hours=48)


def next_month() -> datetime.datetime:
    return now() + datetime.timedelta(days=30)


def cared_for(world: World) -> None:
    """Merge all, and remove what it was made from."""
    store = world.store
    list(compact(store, None, Tools(now, lambda: secrets.token_hex(8))))
    done = sweep(store, find(store, AGE, next_month), leases_of(store.files, SWEEPING), AGE, next_month)
    assert done.removed and not done.left


def test_a_run_with_nothing_to_do_finds_all_in_parts(made: World) -> None:
    before = tables(made.store_url)
    cared_for(made)
    named = {stage: {receipt.object for receipt in made.receipts(stage)} for stage in UNJUDGED[1:]}
    assert made.sent() == 0
    assert tables(made.store_url) == before
    assert {stage: {receipt.object for receipt in made.receipts(stage)} for stage in UNJUDGED[1:]} == named
    assert all(is_part(path) for paths in named.values() for path in paths)


def test_further_rounds_and_a_refresh_begin_from_parts(made: World) -> None:
    cared_for(made)
    asked = made.asked(questions=5)
    assert asked["subjects"] == asked["syllabi"] == 0
    assert asked["questions"] == asked["answers"] == 4
    assert list(verify(made.store)) == []
    cared_for(made)
    assert made.sent(questions=5) == 0
    form = BackfillConfig(disciplines=["physics"], stage="answers", mode="refresh")
    assert backfill(form, return_state=True).name == "Completed"
    assert list(verify(made.store, deep=True)) == []
    cared_for(made)
    assert list(verify(made.store, deep=True)) == []


def test_an_object_that_was_lost_with_its_part_is_made_again_without_paying(made: World) -> None:
    cared_for(made)
    before = tables(made.store_url)
    made.store.files.delete(made.receipts("answers")[0].object)
    assert {finding.kind for finding in verify(made.store)} == {"missing", "orphan"}
    assert made.sent() == 0
    assert tables(made.store_url) == before
    assert list(verify(made.store)) == []
