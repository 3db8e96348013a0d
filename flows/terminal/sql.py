"""`glan sql`: the rows of a query as a table for people, or as JSON or CSV for machines."""

import csv
import itertools
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from flows.terminal.screen import explained, out, show_table
from glan.dataset import View
from glan.errors import InputError
from glan.names import shown
from glan.settings import Settings
from glan.sql import query
from glan.store.store import Store

LONGEST_CELL = 300


def run_query(text: str, snapshot: int | None, rows: int, as_json: bool, as_csv: bool) -> None:
    """`glan sql`."""
    with explained():
        if as_json and as_csv:
            raise InputError("--json and --csv: choose one of them")
        view = View.open(Store.existing(Settings.load().store), "latest" if snapshot is None else snapshot)
        with tempfile.TemporaryDirectory(prefix="glan-sql-") as spill, query(view, text, spill) as found:
            names = _told_apart(found.schema.names)
            if as_json:
                _write_json(names, _rows(found))
            elif as_csv:
                _write_csv(names, _rows(found))
            else:
                _show(names, _rows(found), rows)


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names of columns, a number after one that is there before: DuckDB gives both columns of a join the same."""
    apart: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        apart.append(next(one for one in itertools.chain([name], numbered) if one not in apart))
    return apart


def _rows(found: pa.RecordBatchReader) -> Iterator[tuple[Any, ...]]:
    for batch in found:
        columns = [column.to_pylist(maps_as_pydicts="lossy") for column in batch.columns]
        yield from (tuple(map(_number, row)) for row in zip(*columns, strict=True))


def _number(value: Any) -> Any:
    """DuckDB sums whole numbers to decimals without places."""
    whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return int(value) if whole else value


def _write_json(names: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    """One document, written as it comes."""
    begin = "["
    for row in rows:
        line = json.dumps(dict(zip(names, map(_as_json, row), strict=True)), ensure_ascii=False, default=_plain)
        sys.stdout.write(f"{begin}\n{line}")
        begin = ","
    sys.stdout.write("[]\n" if begin == "[" else "\n]\n")


def _as_json(value: Any) -> Any:
    """The value; null where JSON has no number for it, as for a correlation of nothing."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    return {name: _as_json(one) for name, one in value.items()} if isinstance(value, dict) else value


def _write_csv(names: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    """A header and the rows; a list or a structure as JSON in its cell."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)


def _show(names: list[str], rows: Iterator[tuple[Any, ...]], most: int) -> None:
    """The first rows. Texts are by models: nothing in them may act on the terminal."""
    heads = [shown(name) for name in names]
    first = [dict(zip(heads, map(_for_people, row), strict=True)) for row in itertools.islice(rows, most)]
    show_table("Rows", first)
    if next(rows, None) is not None:
        out.print(f"and more: --rows shows more than {most}, --json and --csv give all")


def _for_people(value: Any) -> Any:
    if value is None:
        return "NULL"
    return value if isinstance(value, int | float) else shown(_cell(value), LONGEST_CELL)


def _cell(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(_as_json(value), ensure_ascii=False, default=_plain)
    return "" if value is None else value if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
