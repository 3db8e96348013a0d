"""`glan run --pilot n`: samples, what the whole would take, and a clean end or the rest of the run."""

import json
from pathlib import Path
from typing import Any

import pytest
from flow_world import SMALL, World
from terminal_world import Said, typed

WHOLE = 20
"""Calls of the small run: two lists and two syllabi in two steps each, six questions, six answers."""

PILOT = 4 + 2 + 2


@pytest.fixture
def desk(world: World, tmp_path: Path) -> World:
    """A working folder with the small run's RUN.toml and prices for its model."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in SMALL.items()]
    (tmp_path / "RUN.toml").write_text("\n".join(lines))
    (tmp_path / "prices.toml").write_text("[teacher]\ninput = 1.0\noutput = 4.0\n")
    world.set(GLAN_PRICES="prices.toml")
    return world


def document(said: Said) -> Any:
    return json.loads(said.stdout)


def test_a_pilot_shows_samples_and_the_whole_and_ends_cleanly_where_nobody_can_be_asked(desk: World) -> None:
    said = typed("run", "RUN.toml", "--pilot", "1")
    assert said.code == 0, said.stderr
    assert desk.server.count == PILOT
    [row] = desk.load("instructions").to_dict("records")
    assert f"Q: {row['question'][:60]}" in said.stdout
    assert f"about {WHOLE} calls" in said.stdout and "Prices: table " in said.stdout and "unknown" not in said.stdout
    [page] = Path(desk.store_url).glob("v1/_runs/*.html")
    assert str(page) in said.stdout and row["question"].split("?")[0][:40] in page.read_text()
    assert "goes on from it" in said.stderr


def test_with_yes_it_goes_on_and_machines_get_one_document(desk: World) -> None:
    said = typed("run", "RUN.toml", "--pilot", "2", "--yes", "--json")
    assert said.code == 0, said.stderr
    whole = document(said)
    assert desk.server.count == WHOLE
    assert whole["state"] == "Completed" and len(desk.load("instructions")) == 6
    pilot = whole["pilot"]
    assert (pilot["judged"], len(pilot["samples"])) == (2, 2)
    assert pilot["calls"] + sum(line["calls"] for line in pilot["rest"]) == WHOLE
    assert 0 < pilot["cost_usd"] < desk.load("calls")["cost_usd"].sum()


def test_a_pilot_that_was_made_before_counts_for_the_whole(desk: World) -> None:
    first, again = (document(typed("run", "RUN.toml", "--pilot", "1", "--json"))["pilot"] for _ in range(2))
    assert desk.server.count == PILOT == first["calls"]
    assert {**again, "run_id": "", "report": ""} == {**first, "run_id": "", "report": ""}
    assert Path(again["report"]).exists()


def test_a_budget_that_ends_in_the_pilot_ends_the_command(desk: World) -> None:
    said = typed("run", "RUN.toml", "--pilot", "1", "--yes", "--budget-calls", "5")
    assert said.code == 1 and "the budget is spent: 5 of 5 calls" in said.stderr
    assert desk.server.count == 5


def test_a_plan_of_a_pilot_is_what_the_pilot_takes(desk: World) -> None:
    planned = document(typed("run", "RUN.toml", "--pilot", "1", "--dry-run", "--json"))
    assert sum(line["calls"] for line in planned) == PILOT
    assert typed("run", "RUN.toml", "--pilot", "0").code == 2
