"""The edition that a refresh of one discipline draws: opened, and put in the place of the old rows once it is whole."""

import logging

from glan.clock import now
from glan.planning.publishing import publish_units
from glan.planning.scope import walks
from glan.planning.walk import Walk, survey
from glan.store import editions, taxonomies
from glan.store.editions import Edition
from glan.units import ASKING, STAGES, Receipt, Stage, planned
from tasks import progress
from tasks.wiring import Order, effects, recipe, scope


def walk_of(order: Order, discipline_id: str) -> Walk:
    """The walk of one discipline over what the store holds now."""
    store = effects(order).store
    [walk] = walks(store, [taxonomies.current(store).find(discipline_id)], recipe(order), scope(order))
    return walk


def open_edition(order: Order, discipline_id: str) -> Edition:
    """The edition that this run draws: a new one, or one that was begun and not ended."""
    return editions.opened(effects(order).store.files, discipline_id, scope(order).stage, order.run_id, now)


def finish_edition(order: Order, discipline_id: str) -> None:
    """Let readers see the edition instead of the old rows, if every unit of it is made.

    One that has come out empty at some stage, as after an outage, is set aside: old rows are better than none.
    """
    store, stage = effects(order).store, scope(order).stage
    seen = survey(walk_of(order, discipline_id))
    if not seen.complete:
        return
    edition = open_edition(order, discipline_id)
    drawn: list[Stage] = [each for each in ASKING if STAGES.index(each) >= STAGES.index(stage)]
    receipts = {each: [receipt for _, receipt in seen.done[each].values()] for each in drawn}
    empty = [each for each in drawn if _all_lost(receipts[each])]
    editions.close(store.files, edition, "abandoned" if empty else "finished", order.run_id)
    if empty:
        reason = f"no {empty[0]} came of the refresh of {discipline_id}, so the old rows stay; see `glan status`"
        logging.getLogger("glan").warning(reason)
        progress.of(order.run_id).failed(discipline_id, empty[0], discipline_id, reason)
        return
    whole = [receipt for some in receipts.values() for receipt in some]
    publish_units(store, discipline_id, whole, order.run_id, now, in_place_of_all=True)


def _all_lost(receipts: list[Receipt]) -> bool:
    return planned(receipts) > 0 == sum(receipt.rows for receipt in receipts)
