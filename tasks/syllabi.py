"""Subject -> syllabus, as a Prefect task."""

from glan.stages import syllabi
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.wiring import Order, effects, recipe


@unit_task("syllabi")
def write_syllabus(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    """The syllabus of one subject."""
    return done or syllabi.run(unit, recipe(order), effects(order))
