"""The retry of a quarantine as people start it: as a flow, and `glan quarantine` in the terminal."""

import json

from flow_world import World
from model_batches import BatchFaults
from model_faults import Faults
from terminal_world import typed

from flows.parameters import RetryConfig
from flows.retry_quarantine import retry_quarantine
from glan.store import retries


def test_a_retry_is_a_run_that_ends_with_what_is_still_missing(world: World) -> None:
    world.server.faults = Faults(when=lambda payload, nth: "refusal" if world.server.count % 7 == 6 else None)
    first = world.run(models={"answer": {"attempts": 1}})
    assert first.name == "PartiallyCompleted"
    in_quarantine = len(world.load("quarantine"))
    listed = typed("quarantine", "list", "--json")
    assert listed.code == 0
    assert json.loads(listed.stdout)["total"] == in_quarantine > 0
    assert {reason["error_kind"] for reason in json.loads(listed.stdout)["reasons"]} == {"refused"}
    shown = typed("quarantine", "list", "--stage", "answers", "--rows", "1").stdout
    assert "In quarantine" in shown and "refused" in shown

    world.server.faults = Faults()
    world.server.batches.faults = BatchFaults(no_api=True)
    world.set(GLAN_MODE="realtime")
    said = typed("quarantine", "retry", "--batch")
    assert said.code == 2 and "has no Batch API" in said.stderr
    world.set(GLAN_MODE="realtime")
    again = retry_quarantine(RetryConfig(disciplines=["physics"]), return_state=True)
    assert again.name == "Completed", again.message
    assert len(world.load("quarantine")) == 0
    assert json.loads(typed("quarantine", "list", "--json").stdout) == {"total": 0, "reasons": [], "rows": []}
    known = retries.last(world.store.files, "physics")
    assert known is not None and (known.number, known.finished) == (1, True)


def test_bad_options_are_told_in_one_sentence(world: World) -> None:
    for command in (("list", "--stage", "anwsers"), ("retry", "--stage", "anwsers"), ("list",)):
        said = typed("quarantine", *command)
        assert said.code == 2
        assert len(said.stderr.strip().splitlines()) == 1
