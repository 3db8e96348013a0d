"""Commands that go on from what a store holds: expand, backfill, quarantine retry, curate."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from flows.parameters import BackfillConfig, CurateConfig, ExpandConfig, RetryConfig
from flows.terminal.options import as_typed
from flows.terminal.outcome import carry_out, show_outcome
from flows.terminal.plan import show_forecast
from flows.terminal.quarantine import check_kinds
from flows.terminal.screen import ENDED_WITH_FAILURES, explained, out, quiet_prefect, show_json, stop
from glan.checks import explain
from glan.config import RunConfig, Selection
from glan.dataset import View
from glan.errors import InputError
from glan.planning.forecast import records
from glan.planning.recipes import base_config
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store import taxonomies
from glan.store.store import Store

Form = TypeVar("Form", bound=BaseModel)


def run_expand(run_file: Path | None, given: Mapping[str, Any], as_json: bool) -> None:
    """`glan expand`."""
    quiet_prefect()
    with explained():
        config = _form(ExpandConfig, run_file, given)
        _check(config)
        from flows.expand import expand

        _carry_out(lambda: expand(config, return_state=True), as_json)


def run_backfill(run_file: Path | None, given: Mapping[str, Any], yes: bool, as_json: bool) -> None:
    """`glan backfill`: what would be asked and what it would cost comes first."""
    quiet_prefect()
    with explained():
        config = _form(BackfillConfig, run_file, given)
        from flows.backfill import backfill, preview, work
        from tasks.endpoints import prices_of

        Store.existing(Settings.load().store)
        recipe = _check(config)
        table = preview(*work(config))
        if config.preview and as_json:
            show_json(records(table))
            return
        if not as_json:
            show_forecast("What would be made", table, recipe, prices_of(Settings.load(), recipe.models().values()))
        if config.preview:
            return
        if not (yes or as_json) and sys.stdin.isatty() and not typer.confirm("Go on?"):
            stop("nothing was asked and nothing was written", ENDED_WITH_FAILURES)
        _carry_out(lambda: backfill(config, return_state=True), as_json)


def run_retry(run_file: Path | None, given: Mapping[str, Any], as_json: bool) -> None:
    """`glan quarantine retry`."""
    quiet_prefect()
    with explained():
        config = _form(RetryConfig, run_file, given)
        check_kinds(View.open(Store.existing(Settings.load().store), "latest"), config.kinds)
        _check(config)
        from flows.retry_quarantine import retry_quarantine

        _carry_out(lambda: retry_quarantine(config, return_state=True), as_json)


def run_curate(run_file: Path | None, as_json: bool) -> None:
    """`glan curate`."""
    quiet_prefect()
    with explained():
        Store.existing(Settings.load().store)
        config = CurateConfig(curation=RunConfig.from_file(run_file).curation if run_file else None)
        from flows.curate import curate_all

        _carry_out(lambda: curate_all(config, return_state=True), as_json)


def _check(config: ExpandConfig | BackfillConfig | RetryConfig) -> Recipe:
    """Everything that can be wrong, before a Prefect server is started for it; how things would be made.

    Raises:
        InputError: settings, models, prices or disciplines are wrong, or answers cannot be checked here.
    """
    from tasks.checking import check_able
    from tasks.preflight import check

    settings = Settings.load()
    store = Store.open(settings.store)
    whole = base_config(config.recipe, store, settings).model_copy(update=config.selectors())
    made = check(whole, taxonomies.current(store))
    check_able(made.config)
    return made


def _form(kind: type[Form], run_file: Path | None, given: Mapping[str, Any]) -> Form:
    """What was typed; disciplines that a run file names hold where none were."""
    recipe = RunConfig.from_file(run_file) if run_file else None
    named = recipe.selectors() if recipe and not any(name in given for name in Selection.model_fields) else {}
    try:
        return kind.model_validate({**named, **given, "recipe": recipe})
    except ValidationError as error:
        raise InputError(as_typed(f"options: {explain(error, list(kind.model_fields))}")) from error


def _carry_out(job: Callable[[], Any], as_json: bool) -> None:
    state, run_id = carry_out(job, shown=not as_json)
    show_outcome(state, run_id, Store.open(Settings.load().store), as_json, strict=True)
    if not as_json and state.message:
        out.print(state.message, markup=False, highlight=False)
