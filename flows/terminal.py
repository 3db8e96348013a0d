"""What the terminal shows: bars while a run goes, tables after it, one sentence when something is wrong."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from glan.errors import GlanError, InputError

DONE, ENDED_WITH_FAILURES, BAD_INPUT = 0, 1, 2

out = Console(soft_wrap=True)
note = Console(stderr=True, soft_wrap=True)

_HEADERS = {
    "units_made": "units made",
    "cost_usd": "cost $",
    "calls_at_most": "calls at most",
    "prompt_tokens": "tokens sent",
    "completion_tokens": "received",
}


def quiet_prefect() -> None:
    """Settle how Prefect behaves in a terminal, before it is imported; whatever a person has set stays."""
    for name, value in {
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
    }.items():
        os.environ.setdefault(name, value)


@contextmanager
def explained() -> Iterator[None]:
    """Turn the project's errors into one sentence and an exit code: 2 for bad input, 1 for the rest."""
    try:
        yield
    except InputError as error:
        stop(str(error), BAD_INPUT)
    except GlanError as error:
        stop(str(error), ENDED_WITH_FAILURES)


def stop(sentence: str, code: int) -> NoReturn:
    """Say why and end."""
    note.print(f"[bold red]glan:[/] {escape(sentence)}")
    raise typer.Exit(code)


def show_json(value: Any) -> None:
    """A value for machines: one JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str, indent=2) + "\n")


def show_table(title: str, rows: Sequence[Mapping[Any, Any]]) -> None:
    """Rows for people: figures to the right, long texts folded, nothing cut; text from models shown as it is."""
    if not rows:
        out.print(f"{title}: nothing")
        return
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index, (name, value) in enumerate(rows[0].items()):
        text = isinstance(value, str)
        table.add_column(
            _HEADERS.get(name, str(name).replace("_", " ")),
            justify="left" if text else "right",
            no_wrap=index == 0 or not text,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(escape(_shown(value)) for value in row.values()))
    out.print(table)


def counted(number: int, noun: str) -> str:
    """`1 discipline`, `2 disciplines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _shown(value: Any) -> str:
    if value is None or value != value:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def bars(read: Callable[[], Mapping[str, tuple[int, int, str]]], shown: bool) -> Iterator[None]:
    """A bar for each stage while the block runs, in a terminal only; `read` gives (ended, known, remark) by stage."""
    if not (shown and note.is_terminal):
        yield
        return
    columns = (
        TextColumn("{task.description:13}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    over = threading.Event()
    with Progress(*columns, TimeElapsedColumn(), console=note, transient=True) as display:
        drawn: dict[str, TaskID] = {}

        def draw() -> None:
            for stage, (ended, known, remark) in read().items():
                if stage not in drawn and known:
                    drawn[stage] = display.add_task(stage, total=known, remark=remark)
                if stage in drawn:
                    display.update(drawn[stage], completed=ended, total=known, remark=remark)

        def keep_drawing() -> None:
            while not over.wait(0.3):
                draw()

        artist = threading.Thread(target=keep_drawing, daemon=True)
        artist.start()
        try:
            yield
        finally:
            over.set()
            artist.join()
            draw()
