"""An object that cannot be read: what rests on it fails with its name and what to do, and the rest goes on."""

import json
from pathlib import Path

from flow_world import World
from store_world import cut_in_half
from terminal_world import typed

from glan.store.store import REMADE
from tasks import progress


def test_a_damaged_list_of_subjects_fails_its_own_discipline_only(made: World) -> None:
    [listed] = made.receipts("subjects")
    before = made.load("answers", disciplines=["physics"])
    cut_in_half(Path(made.store_url) / "v1" / listed.object)
    state = made.run(disciplines=["physics", "economics"], questions=6)
    assert state.name == "PartiallyCompleted" and listed.object in str(state.message)
    counts = progress.of(str(state.state_details.flow_run_id))
    [(unit, reason)] = counts.failures
    assert unit == "subjects physics" and listed.object in reason and reason.endswith(REMADE)
    assert len(made.load("instructions", disciplines=["economics"])) > 0
    assert made.load("answers", disciplines=["physics"]).equals(before)

    said = typed("status", "--json")
    lines = {(line["discipline_id"], line["stage"]): line for line in json.loads(said.stdout)}
    assert said.code == 0 and listed.object in said.stderr and REMADE in said.stderr
    assert lines["physics", "subjects"]["unreadable"] == 1 and lines["economics", "answers"]["done"] > 0
    assert "?1" in typed("status").stdout
