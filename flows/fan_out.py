"""One run of a deployment for each discipline, a bounded number at a time, watched by the run that started them."""

from functools import partial
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.endings import told
from flows.parameters import FanOutConfig
from glan.config import Budget
from glan.planning.recipes import last_config
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from tasks.children import Child, Children
from tasks.curation import curated_together
from tasks.sharing import Shares
from tasks.waiting import patiently


@flow(name="fan-out", flow_run_name="fan-out {config.deployment} {config.selected}", persist_result=False)
@told
def fan_out(config: FanOutConfig = FanOutConfig()) -> State[Any]:
    """Start, watch and sum up; one discipline that fails stops no other, and all are cancelled with this run.

    In the end duplicates are decided over all, if those that ran side by side may have missed some of each other's.
    """
    settings = Settings.load()
    store = Store.open(settings.store)
    tree = patiently(partial(taxonomies.current, store))
    names = [one.discipline_id for one in tree.select(**config.selectors())]
    run_id = str(runtime.flow_run.id)
    budget_id = config.budget.id or f"fan-out.{run_id}"
    shares = patiently(partial(Shares, config.budget, budget_id, store.files, len(names)))
    children = Children(config.deployment, run_id, len(names), settings.patience_seconds)
    with children:
        while names or children.open:
            while names and len(children.open) < config.at_once and not shares.spent:
                name = names.pop(0)
                children.start(name, _form(config, name, patiently(partial(shares.deal, name))))
            if shares.spent and not children.open:
                break
            for child in children.wait():
                patiently(partial(shares.give_back, child.discipline_id))
    if children.ended and (last := patiently(partial(last_config, store, settings))):
        curated_together(store, last.curation, run_id)
    return _end(children.ended, names)


def _form(config: FanOutConfig, discipline_id: str, share: Budget) -> dict[str, Any]:
    """The started deployment's form: what is common to all, and the one discipline."""
    budget = {"budget": share.model_dump()} if share.limited else {}
    return {"config": {**config.config, "disciplines": [discipline_id], **budget}}


def _end(ended: list[Child], unstarted: list[str]) -> State[Any]:
    failed = [child for child in ended if not child.completed]
    partly = [child for child in ended if child.completed and child.state_name != "Completed"]
    figures = f"{len(ended) - len(failed) - len(partly)} of {len(ended) + len(unstarted)} disciplines completed"
    if failed and len(failed) == len(ended):
        return Failed(message=f"{figures}; {failed[0].discipline_id}: {failed[0].message}")
    if unstarted or any(child.state_name == "BudgetSpent" for child in partly):
        return Completed(name="BudgetSpent", message=f"{figures}, {len(unstarted)} not begun: the budget is spent")
    if failed or partly:
        named = ", ".join(f"{child.discipline_id} ({child.state_name})" for child in [*failed, *partly][:20])
        return Completed(name="PartiallyCompleted", message=f"{figures}; not: {named}")
    return Completed(message=figures)
