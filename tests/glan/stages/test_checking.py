"""Answers checked without a judge: what is found flags a row, never loses one, and is paid for once."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bare_runs import bare_run
from flow_world import World, config
from model_faults import Faults
from model_server import ModelServer
from namespaces import needs_namespaces
from proof_checks import check_whole
from stage_world import Say, grow, new_store, recipe, teacher

from glan.config import Curation
from glan.gateway.requests import Request
from glan.judging import Checking, Judging
from glan.models import ModelProfile, Models
from glan.planning.forecast import forecast
from glan.planning.recipes import recipe_of
from glan.replay.replay import Replay
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store import taxonomies
from glan.store.store import Store
from glan.units import Scope

MATH = Checking(math=True)
BOTH = Checking(math=True, code=True)
SAID = {
    "agree": ("The parts add up.\n\nThe answer is 42.", "Counting twice gives\n\n\\boxed{42.0}"),
    "disagree": ("The parts add up.\n\nThe answer is 42.", "Counting twice gives\n\n\\boxed{43}"),
    "not_checked": ("The parts add up.\n\nThe answer is 42.", "It depends on who counts, and on what is counted."),
    "prose": ("It works since light bends in water.", "Nobody asks for this."),
}


def taught(*kinds: str, seen: list[Request] | None = None) -> Say:
    """A teacher who says by sample what is named by the kind: first to the question, then when it is asked again."""

    def say(request: Request) -> Any:
        if seen is not None:
            seen.append(request)
        index = request.sample_index
        if request.stage == "answers":
            return SAID[kinds[index]][0]
        if request.stage == "judgements":
            return SAID[kinds[-1 - index]][1]
        return teacher("Optics")(request)

    return say


def made(store: Store, with_recipe: Recipe, say: Say) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The judgements and the instructions."""
    receipts = grow(store, with_recipe, say)
    rows = [
        [row for receipt in receipts[stage] for row in store.read(receipt).to_pylist(maps_as_pydicts="strict")]
        for stage in ("judgements", "instructions")
    ]
    return rows[0], rows[1]


def test_results_that_differ_flag_the_row_and_keep_it(tmp_path: Path) -> None:
    judgements, instructions = made(new_store(tmp_path), recipe(checking=MATH), taught("agree", "disagree", "prose"))
    assert [(row["method"], row["verdict"], row["detail"], row["scores"]) for row in judgements] == [
        ("math", "agree", "42; 42.0", {"answers_agree": 1.0}),
        ("math", "disagree", "42; 43", {"answers_agree": 0.0}),
    ]
    assert [row["text"] for row in judgements] == [SAID["agree"][1], SAID["disagree"][1]]
    assert [(row["flags"], row["kept"], row["reasons"], row["scores"]) for row in instructions] == [
        ([], True, [], {"answers_agree": 1.0}),
        (["answers_disagree"], True, [], {"answers_agree": 0.0}),
        ([], True, [], {}),
    ]


def test_whether_such_rows_stay_is_a_setting_that_asks_nobody(tmp_path: Path) -> None:
    store, say = new_store(tmp_path), taught("agree", "disagree", "not_checked")
    made(store, recipe(checking=MATH), say)
    _, strict = made(store, recipe(checking=MATH, curation=Curation(reject_failed_checks=True)), _mute)
    assert [(row["flags"], row["reasons"], row["kept"]) for row in strict] == [
        ([], [], True),
        (["answers_disagree"], ["answers_disagree"], False),
        ([], [], True),
    ]


def _mute(request: Request) -> Any:
    raise AssertionError(f"{request.stage} was asked again")


def test_a_second_answer_is_the_same_question_to_the_same_model_drawn_anew(tmp_path: Path) -> None:
    seen: list[Request] = []
    unseeded = ModelProfile(model="teacher", send_seed=False)
    models = Models(subject=unseeded, syllabus=unseeded, question=unseeded, answer=unseeded)
    made(new_store(tmp_path / "a"), recipe(checking=MATH, models=models), taught(*["agree"] * 3, seen=seen))
    made(new_store(tmp_path / "b"), recipe(checking=MATH), taught(*["agree"] * 3, seen=seen))
    first, second = ([one for one in seen if one.stage == stage] for stage in ("answers", "judgements"))
    assert len(first) == len(second) == 6
    for one, other in zip(first, second, strict=True):
        assert (one.messages, one.profile.body()) == (other.messages, other.profile.body())
        assert one.seed != other.seed or one.seed is other.seed is None
        assert one.node != other.node
    assert len({one.key for one in (*first, *second)}) == 12


def test_what_is_not_checked_keeps_its_keys(tmp_path: Path) -> None:
    say = taught("agree", "disagree", "prose")
    plain = grow(new_store(tmp_path / "plain"), recipe(), say)
    same = grow(new_store(tmp_path / "same"), recipe(curation=Curation(reject_failed_checks=True)), say)
    assert same == plain
    checked = grow(new_store(tmp_path / "checked"), recipe(checking=MATH), say)
    for stage in ("subjects", "syllabi", "questions", "answers"):
        assert checked[stage] == plain[stage]
    assert checked["instructions"][0].key != plain["instructions"][0].key
    keys = {
        grow(new_store(tmp_path / f"{number}"), recipe(**given), taught(*["prose"] * 3))["judgements"][0].key
        for number, given in enumerate(
            [{"checking": MATH}, {"checking": BOTH}, {"checking": Checking(code=True)}, {"checking": MATH, "seed": 1}]
        )
    }
    assert len(keys) == 4


def test_a_round_in_which_nothing_can_be_checked_goes_on(tmp_path: Path) -> None:
    judgements, instructions = made(new_store(tmp_path), recipe(checking=BOTH), taught(*["prose"] * 3))
    assert judgements == []
    assert [row["kept"] for row in instructions] == [True] * 3


PROGRAMS = ("print(sum(range(10)))", "print(1 / 0)", "import torch\nprint(torch.zeros(3))")


def programming(request: Request) -> Any:
    if request.stage == "answers":
        return (
            f"It is done like this, step by step:\n\n```python\n{PROGRAMS[request.sample_index]}\n```\n\nThat is all."
        )
    return teacher("Optics")(request)


@needs_namespaces
def test_programs_that_fail_flag_the_row(tmp_path: Path) -> None:
    judgements, instructions = made(new_store(tmp_path), recipe(checking=Checking(code=True)), programming)
    assert [(row["method"], row["verdict"], row["detail"]) for row in judgements] == [
        ("code", "runs", ""),
        ("code", "fails", "ZeroDivisionError"),
        ("code", "not_checked", "needs torch"),
    ]
    assert {(row["model"], row["text"], len(row["request_keys"])) for row in judgements} == {(None, None, 0)}
    assert [(row["flags"], row["kept"], row["scores"]) for row in instructions] == [
        ([], True, {"code_runs": 1.0}),
        (["code_fails"], True, {"code_runs": 0.0}),
        ([], True, {}),
    ]


class Scripted:
    """Answers of a model server: of a fifth of the questions each kind, by what the question is."""

    KINDS = ("agree", "disagree", "prose", "runs", "fails")

    def __init__(self) -> None:
        self._seeds: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def __call__(self, payload: dict[str, Any]) -> str | None:
        if "answers the questions of students" not in payload["messages"][0]["content"]:
            return None
        question = payload["messages"][1]["content"]
        with self._lock:
            seeds = self._seeds.setdefault(question[:100], [])
            if payload["seed"] not in seeds:
                seeds.append(payload["seed"])
            again = seeds.index(payload["seed"])
        kind = self.kind(question)
        if kind in SAID:
            return SAID[kind][min(again, 1)]
        code = "print(sum(range(10)))" if kind == "runs" else "print([][0])"
        return f"A few lines are enough for all of it:\n\n```python\n{code}\n```\n\nNothing else is needed."

    @classmethod
    def kind(cls, question: str) -> str:
        return cls.KINDS[sum(question[:100].encode()) // 2 % len(cls.KINDS)]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(seed=1, says=Scripted()) as running:
        yield running


@pytest.fixture
def world(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(server, str(tmp_path / "store"), monkeypatch)


def asked(world: World, scope: Scope = Scope(), **given: Any) -> int:
    """Run; how many calls it made."""
    before = world.server.count
    assert bare_run(config(questions=20, **given), scope) == "Completed"
    return world.server.count - before


def expected(world: World, **given: Any) -> pd.DataFrame:
    wanted = recipe_of(config(questions=20, **given), Settings.load())
    chosen = taxonomies.current(world.store).select(disciplines=["physics"])
    return forecast(world.store, chosen, wanted, lambda *_: 0.001).set_index("stage")


def numeric(world: World) -> int:
    """How many questions have answers that state a result."""
    return sum(Scripted.kind(text) in ("agree", "disagree") for text in world.load("questions")["text"])


def test_switched_on_later_it_asks_what_was_forecast_and_nothing_twice(world: World) -> None:
    asked(world)
    plan = expected(world, checking=MATH)
    assert plan["calls"].sum() == plan.loc["judgements", "calls"]
    new = asked(world, checking=MATH)
    assert new == numeric(world) > 5
    assert abs(plan.loc["judgements", "calls"] - new) <= 0.1 * new
    assert plan.loc["judgements", "cost_usd"] == pytest.approx(0.001 * plan.loc["judgements", "calls"], abs=0.0005)
    assert asked(world, checking=MATH) == 0
    judgements, instructions = world.load("judgements"), world.load("instructions")
    assert Counter(judgements["verdict"]).keys() == {"agree", "disagree"}
    flagged = {row.question for row in instructions.itertuples() if "answers_disagree" in row.flags}
    assert flagged == {text for text in instructions["question"] if Scripted.kind(text) == "disagree"} != set()
    assert asked(world, checking=MATH, judging=Judging(rubric=True)) == len(instructions)  # no second answer again
    check_whole(world.store)


def test_a_run_that_is_cut_off_goes_on_without_paying_twice(world: World) -> None:
    asked(world)
    short = {"calls": 4, "id": "short"}
    before = world.server.count
    assert bare_run(config(questions=20, checking=MATH, budget=short)) == "BudgetSpent"
    first = world.server.count - before
    assert first + asked(world, checking=MATH) == numeric(world)
    assert max(world.server.count_by_payload(200).values()) == 1


@needs_namespaces
def test_checks_come_back_byte_for_byte_from_the_calls_on_record(world: World, tmp_path: Path) -> None:
    asked(world)
    world.server.faults = Faults(when=lambda payload, nth: "refusal" if _is_refused(payload) else None)
    asked(world, checking=BOTH)
    assert len(world.load("quarantine")) > 0
    world.server.faults = Faults()
    asked(world, Scope(mode="retry"), checking=BOTH)
    assert len(world.load("quarantine")) == 0
    judgements, instructions = world.load("judgements"), world.load("instructions")
    assert judgements["judgement_id"].is_unique
    assert Counter(judgements["method"])["math"] == numeric(world)
    assert set(judgements["verdict"]) == {"agree", "disagree", "runs", "fails"}
    assert {flag for flags in instructions["flags"] for flag in flags} == {"answers_disagree", "code_fails"}
    assert instructions["question_id"].is_unique
    check_whole(world.store)
    kept = {stage: world.objects(stage) for stage in ("judgements", "instructions", "quarantine")}
    for objects in kept.values():
        for path in objects:
            world.store.files.delete(path)
    results = list(Replay(world.store, world.store, new_store(tmp_path / "scratch")).all(["physics"]))
    assert {one.result for one in results} <= {"identical", "rebuilt"}
    assert {stage: world.objects(stage) for stage in kept} == kept


def _is_refused(payload: Any) -> bool:
    """Whether this is to be answered, of about half of the questions; by what stays when it is asked again."""
    system, question, *_ = (message["content"] for message in payload["messages"])
    return "answers the questions of students" in system and sum(question[:100].encode()) % 2 == 1
