"""What is in quarantine is asked again: what comes of it is joined to the data, and nothing else is touched."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bare_runs import bare_run
from flow_world import MADE_BY_A_MODEL, World, asks_for, config, copied, replaced_prompt
from model_faults import Faults, Payload
from proof_checks import check_store, tables, unrecorded
from stage_world import UNJUDGED

from glan.care.verify import verify
from glan.config import Budget
from glan.keys import seed_for
from glan.planning.recipes import recipe_of
from glan.planning.status import status
from glan.settings import Settings
from glan.store import retries, taxonomies
from glan.units import Scope, Stage, planned, quarantined


class Trouble:
    """Refuses the first requests of each kind that come, so many of them, each `times` times."""

    def __init__(self, times: int = 3, **most: int) -> None:
        self._times = times
        self._left = Counter(most)
        self._refused: set[int] = set()

    def kind(self, payload: Payload, nth: int) -> str | None:
        """By the seed, which tells requests apart: after each refusal the same request comes with the next one."""
        kind, seed = _kind(payload), payload["seed"]
        if seed not in self._refused and self._left[kind] > 0:
            self._left[kind] -= 1
            self._refused |= {seed, *(seed_for(seed, failures) for failures in range(1, self._times))}
        return "refusal" if seed in self._refused else None


def _kind(payload: Payload) -> str:
    asked = asks_for(payload)
    if asked != "prose":
        return asked
    return "syllabus" if "Write the syllabus" in payload["messages"][-1]["content"] else "list"


def run(world: World, **given: Any) -> int:
    """An ordinary run; how many calls it made."""
    before = world.server.count
    assert bare_run(config(**given)) == "Completed"
    return world.server.count - before


def retry(world: World, stages: tuple[Stage, ...] = (), kinds: tuple[str, ...] = (), **given: Any) -> int:
    """A retry; how many calls it made."""
    before = world.server.count
    assert bare_run(config(**given), Scope(mode="retry", stages=stages, kinds=kinds)) == "Completed"
    return world.server.count - before


def open_in(world: World) -> dict[str, int]:
    return {stage: number for stage in UNJUDGED if (number := quarantined(world.receipts(stage)))}


def check(world: World) -> None:
    """At every stage planned = committed + quarantine, and the readers' quarantine is what is open."""
    check_store(world.store_url)
    assert list(verify(world.store)) == []
    for stage in UNJUDGED:
        units = world.receipts(stage)
        assert planned(units) == len(world.load(stage)) + quarantined(units), stage
    assert Counter(world.load("quarantine")["stage"]) == open_in(world)
    recipe = recipe_of(config(), Settings.load())
    table = status(world.store, taxonomies.current(world.store).select(disciplines=["physics"]), recipe)
    told = table.set_index("stage")["quarantined"].to_dict()
    assert {stage: number for stage, number in told.items() if number} == open_in(world)


@pytest.fixture
def holed(world: World) -> World:
    """A store in which a list, a syllabus, a question and an answer are in quarantine."""
    world.server.faults = Faults(when=Trouble(list=1, syllabus=1, question=1, answer=1).kind)
    run(world)
    assert open_in(world) == {"subjects": 1, "syllabi": 1, "questions": 1, "answers": 1}
    world.server.faults = Faults()
    return world


def objects(world: World) -> dict[str, bytes]:
    return {path: body for stage in (*UNJUDGED, "quarantine") for path, body in world.objects(stage).items()}


def test_what_is_recovered_gets_all_that_follows_from_it_and_nothing_else_is_asked(holed: World) -> None:
    before, rows_before = objects(holed), {stage: len(holed.load(stage)) for stage in UNJUDGED}
    check(holed)
    assert retry(holed) == 2 + 2 + (3 + 3) + (1 + 1) + 1
    after = {stage: len(holed.load(stage)) for stage in UNJUDGED}
    assert objects(holed).items() >= before.items()
    assert open_in(holed) == {}
    assert {stage: after[stage] - rows_before[stage] for stage in UNJUDGED[1:]} == {
        "syllabi": 1, "questions": 4, "answers": 5, "instructions": 5,
    }  # fmt: skip
    assert sorted(holed.load("subjects")["position"]) == list(range(after["subjects"]))
    assert holed.load("instructions")["question_id"].nunique() == 6
    check(holed)
    assert retry(holed) == 0
    assert run(holed) == 0


def test_what_fails_again_stays_with_more_attempts_and_can_be_asked_once_more(world: World) -> None:
    world.server.faults = Faults(when=Trouble(question=1, times=6).kind)
    run(world)
    [first] = world.load("quarantine").to_dict("records")
    assert retry(world) == 3
    [again] = world.load("quarantine").to_dict("records")
    assert (again["request_key"], again["attempts"]) == (first["request_key"], first["attempts"] + 3)
    check(world)
    assert run(world) == 0
    assert retry(world) == 2
    assert open_in(world) == {}
    assert len(world.load("instructions")) == 6
    check(world)


def test_a_retry_that_ran_out_of_budget_is_gone_on_with_and_pays_once(holed: World) -> None:
    asked = holed.server.count
    assert bare_run(config(budget=Budget(calls=5)), Scope(mode="retry")) == "BudgetSpent"
    assert asked < holed.server.count <= asked + 5
    retry(holed)
    assert open_in(holed) == {}
    assert holed.load("calls").query("understood")["request_key"].is_unique
    check(holed)
    assert retry(holed) == 0


def test_only_what_is_selected_is_asked(holed: World) -> None:
    assert retry(holed, stages=("answers",)) == 1
    assert open_in(holed) == {"subjects": 1, "syllabi": 1, "questions": 1}
    assert retry(holed, kinds=("truncated",)) == 0
    assert retry(holed, disciplines=["law"]) == 0
    assert retry(holed, kinds=("refused",), stages=("questions", "syllabi")) > 0
    assert open_in(holed) == {"subjects": 1}
    check(holed)


def test_what_is_stale_is_not_asked_and_made_anew_it_loses_its_supplements(world: World, tmp_path: Path) -> None:
    world.server.faults = Faults(when=Trouble(question=1).kind)
    run(world)
    retry(world)
    later: tuple[Stage, ...] = ("questions", "answers", "instructions")
    assert [len(world.receipts(stage)) for stage in later] == [3, 3, 3]
    world.set(GLAN_PROMPTS=str(replaced_prompt(tmp_path / "prompts", "question", "Be brief.")))
    world.server.faults = Faults(when=Trouble(question=1).kind)
    assert retry(world) == 0
    run(world)
    assert [len(world.receipts(stage)) for stage in later] == [2, 2, 2]
    assert open_in(world) == {"questions": 1}
    check(world)


def test_a_further_round_and_a_refresh_come_on_top_as_ever(world: World) -> None:
    world.server.faults = Faults(when=Trouble(question=1).kind)
    run(world)
    retry(world)
    assert run(world, questions=5) == 8
    assert len(world.load("instructions")) == 10
    check(world)
    assert bare_run(config(), Scope(stage="questions", mode="refresh")) == "Completed"
    assert set(world.load("questions")["edition"]) == {1}
    assert len(world.load("instructions")) == 10
    check(world)


def test_an_object_that_somebody_removed_is_made_again_as_it_was(holed: World) -> None:
    retry(holed)
    before, whole = tables(holed.store_url), objects(holed)
    for stage in MADE_BY_A_MODEL:
        for receipt in holed.receipts(stage):
            holed.store.files.delete(receipt.object)
    assert run(holed) == 0
    assert tables(holed.store_url) == before
    assert objects(holed) == whole


KILLED = """
import sys
from bare_runs import bare_run
from flow_world import config
from glan.units import Scope
bare_run(config(), Scope(mode="retry"))
"""


@pytest.mark.parametrize("calls", [2, 7, 13])
def test_a_retry_that_is_killed_goes_on_to_the_same_tables_and_pays_once(
    holed: World, tmp_path: Path, calls: int
) -> None:
    undisturbed = copied(Path(holed.store_url), tmp_path / "undisturbed")
    before = holed.server.count
    holed.server.latency = 0.1
    tests = Path(__file__).parents[2]
    folders = os.pathsep.join(map(str, (tests / "support", tests.parent)))
    process = subprocess.Popen([sys.executable, "-c", KILLED], env={**os.environ, "PYTHONPATH": folders})
    holed.server.wait_for_calls(before + calls, timeout=90)
    process.kill()
    process.wait()
    holed.server.latency = 0.0
    lost = len(unrecorded(holed.store_url, holed.server.calls_after_a_kill()[before:]))
    retry(holed)
    assert retry(holed) == 0
    known = retries.last(holed.store.files, "physics")
    assert known is not None and (known.number, known.finished) == (1, True)
    made = tables(holed.store_url)
    assert holed.server.count - before <= 17 + lost
    assert open_in(holed) == {}
    check(holed)

    holed.set(GLAN_STORE=undisturbed)
    retry(holed)
    assert tables(undisturbed) == made
