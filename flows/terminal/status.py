"""`glan status`: how far each discipline is, a line for each in the terminal, a record for each stage as JSON."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.table import Table
from rich.text import Text

from flows.terminal.screen import add_column, explained, out, plain_table, show_json, warn
from glan.batches import waiting
from glan.clock import now
from glan.config import RunConfig
from glan.errors import InputError
from glan.planning.recipes import last_config, recipe_of
from glan.planning.status import status
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.batches import BatchBook
from glan.store.store import Store
from glan.units import stages_with
from glan.wording import counted

Record = Mapping[str, Any]

MARKS = {
    "missing": ("-", "yellow", "can be made now"),
    "stale": ("~", "yellow", "made with other inputs, prompts or models"),
    "quarantined": ("!", "red", "rows in quarantine"),
    "orphaned": ("x", "dim", "units whose parent is gone"),
    "unreadable": ("?", "red", "cannot be read"),
}


def show_status(run_file: Path | None, disciplines: list[str], as_json: bool) -> None:
    """`glan status`."""
    with explained():
        settings = Settings.load()
        store = Store.open(settings.store)
        config = _config_of(store, settings, run_file)
        named = {"disciplines": disciplines} if disciplines else config.selectors()
        selected = taxonomies.current(store).select(**named)
        table = status(store, selected, recipe_of(config, settings), warn)
        whole = bool(run_file or disciplines) or not any(config.selectors().values())
    records = table.to_dict("records")
    if as_json:
        show_json(records)
    else:
        _show([{str(name): value for name, value in record.items()} for record in records])
        if not whole:
            out.print("Of the disciplines of the last run; --discipline or a RUN.toml names others.", style="dim")
        for sentence in at_providers(store):
            out.print(f"{sentence}.", markup=False, highlight=False)


def at_providers(store: Store) -> Iterator[str]:
    """What is still to be fetched from Batch APIs, a sentence for each provider."""
    unfinished = [batch for batch in BatchBook(store.files, now).unfinished() if batch.open]
    for address in sorted({batch.record.endpoint for batch in unfinished}):
        there = [(batch.record.created_at, len(batch.open)) for batch in unfinished if batch.record.endpoint == address]
        if said := waiting(there, urlsplit(address).netloc):
            yield said


def _config_of(store: Store, settings: Settings, run_file: Path | None) -> RunConfig:
    """The run file's configuration, or that of the last run in the store."""
    if run_file is not None:
        return RunConfig.from_file(run_file)
    config = last_config(store, settings)
    if config is None:
        raise InputError(f"{store.files.url}: no run is on record there; start one with `glan run`, or name a RUN.toml")
    return config


def _show(records: Iterable[Record]) -> None:
    lines: dict[str, dict[str, Record]] = {}
    for record in records:
        lines.setdefault(record["discipline_id"], {})[record["stage"]] = record
    begun = {one: stages for one, stages in lines.items() if any(_begun(record) for record in stages.values())}
    if begun:
        out.print(_table(begun))
        _explain_marks(record for stages in begun.values() for record in stages.values())
    if idle := len(lines) - len(begun):
        out.print(f"{counted(idle, 'discipline')} not begun.")


def _begun(record: Record) -> bool:
    return any(record[figure] for figure in ("done", "stale", "quarantined", "orphaned", "unreadable", "rows"))


def _table(lines: Mapping[str, Mapping[str, Record]]) -> Table:
    there = stages_with([record["stage"] for stages in lines.values() for record in stages.values()])
    cells = {one: [_cell(stages[stage]) for stage in there] for one, stages in lines.items()}
    table = plain_table()
    add_column(table, "discipline", lines)
    for stage, column in zip(there, zip(*cells.values(), strict=True), strict=True):
        add_column(table, stage, [text.plain for text in column])
    for discipline_id, texts in cells.items():
        table.add_row(discipline_id, *texts)
    return table


def _cell(record: Record) -> Text:
    """Done of known units, and a mark for each thing to look at."""
    done = record["done"]
    known = done + record["missing"] + record["stale"] + record["waiting"] + record["unreadable"]
    if not known and not record["orphaned"]:
        return Text("·", style="dim")
    cell = Text(f"{done}/{known}", style="green" if done == known else "")
    if record["stage"] == "instructions" and record["rows"]:
        cell.append(f" {counted(record['rows'], 'row')}")
    for figure, (mark, style, _) in MARKS.items():
        if record[figure]:
            cell.append(f" {mark}{record[figure]}", style=style)
    return cell


def _explain_marks(records: Iterable[Record]) -> None:
    seen = {figure for record in records for figure in MARKS if record[figure]}
    legend = [f"{mark} {meaning}" for figure, (mark, _, meaning) in MARKS.items() if figure in seen]
    out.print("; ".join(["Units done/known", *legend]), style="dim", highlight=False, soft_wrap=False)
