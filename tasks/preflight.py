"""RunConfig -> recipe: everything checked that can be without writing or asking. Imports no Prefect: `glan plan` checks."""

from importlib.util import find_spec

from glan.config import RunConfig
from glan.errors import InputError
from glan.gateway.prices import without_price
from glan.planning.recipes import recipe_of
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from glan.taxonomy import Taxonomy
from glan.units import Scope
from tasks.endpoints import endpoint_of, goes_by_batch, prices_of


def check(config: RunConfig, tree: Taxonomy, scope: Scope = Scope()) -> Recipe:
    """Check everything a run needs; nothing is written and no model is asked.

    Raises:
        InputError: settings, prices, prompts, profiles or disciplines are wrong.
    """
    settings = Settings.load()
    _check_task_runner(settings)
    recipe = recipe_of(config, settings)
    prices = prices_of(settings, recipe.models().values())
    for profile in recipe.models().values() if scope.asks_a_model else ():
        endpoint_of(settings)(profile)
        cost = prices.batch_cost if goes_by_batch(profile, settings) else prices.cost
        if config.budget.usd is not None and cost(profile.model, 0, 0, 0) is None:
            raise without_price(profile.model, batch=goes_by_batch(profile, settings))
    tree.select(**config.selectors())
    return recipe


def _check_task_runner(settings: Settings) -> None:
    """See that the task runner that is set can be had.

    Raises:
        InputError: it cannot.
    """
    if settings.task_runner == "dask" and find_spec("prefect_dask") is None:
        raise InputError(
            "GLAN_TASK_RUNNER: dask is not installed; install glan[dask], or set GLAN_TASK_RUNNER=threads and run again"
        )
    if settings.task_runner != "dask" and settings.dask_address:
        raise InputError("GLAN_DASK_ADDRESS is set, but not used by threads; set GLAN_TASK_RUNNER=dask, or unset it")
