"""A round of answers -> further turns of their conversations, as a Prefect task."""

from glan.stages import continuations
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.wiring import Order, effects, recipe


@unit_task("continuations")
def continue_conversations(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    """What students ask next after one round of answers, answered."""
    return done or continuations.run(unit, recipe(order), effects(order))
