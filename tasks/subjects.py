"""Discipline -> subjects, as a Prefect task."""

from glan.stages import subjects
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.wiring import Order, effects, recipe


@unit_task("subjects")
def list_subjects(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    """The subjects of one discipline."""
    return done or subjects.run(unit, recipe(order), effects(order))
