"""Commands that start a run or look ahead to one: demo, run, plan, doctor."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from flows.terminal.options import as_typed
from flows.terminal.outcome import carry_out, show_outcome
from flows.terminal.plan import show_forecast
from flows.terminal.screen import (
    ENDED_WITH_FAILURES,
    explained,
    note,
    out,
    quiet_prefect,
    show_json,
    show_table,
    stop,
    warn,
)
from glan import local_model
from glan import taxonomy as trees
from glan.config import RunConfig
from glan.errors import InputError
from glan.planning.forecast import forecast, records
from glan.planning.pilot import pilot
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.taxonomy import Taxonomy
from glan.units import Scope
from glan.wording import counted

Given = tuple[Path | None, Mapping[str, Any]]
DEMO = Path(str(package_files("glan") / "demo.toml"))
SAMPLES_SHOWN = 2


def run_demo(as_json: bool) -> None:
    """`glan demo`: the embedded model, unless GLAN_MODEL names another."""
    with explained():
        local = not Settings.load().model
        kept = _run((DEMO, {}), None, local, as_json)
        if not as_json:
            _show_samples()
            _say_next_step()
        if not kept:
            stop("nothing was kept of what the demo made; see the reasons above", ENDED_WITH_FAILURES)


def start_run(given: Given, taxonomy: Path | None, local: bool, as_json: bool) -> None:
    """`glan run`."""
    with explained():
        _run(given, taxonomy, local, as_json, strict=True)


def forecast_run(
    given: Given, taxonomy: Path | None, local: bool, as_json: bool, pilot_questions: int | None = None
) -> None:
    """`glan plan` and `glan run --dry-run`, of a pilot too: asks no model and writes nothing."""
    from tasks.endpoints import prices_ahead

    with explained(), local_names(local):
        _, recipe, tree, store = checked(given, taxonomy, local)
        prices, cost = prices_ahead(Settings.load(), recipe.models().values())
        disciplines = tree.select(**recipe.config.selectors())
        scope = Scope()
        if pilot_questions is not None:
            scope = pilot(walks(store, disciplines, recipe), recipe.config, pilot_questions)
        table = forecast(store, disciplines, recipe, cost, scope, warn)
    if as_json:
        show_json(records(table))
    else:
        show_forecast("What would run", table, recipe, prices)


def examine(given: Given, local: bool, as_json: bool) -> None:
    """`glan doctor`."""
    from tasks.doctor import examine_profiles

    with explained(), local_names(local):
        _, recipe, _, store = checked(given, None, local)
        with local_model.LocalModel() if local else nullcontext() as served:
            use(served)
            store.start()
            findings = [{"what": "store", "where": store.files.url, "fine": True, "remark": "create-only writes hold"}]
            findings += examine_profiles(recipe, Settings.load())
    if as_json:
        show_json(findings)
    else:
        show_table("Doctor", findings)
    if not all(finding["fine"] for finding in findings):
        stop("something is wrong; see above", ENDED_WITH_FAILURES)


def checked(given: Given, taxonomy: Path | None, local: bool) -> tuple[RunConfig, Recipe, Taxonomy, Store]:
    """Everything a run needs, checked before anything is written or asked; the configuration as given, and resolved."""
    from glan.store import taxonomies
    from tasks.preflight import check

    run_file, options = given
    if run_file is None and local:
        run_file = DEMO
    base = RunConfig.from_file(run_file) if run_file else RunConfig()
    budget = {**base.budget.model_dump(), **options.get("budget", {})}
    try:
        config = RunConfig.checked({**base.model_dump(), **options, "budget": budget}, source="options")
    except InputError as error:
        raise InputError(as_typed(str(error))) from error
    store = Store.open(Settings.load().store)
    tree = trees.read(taxonomy) if taxonomy else taxonomies.current(store)
    return config, check(config, tree), tree, store


@contextmanager
def local_names(local: bool) -> Iterator[None]:
    """With the embedded model, every profile has its name, whether or not it has been started yet."""
    if local:
        os.environ["GLAN_MODEL"] = local_model.MODEL
        os.environ.setdefault("OPENAI_API_KEY", "none")
        os.environ.setdefault("GLAN_MAX_CONCURRENCY", str(local_model.SLOTS))
    yield


def use(served: local_model.LocalModel | None) -> None:
    """Send calls to the embedded model, if it is served."""
    if served is not None:
        os.environ["OPENAI_BASE_URL"] = served.base_url


def _run(given: Given, taxonomy: Path | None, local: bool, as_json: bool, strict: bool = False) -> int:
    """Run `generate` in this process and show what came of it; how many instructions are kept in all."""
    quiet_prefect()
    with local_names(local):
        from tasks.checking import check_able

        config, recipe, tree, store = checked(given, taxonomy, local)
        check_able(recipe.config)
        every = walks(store, tree.select(**recipe.config.selectors()), recipe)
        todo = [walk for walk in every if not survey(walk).complete]
        if todo and not as_json:
            note.print(
                f"{counted(len(todo), 'discipline')} to work on; data goes to {store.files.url}", highlight=False
            )
        with local_model.LocalModel() if local and todo else nullcontext() as served:
            use(served)
            settle(taxonomy, config, tree, store)
            state, run_id = carry_out(lambda: make(config), shown=not as_json)
    return show_outcome(state, run_id, store, as_json, strict)


def settle(taxonomy: Path | None, config: RunConfig, tree: Taxonomy, store: Store) -> None:
    """Make a person's file, if one was given, the taxonomy of the store: the first that is written, so once nothing
    that was typed or set can be wrong.

    Raises:
        InputError: something is; nothing was written.
    """
    if taxonomy is None:
        return
    from flows.server import check_server
    from tasks.preparation import examine as examine_run
    from tasks.taxonomy_versions import use_taxonomy

    check_server()
    examine_run(config, tree, store)
    use_taxonomy(store, taxonomy)


def make(config: RunConfig) -> Any:
    """The flow `generate`, in this process; its end state."""
    from flows.generate import generate

    return generate(config, return_state=True)


def _show_samples() -> None:
    from glan.dataset import load

    rows = load("instructions", columns=["discipline", "subject", "question", "answer", "kept"])
    one_each = rows[rows["kept"]].drop_duplicates("discipline")
    for _, row in one_each.head(SAMPLES_SHOWN).iterrows():
        out.rule(f"{row['discipline']} / {row['subject']}", style="dim")
        out.print(f"Q: {row['question']}\n\nA: {row['answer']}", markup=False, highlight=False)
    out.rule(style="dim")


def _say_next_step() -> None:
    out.print(
        "This text is by a model of 135 million parameters, so it is poor; the way it was made is the real one.\n"
        "Next, with a real teacher (any OpenAI-compatible endpoint):\n"
        "  export OPENAI_API_KEY=... GLAN_MODEL=gpt-4.1 GLAN_STORE=./data-teacher\n"
        "  glan plan --discipline physics --subjects 3 --questions 20\n"
        "  glan run  --discipline physics --subjects 3 --questions 20",
        highlight=False,
    )
