"""A night's work: further questions where accepted instructions are short of the target, the least covered first.

It goes in passes, each a sub-flow: how many questions bring the rest depends on what curation accepts of the ones before.
"""

import datetime
from collections.abc import Sequence
from functools import partial
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State, StateDetails
from prefect.states import Completed

from flows.curate import curate_all
from flows.disciplines import make_disciplines
from flows.endings import told
from flows.parameters import CurateConfig, ExpandConfig
from glan.config import Budget, RunConfig
from glan.planning.expansion import Growth, Standing, growth, standing
from glan.planning.recipes import base_config, recipe_of
from glan.planning.scope import walks
from glan.settings import Settings
from glan.store import spending, taxonomies
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from glan.units import Scope
from tasks import progress
from tasks.checking import check_able
from tasks.endpoints import prices_of
from tasks.outlook import publish_growth
from tasks.preflight import check
from tasks.waiting import patiently

NIGHTS = "expand."
"""What the budgets of all nights begin with."""


@flow(name="expand", flow_run_name="expand {config.selected} to {config.target}", persist_result=False)
@told
def expand(config: ExpandConfig = ExpandConfig()) -> State[Any]:
    """Judge what is unjudged, ask for what is short of the target within tonight's budget, say what came of it."""
    settings = Settings.load()
    store = Store.open(settings.store)
    chosen = {**config.selectors(), "on_busy": config.on_busy}
    whole = patiently(partial(base_config, config.recipe, store, settings)).model_copy(update=chosen)
    _check(config, whole, patiently(partial(taxonomies.current, store)))
    states: list[State[Any]] = []
    if patiently(store.begun):
        states.append(curate_all(CurateConfig(curation=whole.curation), return_state=True))
    if all(state.is_completed() for state in states):  # what is not judged cannot be planned for
        before = patiently(partial(_standings, store, whole))
        passes, plan = _passes(config, whole, store, before)
        states += passes
        publish_growth(_outcome(before, plan, config.target), config.target)
    worst: State[Any] = max(reversed(states), key=_gravity)
    return worst.model_copy(update={"state_details": StateDetails()})  # Prefect only counts states of other runs


def _check(config: ExpandConfig, whole: RunConfig, tree: Taxonomy) -> None:
    """Check all that the passes need, before anything is judged or asked.

    Raises:
        InputError: settings, prices, prompts, profiles or disciplines are wrong, or answers cannot be checked here.
    """
    budget = config.in_all if config.night.usd is None else config.night
    check_able(check(whole.model_copy(update={"budget": budget}), tree).config)


def _gravity(state: State[Any]) -> tuple[bool, bool, bool]:
    """Of several ends, what goes first: a run that broke off, one without money, one with holes."""
    return not state.is_completed(), state.name == "BudgetSpent", state.name != "Completed"


def _passes(
    config: ExpandConfig, whole: RunConfig, store: Store, standings: Sequence[Standing]
) -> tuple[list[State[Any]], list[Growth]]:
    """Ask until every discipline has its target or can get no further, or the passes are used up.

    How each pass ended, at least one, and how far that brought each discipline.
    """
    states: list[State[Any]] = []
    plan = _planned(config, whole, standings)
    while any(one.limits for one in plan) and len(states) < config.passes:
        asked = sum(one.standing.asked for one in plan)
        get_run_logger().info(f"pass {len(states) + 1}: about {sum(one.wanted for one in plan):,} questions to ask")
        states.append(_pass(len(states) + 1, whole, plan, patiently(partial(tonight, config, store))))
        plan = _planned(config, whole, patiently(partial(_standings, store, whole)))
        ended = states[-1].name not in ("Completed", "PartiallyCompleted")
        if ended or sum(one.standing.asked for one in plan) == asked:
            break
    return states or [Completed(message="every discipline has reached its target, or can get no further")], plan


def _planned(config: ExpandConfig, whole: RunConfig, standings: Sequence[Standing]) -> list[Growth]:
    languages = len(whole.languages)
    return growth(standings, config.target, config.attempts, whole.subjects, whole.questions, languages)


def _pass(number: int, whole: RunConfig, plan: Sequence[Growth], budget: Budget | None) -> State[Any]:
    """One pass, as a run of its own whose figures also count in those of the night."""
    if budget is None:
        return Completed(name="BudgetSpent", message="the budget of all nights together is spent")
    limits = {node: limit for one in plan for node, limit in one.limits.items()}
    disciplines = [node for node in limits if "/" not in node]
    chosen = {"disciplines": disciplines, "fields": [], "sub_fields": [], "patterns": [], "budget": budget}
    night = progress.of(str(runtime.flow_run.id))

    @flow(name="expand-pass", flow_run_name=f"pass {number}", persist_result=False)
    @told
    def expand_pass() -> State[Any]:  # without parameters: limits of many thousand syllabi are no text for a form
        state = make_disciplines(whole.model_copy(update=chosen), Scope(mode="missing", questions=limits))
        night.goes_on_with(progress.of(str(runtime.flow_run.id)))
        return state

    state: State[Any] = expand_pass(return_state=True)
    return state


def _standings(store: Store, config: RunConfig) -> list[Standing]:
    settings = Settings.load()
    recipe = recipe_of(config, settings)
    selected = taxonomies.current(store).select(**config.selectors())
    found = walks(store, selected, recipe)
    return [standing(store, walk.discipline, walk.shelf, config.languages) for walk in found]


def tonight(config: ExpandConfig, store: Store) -> Budget | None:
    """What may be spent under tonight's id; None if all nights together have spent what they may.

    A night is the day (UTC) for which the run was scheduled, so a run that goes on from a killed one spends no more.
    """
    scheduled: datetime.datetime = runtime.flow_run.scheduled_start_time
    night = config.night.id or f"{NIGHTS}{scheduled.astimezone(datetime.UTC).date().isoformat()}"
    if not config.in_all.limited:
        return config.night.model_copy(update={"id": night})
    prices = prices_of(Settings.load())
    cost = prices.cost if config.in_all.usd is not None else None
    before = spending.spent(store.files, night, cost)
    nights = [spending.spent_below(store.files, NIGHTS, cost), *([] if night.startswith(NIGHTS) else [before])]
    caps: dict[str, Any] = {"id": night}
    for name in ("usd", "tokens", "calls"):
        cap, limit = getattr(config.night, name), getattr(config.in_all, name)
        if limit is not None:
            left = limit - sum(getattr(some, name) for some in nights)
            if left <= 0:
                return None
            most = getattr(before, name) + left
            cap = most if cap is None else min(cap, most)
        caps[name] = cap
    return Budget(**caps)


def _outcome(before: Sequence[Standing], plan: Sequence[Growth], target: int) -> list[dict[str, Any]]:
    """A line for each discipline: what was there, what was added, what is left to do."""
    was_there = {one.discipline.discipline_id: one for one in before}
    lines = []
    for one in plan:
        now, name = one.standing, one.standing.discipline.discipline_id
        lines.append(
            {
                "discipline": name,
                "accepted before": was_there[name].accepted,
                "accepted now": now.accepted,
                "asked tonight": now.asked - was_there[name].asked,
                "left to the target": max(0, target - now.accepted),
                "remark": one.reason,
            }
        )
    return lines
