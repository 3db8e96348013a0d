"""Options that several commands of `glan` share, and what of them was given."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

RunFile = Annotated[
    Path | None, typer.Argument(metavar="RUN.toml", help="What to make; without it, the paper's values.")
]
RecipeFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN.toml", help="How to make it, and of which disciplines; without it, as the last run did, of all."
    ),
]
LastRunFile = Annotated[
    Path | None, typer.Argument(metavar="RUN.toml", help="What to go by; without it, as the last run in the store did.")
]
Disciplines = Annotated[
    list[str] | None, typer.Option("--discipline", help="Id or name; repeat for several. Default: all.")
]
Fields = Annotated[list[str] | None, typer.Option("--field", help="All disciplines of this field; may be repeated.")]
SubFields = Annotated[
    list[str] | None, typer.Option("--sub-field", help="All disciplines of this sub-field; may be repeated.")
]
Patterns = Annotated[
    list[str] | None, typer.Option("--pattern", help="All disciplines that fit, e.g. '*industry'; may be repeated.")
]
OnBusy = Annotated[
    str | None, typer.Option("--on-busy", help="When another run works on a discipline: wait, skip or share.")
]
Subjects = Annotated[int | None, typer.Option(help="The first n subjects of each discipline.")]
Questions = Annotated[int | None, typer.Option(help="Sample indices per subject, over its whole life.")]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="ISO 639 code, e.g. de; may be repeated. Default: en.")
]
Lists = Annotated[int | None, typer.Option(help="Independent subject lists per discipline.")]
BudgetUsd = Annotated[float | None, typer.Option(help="Most US dollars to spend; needs a price for every model.")]
BudgetTokens = Annotated[int | None, typer.Option(help="Most tokens to spend, sent and received together.")]
BudgetCalls = Annotated[int | None, typer.Option(help="Most calls to make.")]
TaxonomyFile = Annotated[Path | None, typer.Option("--taxonomy", help="A taxonomy file to use from now on.")]
Batch = Annotated[
    bool, typer.Option("--batch", help="By the provider's Batch API: cheaper, and done within a day or so.")
]
Local = Annotated[bool, typer.Option("--local", help="Use the embedded model on this machine.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]


def use_batches(given: bool) -> None:
    """Have this process go by the provider's Batch API, whatever GLAN_MODE says."""
    if given:
        os.environ["GLAN_MODE"] = "batch"


def selection(
    disciplines: list[str] | None, fields: list[str] | None, sub_fields: list[str] | None, patterns: list[str] | None
) -> dict[str, Any]:
    """The selectors that were given; any of them goes before all those of the run file."""
    given = {"disciplines": disciplines, "fields": fields, "sub_fields": sub_fields, "patterns": patterns}
    return {name: value or [] for name, value in given.items()} if any(given.values()) else {}


def caps(usd: float | None, tokens: int | None, calls: int | None) -> dict[str, Any]:
    """The caps of a budget that were given."""
    return those_given({"usd": usd, "tokens": tokens, "calls": calls})


def as_typed(sentence: str) -> str:
    """A sentence on wrong options, with a cap of the budget named as it was typed: `--budget-usd`, not `night.usd`."""
    return re.sub(r"`(?:budget|night)\.(usd|tokens|calls)`", r"`--budget-\1`", sentence)


def those_given(options: dict[str, Any]) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value not in (None, {})}
