"""What a run would ask and cost, for people: the table of a forecast, and what its figures rest on."""

from typing import Any

import pandas as pd

from flows.terminal.screen import out, show_table
from glan.gateway.prices import Prices
from glan.planning.forecast import records
from glan.stages.shared.recipe import Recipe
from glan.wording import counted

_RANGE = ("calls_at_least", "calls_at_most", "cost_at_most_usd")
_SUMMED = ("units", "calls", "calls_at_least", "calls_at_most", "prompt_tokens", "completion_tokens")
_COSTS = ("cost_usd", "cost_at_most_usd")


def show_forecast(title: str, table: pd.DataFrame, recipe: Recipe, prices: Prices) -> None:
    """The forecast with its total, and what its figures rest on."""
    lines = records(table)
    total = {"stage": "in all", "units": 0, "rows": "", **{name: sum(line[name] for line in lines) for name in _SUMMED}}
    for name in _COSTS:
        costs = [line[name] for line in lines]
        total[name] = None if None in costs else sum(costs)
    exact = (table["calls_at_least"] == table["calls_at_most"]).all()
    left_out = {"learned_from", *(_RANGE if exact else ())}
    show_table(title, [{name: line[name] for name in line if name not in left_out} for line in [*lines, total]])
    if not table["calls_at_most"].sum():
        out.print("Everything is up to date: no call would be made.")
        return
    if not exact:
        out.print("Calls are a range where inputs do not exist yet; tokens and cost are of the likely number.")
    _say_kinds(lines, recipe)
    _say_grounds(lines)
    for sentence in price_notes(recipe, prices):
        out.print(sentence, markup=False, highlight=False)


def _say_kinds(lines: list[dict[str, Any]], recipe: Recipe) -> None:
    """Of the questions to come, about how many are of each difficulty and type that is asked for."""
    questions = next((line["rows"] for line in lines if line["stage"] == "questions"), 0)
    for weights in (recipe.config.difficulties.given, recipe.config.question_types.given):
        whole = sum(weights.values())
        named = [f"{questions * weight / whole:,.0f} {name.replace('_', ' ')}" for name, weight in weights.items()]
        if named and questions:
            out.print(f"Of {counted(questions, 'question')} about {', '.join(named)}.", highlight=False)


def _say_grounds(lines: list[dict[str, Any]]) -> None:
    """How much of the store the figures go by."""
    at_work = [line for line in lines if line["calls"]]
    assumed = [line["stage"] for line in at_work if not line["learned_from"]]
    learned = [f"{line['stage']} {counted(line['learned_from'], 'call')}" for line in at_work if line["learned_from"]]
    if learned:
        out.print(f"Learned from what is on record: {', '.join(learned)}.", highlight=False)
    if assumed:
        out.print(f"Tokens are assumed, until there are calls to learn from: {', '.join(assumed)}.", highlight=False)


def price_notes(recipe: Recipe, prices: Prices) -> list[str]:
    """A sentence on where the prices are from, and one on the models that have none."""
    models = list(dict.fromkeys(profile.model for profile in recipe.models().values()))
    known = list(dict.fromkeys(filter(None, map(prices.source, models))))
    unknown = [model for model in models if prices.source(model) is None]
    notes = [f"Prices: {', '.join(known)}."] if known else []
    if unknown:
        notes.append(f"No price is known of {', '.join(unknown)}: name it in the table of GLAN_PRICES.")
    return notes
