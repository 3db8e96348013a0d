"""Nights of expansion: what is short of the target is asked for, within the budget, on new concept sets only."""

from typing import Any

from flow_world import World, config
from prefect.client.schemas.objects import State

from flows.expand import expand
from flows.parameters import ExpandConfig
from glan.config import Budget, Curation
from tasks import progress


def night(world: World, target: int, **given: Any) -> State[Any]:
    """One night for physics, made as the small run was."""
    form = {"disciplines": ["physics"], "recipe": config(), **given}
    state: State[Any] = expand(ExpandConfig(target=target, **form), return_state=True)
    return state


def kept(world: World) -> int:
    return int(world.load("instructions")["kept"].sum())


def test_nights_reach_the_target_on_concept_sets_that_were_never_asked(made: World) -> None:
    before = kept(made)
    for _ in range(4):
        state = night(made, target=before + 9)
        assert state.is_completed(), state.message
    assert before + 9 <= kept(made) <= before + 14
    questions = made.load("questions")
    sets = [(row["syllabus_id"], *sorted(row["key_concepts"])) for row in questions.to_dict("records")]
    assert len(set(sets)) == len(sets)
    asked = made.server.count
    assert "reached its target" in str(night(made, target=before + 9).message)
    assert made.server.count == asked


def test_one_night_asks_again_for_what_curation_rejected(world: World) -> None:
    strict = config(
        curation=Curation(min_answer_words=110)
    )  # the server's answers are about as long: some are rejected
    state = night(world, target=6, recipe=strict, passes=8, attempts=20)
    assert state.is_completed(), state.message
    rows = world.load("instructions")
    assert rows["kept"].sum() >= 6
    assert not rows["kept"].all()
    assert len(world.load("questions")["run_id"].unique()) >= 2  # passes
    assert progress.of(str(state.state_details.flow_run_id)).total().calls == len(world.load("calls"))


def test_one_pass_is_all_that_was_allowed(made: World) -> None:
    nothing = config(curation=Curation(min_answer_words=4_000))
    asked = len(made.load("questions"))
    night(made, target=5, recipe=nothing, passes=1)
    first = len(made.load("questions")) - asked
    night(made, target=5, recipe=nothing, passes=2, attempts=100)
    assert first > 0
    assert len(made.load("questions")) - asked > 2 * first


def test_without_a_recipe_a_night_goes_on_as_the_last_run_did(made: World) -> None:
    assert night(made, target=kept(made) + 4, recipe=None).name == "Completed"
    assert set(made.load("subjects")["lists_found_in"]) <= {1, 2}
    assert len(made.load("subjects")["run_id"].unique()) == 1


def test_the_least_covered_are_taken_on_first_and_the_budget_ends_the_night(made: World) -> None:
    both = ["economics", "physics"]
    state = night(made, target=40, disciplines=both, night=Budget(calls=20), recipe=config(subjects=1))
    assert state.name == "BudgetSpent"
    assert made.server.count == 20
    asked = made.load("calls", columns=["discipline_id", "budget_id"]).query("budget_id.str.startswith('expand.')")
    assert len(asked) == 20
    assert asked["discipline_id"].iloc[0] == "economics"
    again = night(made, target=40, disciplines=both, night=Budget(calls=20), recipe=config(subjects=1))
    assert again.name == "BudgetSpent"  # the same night
    assert made.server.count == 20


def test_all_nights_together_stay_within_their_budget(made: World) -> None:
    assert night(made, target=40, in_all=Budget(calls=6)).name == "BudgetSpent"
    assert made.server.count == 6
    assert night(made, target=40, in_all=Budget(calls=6)).name == "BudgetSpent"
    assert made.server.count == 6


def test_a_night_in_an_empty_store_begins_with_the_subjects(world: World) -> None:
    state = night(world, target=6, recipe=config())
    assert state.name == "Completed", state.message
    assert len(world.load("subjects")) > 0
    assert 0 < kept(world) <= 6
