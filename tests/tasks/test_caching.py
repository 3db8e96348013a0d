"""Cache keys and retries of unit tasks: what is shown as Cached, what never collides, what is tried again."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect import Task, flow
from prefect.client.schemas.objects import State
from prefect.context import TaskRunContext
from prefect.futures import wait
from prefect.states import Failed

from glan.errors import Cancelled, EndpointDown, EndpointRefused, StoreError, StoreWeather
from glan.units import Receipt, Stage, Unit
from tasks import caching, wiring
from tasks.caching import RETRIES, passing, unit_cache_key, unit_task
from tasks.receipts import receipts_in
from tasks.wiring import Order

CONTEXT = TaskRunContext.model_construct()
ORDER = Order(run_id="run", config_digest="")


def unit_of(stage: Stage = "syllabi", **fields: Any) -> Unit:
    fields = {
        "discipline_id": "physics",
        "address": "physics-optics",
        "key": "ab" * 32,
        "node": "physics/optics",
        **fields,
    }
    return Unit(stage=stage, path=("Natural sciences", "Physical sciences", "Physics"), **fields)


def receipt_of(unit: Unit, rows: int = 1, capacity: int | None = None) -> Receipt:
    return Receipt(
        stage=unit.stage,
        discipline_id=unit.discipline_id,
        unit=unit.address,
        key=unit.key,
        object=unit.object,
        rows=rows,
        sha256="0" * 64,
        planned=rows,
        content_digest="c",
        capacity=capacity,
        cost_usd=0.1,
    )


def key_of(unit: Unit) -> str:
    return unit_cache_key(CONTEXT, {"unit": unit, "order": "not part of the key"})


def states_of(store: Path, calls: Sequence[Callable[[], Any]]) -> list[State[Any]]:
    """Submit in one flow run; the final states in order."""

    @flow(persist_result=False)
    def discipline() -> list[State[Any]]:
        with receipts_in(str(store)):
            futures = [call() for call in calls]
            wait(futures)
        states.extend(future.state for future in futures)
        return []

    states: list[State[Any]] = []
    discipline()
    return states


class Work:
    """A unit's work that counts how often it was really done, and fails as told before."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.done = 0

    def task(self, stage: Stage = "syllabi", rows: int = 1, capacity: int | None = None) -> Task[..., Receipt]:
        @unit_task(stage)
        def make(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
            self.done += 1
            if self.failures:
                raise self.failures.pop(0)
            return receipt_of(unit, rows, capacity)

        return make


@pytest.mark.parametrize("stage", get_args(Stage))
def test_a_task_is_named_by_its_stage(stage: Stage) -> None:
    assert Work().task(stage).name == stage


@pytest.mark.parametrize(
    "changed",
    [{"stage": "questions"}, {"discipline_id": "law"}, {"address": "physics-heat"}, {"key": "cd" * 32}],
    ids=lambda changed: next(iter(changed)),
)
def test_each_ingredient_changes_the_cache_key(changed: dict[str, Any]) -> None:
    assert key_of(unit_of(**changed)) != key_of(unit_of())


@given(
    node=st.text(max_size=20),
    edition=st.integers(0, 9),
    parent_digest=st.text(max_size=5),
    start=st.integers(0, 9),
)
def test_nothing_else_changes_the_cache_key(**fields: Any) -> None:
    assert key_of(unit_of(**fields)) == key_of(unit_of())


@pytest.mark.parametrize("error", [StoreWeather("slow down"), EndpointDown("gone for an hour")])
def test_weather_is_tried_again(error: Exception) -> None:
    assert passing(Work().task(), None, Failed(data=error))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error", [EndpointRefused("bad key"), Cancelled("stop"), StoreError("foreign"), ValueError("bug")]
)
def test_what_another_try_cannot_cure_is_not_tried_again(error: Exception) -> None:
    assert not passing(Work().task(), None, Failed(data=error))  # type: ignore[arg-type]


@pytest.fixture
def trying_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(caching, "BACKOFF_SECONDS", 0.0)
    monkeypatch.setenv("GLAN_STORE", str(tmp_path))
    yield
    wiring.close(ORDER)


@pytest.mark.usefixtures("prefect_server")
class TestInsideAFlow:
    def test_a_unit_done_before_shows_as_cached_and_is_not_done_again(self, tmp_path: Path) -> None:
        work = Work()
        make = work.task(capacity=None)
        [first] = states_of(tmp_path, [lambda: make.submit(unit_of(), ORDER)])
        [second] = states_of(tmp_path, [lambda: make.submit(unit_of(), ORDER)])
        assert (first.name, second.name, work.done) == ("Completed", "Cached", 1)

    def test_a_receipt_comes_back_as_it_was(self, tmp_path: Path) -> None:
        make = Work().task(rows=7, capacity=12)
        for _ in range(2):
            [state] = states_of(tmp_path, [lambda: make.submit(unit_of(), ORDER)])
            assert state.result() == receipt_of(unit_of(), rows=7, capacity=12)

    def test_two_stages_with_equal_arguments_never_return_each_others_receipts(self, tmp_path: Path) -> None:
        syllabi, questions = Work().task("syllabi", rows=1), Work().task("questions", rows=9)
        calls = [
            lambda: syllabi.submit(unit_of("syllabi"), ORDER),
            lambda: questions.submit(unit_of("questions"), ORDER),
        ]
        for _ in range(2):
            states = states_of(tmp_path, calls)
            assert [state.result().rows for state in states] == [1, 9]

    def test_a_unit_whose_object_is_gone_is_done_again_on_demand(self, tmp_path: Path) -> None:
        work = Work()
        make = work.task()
        states_of(tmp_path, [lambda: make.submit(unit_of(), ORDER)])
        [again] = states_of(tmp_path, [lambda: make.with_options(refresh_cache=True).submit(unit_of(), ORDER)])
        assert (again.name, work.done) == ("Completed", 2)

    def test_a_task_run_is_named_by_stage_and_node(self, tmp_path: Path) -> None:
        from prefect import runtime

        names: list[str] = []

        @unit_task("syllabi")
        def make(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
            names.append(runtime.task_run.name)
            return receipt_of(unit)

        states_of(tmp_path, [lambda: make.submit(unit_of(node="physics/thermodynamics {0}"), ORDER)])
        assert names == ["syllabi physics/thermodynamics {0}"]

    @pytest.mark.usefixtures("trying_again_at_once")
    def test_weather_that_passes_ends_well(self, tmp_path: Path) -> None:
        work = Work(StoreWeather("slow down"), EndpointDown("gone"))
        make = work.task()
        [state] = states_of(tmp_path, [lambda: make.submit(unit_of(), ORDER)])
        assert (state.is_completed(), work.done) == (True, 3)

    @pytest.mark.usefixtures("trying_again_at_once")
    def test_weather_that_stays_fails_after_all_retries(self, tmp_path: Path) -> None:
        work = Work(*[StoreWeather("slow down")] * 9)
        make = work.task()
        [state] = states_of(tmp_path, [lambda: make.submit(unit_of(), ORDER)])
        assert isinstance(state.result(raise_on_failure=False), StoreWeather)
        assert work.done == 1 + RETRIES

    def test_a_final_error_is_not_tried_again_and_does_not_fail_the_others(self, tmp_path: Path) -> None:
        refused, fine = Work(EndpointRefused("bad key")), Work()
        makers = [refused.task(), fine.task()]
        units = [unit_of(), unit_of(address="physics-heat")]
        states = states_of(
            tmp_path, [lambda: makers[0].submit(units[0], ORDER), lambda: makers[1].submit(units[1], ORDER)]
        )
        assert [state.is_completed() for state in states] == [False, True]
        assert refused.done == 1
