"""Questions and answers -> instructions, as a Prefect task."""

from glan.stages import instructions
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.wiring import Order, effects, recipe


@unit_task("instructions")
def curate_instructions(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    """The verdicts on one round of questions and answers, each row by itself."""
    return done or instructions.run(unit, recipe(order), effects(order))
