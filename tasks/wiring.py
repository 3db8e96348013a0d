"""Settings -> effects: the one place where the gateway of a run is made, with its call log, clock and randomness.

A process keeps one set of effects for each run it works on, so that all tasks of a run share one gateway. A worker of
another process or machine makes its own from its own environment and the run's order, which is two short strings.
"""

import asyncio
import functools
import gc
import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from glan.clock import now
from glan.config import RunConfig
from glan.curation.contamination import kept_out
from glan.errors import Cancelled, GlanError, StoreError
from glan.gateway.batch import provider
from glan.gateway.gateway import Allowance, Batching, Gateway, Limits
from glan.gateway.prices import Cost
from glan.gateway.terms import Amount
from glan.models import ModelProfile
from glan.prompts import Prompts
from glan.settings import Settings
from glan.stages.shared.making import Effects
from glan.stages.shared.recipe import Recipe
from glan.store import inputs, runs, spending
from glan.store.batches import BatchBook
from glan.store.calls import CallLog, Histories
from glan.store.leases import Leases
from glan.store.patience import waited_for
from glan.store.runs import RunRecord
from glan.store.store import Store
from glan.units import Scope
from tasks import progress
from tasks.endpoints import endpoint_of, goes_by_batch, prices_of
from tasks.holding import leases_of
from tasks.watching import Watch


class Order(BaseModel):
    """What a task needs to know of its run: its id and the digest under which its configuration is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    config_digest: str


@dataclass(frozen=True)
class Crew:
    """What connects this process with the others that work for the same run."""

    tell: Callable[[str], None]
    """Say something that a person who watches the run should know."""
    lost: Callable[[], int] = lambda: 0
    """How many of them have died so far."""
    processes: int = 1
    """How many they are."""


_COLLECT_AFTER = (20_000, 20, 20)
"""Python looks for dead cycles after every 700 new objects, and each tenth time farther: a tenth of the CPU of a call."""

_effects: dict[str, Effects] = {}
_crews: dict[str, Crew] = {}
_watches: dict[str, Watch | None] = {}
_settings: dict[str, Settings] = {}
_lock = threading.Lock()
_logger = logging.getLogger("glan")

Result = TypeVar("Result")


def effects(order: Order, profiles: Collection[ModelProfile] = ()) -> Effects:
    """The effects of a run in this process, made at their first use.

    `profiles` are those that are asked where the order has no configuration to name them.
    """
    with _lock:
        if order.run_id not in _effects:
            gc.set_threshold(*_COLLECT_AFTER)
            settings = _settings_of(order)
            made = _effects[order.run_id] = _make(order, settings, profiles)
            _watches[order.run_id] = Watch.begin(order.run_id, made.gateway, settings.max_concurrency)
        return _effects[order.run_id]


def leases(order: Order) -> Leases:
    """The leases of a run, held by this process."""
    return leases_of(effects(order).store.files, order.run_id)


def join(order: Order, crew: Crew) -> None:
    """Make this process one of several that work for a run, before its effects are made."""
    _crews[order.run_id] = crew


def stop(order: Order, error: GlanError) -> None:
    """End the calls of a run in this process, present and later, with this error."""
    effects(order).gateway.stop(error)


def close(order: Order) -> None:
    """Write out what is left of the call log and stop the gateway of a run. A store that is away is waited for.

    Raises:
        StoreError: replies could not be put on record, and nobody had told the run to stop.
    """
    with _lock:
        made = _effects.pop(order.run_id, None)
        _crews.pop(order.run_id, None)
        watch = _watches.pop(order.run_id, None)
        settings = _settings.pop(order.run_id, None)
    if watch is not None:
        watch.end()
    if made is None or settings is None:
        return
    hurried = isinstance(made.gateway.ended_by, Cancelled)
    made.gateway.close()
    patience = 0.0 if hurried else settings.patience_seconds
    try:
        waited_for(made.log.close, patience, time.sleep, progress.of(order.run_id).say)
    except StoreError as error:
        if not hurried:
            raise
        _logger.warning("%d calls were not put on record and will be made again: %s", made.log.backlog, error)


def check(order: Order) -> None:
    """Raise if the run was told to stop.

    Raises:
        Cancelled: it was.
    """
    ended_by = effects(order).gateway.ended_by
    if isinstance(ended_by, Cancelled):
        raise type(ended_by)(str(ended_by))


def rest(order: Order, seconds: float) -> None:
    """Wait before another try, but not beyond the moment the run is told to stop.

    Raises:
        GlanError: what ended the run.
    """
    effects(order).gateway.rest(seconds)


def with_store(order: Order, work: Callable[[], Result]) -> Result:
    """What a look at the store, or a change that may be made twice, comes to, be the store away meanwhile.

    Raises:
        StoreWeather: it stayed away for longer than the patience set.
        GlanError: what ended the run.
    """
    say = progress.of(order.run_id).say
    return waited_for(work, patience_seconds(order), functools.partial(rest, order), say)


def await_store(order: Order) -> None:
    """Return once the store answers; raises as `with_store` does."""
    files = effects(order).store.files
    with_store(order, lambda: files.exists("README.txt"))


def _settings_of(order: Order) -> Settings:
    """The settings of a run in this process, read once: every unit asks for them."""
    if order.run_id not in _settings:
        _settings[order.run_id] = Settings.load()
    return _settings[order.run_id]


def patience_seconds(order: Order) -> float:
    """How long a run waits for what is away."""
    return _settings_of(order).patience_seconds


def recipe(order: Order) -> Recipe:
    """The configuration of a run, from the store, and the prompts of this machine."""
    settings = _settings_of(order)
    return _recipe(settings.store, str(settings.prompts or ""), order.config_digest)


def scope(order: Order) -> Scope:
    """Which part of the work a run takes on, from its record in the store."""
    return _record(_settings_of(order).store, order.run_id).scope


def allowance(record: RunRecord, store: Store, cost: Cost, crew: Crew) -> Allowance | None:
    """What this process may spend of a run's budget: its share of all that is left by the calls on record.

    A process that has come for one that died gets none of it, for nobody knows what that one's share still held.
    None: nothing is capped.

    Raises:
        InputError: money is capped, and calls on record have no price.
    """
    caps = runs.config_of(store.files, record).budget
    if not caps.limited:
        return None
    used = spending.spent(store.files, record.budget_id, cost if caps.usd is not None else None)
    spent = Amount(used.calls, used.tokens, used.usd or 0.0)
    share = 0.0 if crew.lost() else 1 / crew.processes
    given = {
        name: getattr(spent, name) + type(cap)((cap - getattr(spent, name)) * share)
        for name in ("usd", "tokens", "calls")
        if (cap := getattr(caps, name)) is not None
    }
    return Allowance(caps if share == 1 else caps.model_copy(update=given), spent)


def budget_id(order: Order) -> str:
    """Under which id a run's spending is counted."""
    return _record(_settings_of(order).store, order.run_id).budget_id


@functools.lru_cache(maxsize=16)
def _record(store_url: str, run_id: str) -> RunRecord:
    return runs.find(Store.open(store_url).files, run_id)


@functools.lru_cache(maxsize=16)
def _recipe(store_url: str, prompts: str, config_digest: str) -> Recipe:
    files = Store.open(store_url).files
    config = RunConfig.model_validate_json(files.read(inputs.path("config", config_digest, "json")))
    texts = Prompts.load(Settings.load().prompts if prompts else None)
    return Recipe(config, texts, functools.cache(lambda: kept_out(files, config.curation)))


def _make(order: Order, settings: Settings, profiles: Collection[ModelProfile]) -> Effects:
    store = Store.open(settings.store)
    profiles = recipe(order).models().values() if order.config_digest else profiles
    prices = prices_of(settings, profiles)
    # The tiny calls of `doctor` belong to no run.
    record = _record(settings.store, order.run_id) if order.config_digest else None
    crew = _crews.get(order.run_id) or Crew(tell=progress.of(order.run_id).say)
    allowed = allowance(record, store, prices.cost, crew) if record else None
    # Threads begin here, when all that a store which is away could refuse has been read.
    log = CallLog(store.files, writer=secrets.token_hex(8), flush_seconds=settings.flush_seconds, clock=now)
    gateway = Gateway(
        endpoint=endpoint_of(settings),
        log=log,
        run_id=order.run_id,
        limits=Limits(
            max_concurrency=settings.max_concurrency,
            requests_per_minute=settings.requests_per_minute,
            tokens_per_minute=settings.tokens_per_minute,
            patience_seconds=settings.patience_seconds,
        ),
        prices=prices,
        budget_id=record.budget_id if record else "",
        allowance=allowed,
        notify=crew.tell,
        clock=now,
        randomness=random.Random(),
        batching=_batching(profiles, settings, store),
        on_call=progress.of(order.run_id).called,
    )
    histories = Histories(store.files, log, crew.lost)
    return Effects(
        store=store,
        gateway=gateway,
        log=log,
        history=histories.of,
        forget=histories.forget,
        run_id=order.run_id,
        clock=now,
    )


def _batching(profiles: Iterable[ModelProfile], settings: Settings, store: Store) -> Batching | None:
    """How batches are made, where any of the profiles goes by them."""
    if not any(goes_by_batch(profile, settings) for profile in profiles):
        return None
    return Batching(BatchBook(store.files, now), settings.batch_gather_seconds, settings.batch_requests)


def in_batches(order: Order) -> bool:
    """Whether any calls of a run go by a Batch API."""
    settings = _settings_of(order)
    return any(goes_by_batch(profile, settings) for profile in recipe(order).models().values())


def check_batch_apis(recipe: Recipe, settings: Settings) -> None:
    """See that each endpoint whose Batch API is to be used has one. One that does not answer is left for later.

    Raises:
        InputError: one has none.
    """
    endpoints = {endpoint_of(settings)(profile) for profile in recipe.models().values()}
    for endpoint in endpoints:
        if endpoint.batch:
            asyncio.run(provider.check(endpoint))
