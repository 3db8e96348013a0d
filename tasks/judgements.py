"""A round of answers -> what a judge says of them, as a Prefect task."""

from glan.stages import judgements
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.wiring import Order, effects, recipe


@unit_task("judgements")
def judge_answers(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    """The judgements on the answers to one round of questions."""
    return done or judgements.run(unit, recipe(order), effects(order))
