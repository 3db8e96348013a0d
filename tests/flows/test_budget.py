"""A run whose budget is spent: it ends cleanly, keeps what it has, and the next one goes on without paying twice."""

from pathlib import Path

import pytest
from flow_world import World, config
from model_faults import Faults
from proof_checks import check_store, paid_twice

from glan.errors import StoreWeather
from glan.gateway.requests import Conversation
from glan.store import calls, runs
from tasks import progress, wiring
from tasks.preparation import prepare

WHOLE = 20
"""Calls of the small run: two lists and two syllabi in two steps each, six questions, six answers."""


def ids(world: World) -> list[str]:
    """The budget of each call on record."""
    batches = calls.scan(world.store.files, columns=["budget_id"])
    return [name for batch in batches for name in batch.column(0).to_pylist()]


@pytest.mark.parametrize("cap", [2, 11, 17])
def test_a_spent_budget_ends_the_run_cleanly_and_the_next_goes_on_from_there(world: World, cap: int) -> None:
    world.set(GLAN_MAX_CONCURRENCY="1")
    state = world.run(budget={"calls": cap})
    assert (state.type.value, state.name) == ("COMPLETED", "BudgetSpent")
    assert str(state.message).startswith(f"the budget is spent: {cap} of {cap} calls")
    assert world.server.count == cap
    run_id = str(state.state_details.flow_run_id)
    total = progress.of(run_id).total()
    assert total.failed == 0 and total.made < total.known
    assert runs.ended(world.store.files, run_id)
    check_store(world.store_url)
    published = {stage: len(world.load(stage)) for stage in ("subjects", "syllabi", "instructions")}
    assert (published["subjects"] > 0, published["syllabi"]) == (cap > 2, 0 if cap == 2 else 2)
    if cap == 17:  # one round of answers is whole, and what is judged of it can be read
        assert published["instructions"] == 3

    again = world.run(budget={"calls": WHOLE})

    assert again.name == "Completed", again.message
    assert world.server.count == WHOLE
    assert not paid_twice(world.server)
    assert set(ids(world)) == {run_id, str(again.state_details.flow_run_id)}
    check_store(world.store_url)


def test_all_disciplines_end_when_one_has_spent_the_budget(world: World) -> None:
    world.server.latency = 0.05
    state = world.run(disciplines=["physics", "economics", "law", "chemistry", "history"], budget={"calls": 15})
    assert state.name == "BudgetSpent", state.message
    assert world.server.count == 15
    check_store(world.store_url)


def test_what_needs_no_call_is_done_with_a_budget_that_is_spent(made: World) -> None:
    for receipt in made.receipts("instructions"):
        (Path(made.store_url) / "v1" / receipt.object).unlink()
    state = made.run(questions=4, budget={"calls": 1, "id": "once"})
    assert state.name == "BudgetSpent", state.message
    assert made.server.count == 1
    assert all(made.store.files.exists(receipt.object) for receipt in made.receipts("instructions"))


def test_runs_of_one_id_spend_one_budget_together(world: World) -> None:
    budget = {"calls": 6, "id": "together"}
    assert world.run(budget=budget).name == "BudgetSpent"
    assert world.run(budget=budget).name == "BudgetSpent"
    assert world.server.count == 6
    last = world.run(budget={**budget, "calls": WHOLE})
    assert last.name == "Completed"
    assert world.server.count == WHOLE
    assert progress.of(str(last.state_details.flow_run_id)).total().spent.calls == WHOLE - 6, (
        "replies on record are free"
    )
    assert set(ids(world)) == {"together"}


def test_money_is_counted_by_the_prices_given(world: World, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text("[teacher]\ninput = 1.0\noutput = 4.0\n")
    state = world.run(budget={"usd": 0.01})
    assert state.is_failed() and "budget.usd: model teacher has no price" in str(state.message)
    assert world.server.count == 0
    world.set(GLAN_PRICES=str(tmp_path / "prices.toml"), GLAN_MAX_CONCURRENCY="2")
    assert world.run(budget={"usd": 0.01}).name == "BudgetSpent"
    costs = world.load("calls")["cost_usd"]
    assert 0.002 < costs.sum() <= 0.01 + 2 * costs.max()


def test_a_run_that_was_killed_is_gone_on_with_under_its_own_budget(world: World) -> None:
    spend = config(budget={"calls": 15})
    killed = prepare(spend, run_id="killed")
    wiring.effects(killed).gateway.run([_subjects(world, index) for index in range(5)])
    wiring.close(killed)  # and no end is on record

    state = world.run(budget={"calls": 15})

    assert state.name == "BudgetSpent", state.message
    assert world.server.count == 15
    assert set(ids(world)) == {"killed"}
    assert world.run(budget={"calls": 15}).name == "Completed"  # that one ended, so this one has its own
    assert len(set(ids(world))) == 2


def test_another_configuration_or_one_without_caps_has_a_budget_of_its_own(world: World) -> None:
    prepare(config(budget={"calls": 12}), run_id="killed")
    files = world.store.files
    for number, other in enumerate([config(budget={"calls": 13}), config(), config(budget={"calls": 12, "id": "x"})]):
        prepare(other, run_id=f"run-{number}")
        assert runs.find(files, f"run-{number}").budget_id == (other.budget.id or f"run-{number}")


def test_a_run_that_was_stopped_or_broke_is_gone_on_with_and_one_that_came_to_an_end_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import disciplines

    def stop(order: object) -> None:
        raise KeyboardInterrupt

    def fail(order: object) -> None:
        raise StoreWeather("the store is away")

    for trouble, name in ((stop, "Cancelled"), (fail, "Failed")):
        with monkeypatch.context() as patch:
            patch.setattr(disciplines, "_make", trouble)
            state = world.run()
        assert state.name == name
        assert not runs.ended(world.store.files, str(state.state_details.flow_run_id))
    world.server.faults = Faults(when=lambda payload, nth: "unauthorized")
    refused = world.run()
    assert refused.is_failed()
    assert runs.ended(world.store.files, str(refused.state_details.flow_run_id))


def _subjects(world: World, index: int) -> Conversation:
    """A call that the run itself would not make."""
    from gateway_world import ask

    call = yield ask(index)
    return call.value
