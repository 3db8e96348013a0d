"""A store as a run leaves it, with its recipe, its call log and texts that would like to act."""

import json
from pathlib import Path
from typing import Any

import stage_world
import tiny_store
from store_world import a_call

from glan.gateway.requests import Request
from glan.keys import canonical, digest
from glan.stages.shared.recipe import Recipe
from glan.store import inputs, runs
from glan.store.calls import CallLog
from glan.store.runs import RunRecord
from glan.store.store import Store

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> &amp; \u202e{{ 7 * 7 }}"


def grown_store(folder: Path, **changes: Any) -> tuple[Store, Recipe, list[Request]]:
    """Physics, grown from two subjects with all calls on record; what was asked."""
    made = stage_world.recipe(**changes)
    store = tiny_store.new_store(str(folder / "store"))
    asked: list[Request] = []
    log = CallLog(store.files, writer="w", clock=stage_world.clock)
    teacher = stage_world.teacher("Optics", "Mechanics", introduction=HOSTILE, title=HOSTILE)

    def say(request: Request) -> Any:
        reply = _reply(request, teacher)
        asked.append(request)
        place = {"stage": request.stage, "unit": request.unit, "unit_key": request.unit_key, "cost_usd": 0.01}
        log.append(a_call(request.key, **place, model="teacher", reply=reply))
        return reply

    receipts = stage_world.grow(store, made, say)
    tiny_store.publish(store, *(receipt for some in receipts.values() for receipt in some))
    log.close()
    keep_recipe(store, made)
    return store, made, asked


def _reply(request: Request, teacher: stage_world.Say) -> str:
    """What the teacher says, and free text or several questions where that is asked for."""
    if request.stage in ("subjects", "syllabi") and request.schema is None:
        return f"Freely written of {request.unit}."
    if request.stage == "questions" and request.schema is not None:
        number = request.schema.model_json_schema()["properties"]["questions"]["minItems"]
        asked = [f"Why does case {request.unit} {request.sample_index} {n} hold here?" for n in range(number)]
        return json.dumps({"questions": asked})
    if request.prompt.name == "follow_up":
        turn = request.messages[-1]["content"].count("Student:")
        return f"What follows at step {turn} of case {request.unit} {request.sample_index}? {HOSTILE}"
    return str(teacher(request))


def keep_recipe(store: Store, made: Recipe) -> None:
    """Put a run with this recipe on record."""
    body = made.config.model_dump(mode="json")
    inputs.keep(store.files, "config", digest(body), "json", canonical(body).decode())
    stamps = {name: made.prompts[name].stamp.digest for name in made.prompts.names()}
    for name, known in stamps.items():
        inputs.keep(store.files, "prompts", known, "md", made.prompts[name].text)
    runs.keep(store.files, RunRecord(run_id="run", started_at=stage_world.NOON, config=digest(body), prompts=stamps))
