"""What a plan says is what the run then takes, within a tenth: after a small run on other disciplines."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from flow_world import config, environment
from model_faults import Faults
from model_server import ModelServer
from stage_world import RUN, UNJUDGED, publish

import glan
from glan.gateway.prices import Price, Prices
from glan.planning.forecast import forecast
from glan.planning.scope import walks
from glan.store import taxonomies
from tasks import wiring
from tasks.preparation import prepare

PRICES = Prices({"teacher": Price(input=1.0, output=4.0)})
SEEN = ["physics", "economics", "law"]
TO_COME = ["chemistry", "history", "mathematics", "nursing", "computer-science"]
LIMITS = {"subjects": 4, "questions": 6}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer(seed=11) as server:
        for name, value in environment(server, str(tmp_path / "store")).items():
            monkeypatch.setenv(name, value)
        yield server


def plan_and_make(disciplines: list[str], **limits: int) -> pd.DataFrame:
    """The forecast for some disciplines; then they are made, with no flow around it."""
    order = prepare(
        config(disciplines=disciplines, **limits), run_id="-".join(map(str, [*disciplines, *limits.values()]))
    )
    run, recipe = wiring.effects(order), wiring.recipe(order)
    selected = taxonomies.current(run.store).select(disciplines=disciplines)
    table = forecast(run.store, selected, recipe, PRICES.cost)
    for walk in walks(run.store, selected, recipe):
        waiting = walk.first()
        while waiting:
            unit = waiting.pop(0)
            receipt = RUN[unit.stage](unit, recipe, run)
            publish(run.store, {unit.stage: [receipt]})
            waiting += walk.after(unit, receipt)
    wiring.close(order)
    return table.set_index("stage")


def ledger(folder: Path) -> pd.DataFrame:
    return glan.load("calls", store=str(folder / "store"))


def took(calls: pd.DataFrame) -> dict[str, float]:
    """Calls, tokens and money at the prices above."""
    sent, received = calls["prompt_tokens"].sum(), calls["completion_tokens"].sum()
    return {
        "calls": len(calls),
        "prompt_tokens": sent,
        "completion_tokens": received,
        "cost_usd": (sent + 4 * received) / 1e6,
    }


@pytest.mark.parametrize(
    "faults", [Faults(), Faults(empty=0.06, wrong_schema=0.05, error_500=0.03)], ids=["well", "faults"]
)
def test_a_plan_is_within_a_tenth_of_the_run(server: ModelServer, tmp_path: Path, faults: Faults) -> None:
    server.faults = faults
    plan_and_make(SEEN, **LIMITS)
    before = len(ledger(tmp_path))

    table = plan_and_make(TO_COME, **LIMITS)

    calls = ledger(tmp_path)
    calls = calls[calls["discipline_id"].isin(TO_COME)]
    assert len(calls) == server.count - before
    figures = took(calls)
    assert table[[*figures]].sum().to_dict() == pytest.approx(figures, rel=0.1)
    for stage in UNJUDGED[:-1]:
        assert table.loc[stage, "calls"] == pytest.approx(sum(calls["stage"] == stage), rel=0.2), stage
    assert plan_and_make(TO_COME, **LIMITS)[["calls", "calls_at_most"]].sum().sum() == 0


def test_where_inputs_exist_a_plan_names_the_calls_that_are_then_made(server: ModelServer, tmp_path: Path) -> None:
    plan_and_make(SEEN, **LIMITS)
    before = server.count
    table = plan_and_make(SEEN, subjects=4, questions=9)
    assert (table["calls_at_least"] == table["calls_at_most"]).all()
    assert table["calls"].sum() == server.count - before
    figures = took(ledger(tmp_path).sort_values("finished_at").iloc[before:])
    assert table[[*figures]].sum().to_dict() == pytest.approx(figures, rel=0.1)
