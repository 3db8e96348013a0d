"""Physics with subjects whose syllabi have concepts of their own, so that two of them have questions in common."""

import json
from pathlib import Path
from typing import Any

from stage_world import PHYSICS, Reply, Say, grow, new_store, publish, recipe, sessions, teacher

from glan.gateway.requests import Request
from glan.planning.scope import walks
from glan.planning.walk import Survey, survey
from glan.stages import pairs
from glan.stages.shared.recipe import Recipe
from glan.stages.subjects import subject_id
from glan.store.store import Store
from glan.units import Receipt, Scope, Stage, Unit

NAMES = ("Optics", "Heat", "Waves", "Sound")
_NAMES = {pairs.mark(subject_id("physics", name)): name for name in NAMES}


def pair_teacher(*names: str, **titles: str) -> Say:
    """A model that lists these subjects; `titles`: what the sessions of one are named, by its name in small letters."""
    listing = teacher(*names)

    def say(request: Request) -> Reply:
        if request.stage == "syllabi":
            name = request.unit.partition("-")[0]
            title = titles.get(name, name)
            return json.dumps({"sessions": sessions(f"{title} first", f"{title} second")})
        if request.stage == "questions" and request.schema:
            count = request.messages[-1]["content"].count("\nSample ")
            asked = [f"Why is {request.unit} so in case {request.sample_index} of {n}?" for n in range(count)]
            return json.dumps({"questions": asked})
        return listing(request)

    return say


SAY = pair_teacher(*NAMES[:3])


def made_store(folder: Path, made: Recipe, say: Say = SAY, until: Stage = "instructions") -> Store:
    """A store that holds what the recipe makes of physics, published."""
    store = new_store(folder)
    publish(store, grow(store, made, say, until=until))
    return store


def looked_at(store: Store, made: Recipe, scope: Scope = Scope()) -> Survey:
    [walk] = walks(store, [PHYSICS], made, scope)
    return survey(walk)


def pair_of(unit: Unit | Receipt) -> tuple[str, str]:
    """The two subjects of a unit by name, the later first; the second is empty where there is only one."""
    address = unit.address if isinstance(unit, Unit) else unit.unit
    syllabus, other = pairs.syllabi_of(address)
    return _NAMES[pairs.mark(syllabus)], _NAMES.get(other, "")


def shared(units: list[Unit]) -> list[tuple[str, str, int, int]]:
    """The rounds on two subjects among units: later, earlier, start, stop."""
    return sorted((*pair_of(unit), unit.start, unit.stop) for unit in units if unit.other_subject_id)


def small(**changes: Any) -> Recipe:
    """Three subjects, one question of its own each and four together with others."""
    return recipe(**{"questions": 1, "cross_subject_questions": 4, "concepts_per_session": 3, **changes})
