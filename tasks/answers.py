"""A round of questions -> answers, as a Prefect task."""

from glan.stages import answers
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.wiring import Order, effects, recipe


@unit_task("answers")
def answer_questions(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    """The answers to one round of questions."""
    return done or answers.run(unit, recipe(order), effects(order))
