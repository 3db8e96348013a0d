"""Nights of expansion: what is short of the target is asked for, within the budget, on new concept sets only."""

import signal
from typing import Any

import pytest
from flow_world import World, asks_for, config
from model_faults import Faults
from prefect.client.schemas.objects import State

from flows.expand import expand
from flows.parameters import ExpandConfig
from glan.config import Budget, Curation
from glan.errors import StoreError
from glan.store.local import LocalFiles
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
    assert progress.of(str(state.state_details.flow_run_id)).total().spent.calls == len(world.load("calls"))


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


def test_nights_with_an_id_of_their_own_count_among_all_nights(made: World) -> None:
    assert night(made, target=40, night=Budget(id="ours"), in_all=Budget(calls=6)).name == "BudgetSpent"
    assert night(made, target=40, night=Budget(id="ours"), in_all=Budget(calls=6)).name == "BudgetSpent"
    assert made.server.count == 6


def test_a_night_that_breaks_off_after_one_with_holes_has_failed(made: World) -> None:
    known = len(made.load("questions"))
    refused: list[int] = []

    def fault(payload: Any, nth: int) -> str | None:
        """One question of the first pass is refused, and every call of the second."""
        if made.server.count > 6:
            return "unauthorized"
        if asks_for(payload) == "question" and not refused:
            refused.append(made.server.count)
        return "refusal" if refused == [made.server.count] else None

    made.server.faults = Faults(when=fault)
    one_try = {name: {"attempts": 1} for name in ("question", "answer")}
    state = night(made, target=known + 4, recipe=config(models=one_try))
    assert state.name == "Failed", state.message


@pytest.mark.parametrize("wrong", [{"patterns": ["nosuch*"]}, {"night": Budget(usd=1)}, {"in_all": Budget(usd=1)}])
def test_a_night_that_cannot_be_is_refused_before_anything_is_written(made: World, wrong: dict[str, Any]) -> None:
    before = made.store.files.list("")
    state = night(made, target=99, **({"disciplines": []} | wrong))
    assert state.name == "Failed"
    assert made.store.files.list("") == before


def test_ctrl_c_during_the_curation_of_a_night_ends_the_night(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, typed = LocalFiles.read, [signal.SIGINT]

    def interrupted(self: LocalFiles, path: str) -> bytes:
        if typed and path.startswith("_inputs/config"):
            signal.raise_signal(typed.pop())
        return looked(self, path)

    monkeypatch.setattr(LocalFiles, "read", interrupted)
    assert night(made, target=99).name == "Cancelled"
    assert made.server.count == 0


def test_a_night_whose_curation_fails_has_failed(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    created = LocalFiles.create

    def full(self: LocalFiles, path: str, body: bytes) -> bool:
        if path.startswith("instructions/"):
            raise StoreError(f"{path} cannot be used: no space is left")
        return created(self, path, body)

    monkeypatch.setattr(LocalFiles, "create", full)
    strict = config(curation=Curation(min_answer_words=4_000))
    assert night(made, target=1, recipe=strict).name == "Failed"
    assert made.server.count == 0


def test_a_night_in_an_empty_store_begins_with_the_subjects(world: World) -> None:
    state = night(world, target=6, recipe=config())
    assert state.name == "Completed", state.message
    assert len(world.load("subjects")) > 0
    assert 0 < kept(world) <= 6
