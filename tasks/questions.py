"""Syllabus -> a round of questions, as a Prefect task."""

from glan.stages import questions
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.wiring import Order, effects, recipe


@unit_task("questions")
def ask_questions(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    """One round of questions on one syllabus."""
    return done or questions.run(unit, recipe(order), effects(order))
