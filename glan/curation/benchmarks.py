"""Files of benchmarks -> their items, each with the texts that the data must not hold."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import fsspec
import pyarrow.parquet as pq

from glan.benchmark import Benchmark, Layout
from glan.config import RunConfig
from glan.curation import code
from glan.errors import InputError, StoreError
from glan.keys import digest
from glan.names import shown
from glan.store import inputs
from glan.store.files import Files

_SUFFIXES = (".jsonl", ".json", ".parquet", ".txt", ".jsonl.gz", ".json.gz", ".txt.gz")


@dataclass(frozen=True)
class _Columns:
    """Where the texts of a benchmark are; of several names the first that a file has."""

    question: tuple[str, ...]
    answer: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    item: tuple[str, ...] = ("id",)
    python: bool = False  # the question, or the solution, is a Python function


LAYOUTS: dict[Layout, _Columns] = {
    "gsm8k": _Columns(("question",), ("answer",)),
    "math": _Columns(("problem",), ("solution",), item=("unique_id", "id")),
    "mmlu": _Columns(("question",), choices=("choices", "options"), item=("question_id", "id")),
    "arc": _Columns(("question",), choices=("choices.text", "choices")),
    "bbh": _Columns(("input",)),
    "humaneval": _Columns(("prompt",), ("canonical_solution",), item=("task_id",), python=True),
    "mbpp": _Columns(("text", "prompt"), ("code",), item=("task_id",), python=True),
    "ifeval": _Columns(("prompt",), item=("key",)),
}
"""The columns of the benchmarks as they are commonly distributed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a benchmark: its question, what it asks with its choices, its solution, and its function if it is code."""

    benchmark: str
    item: str
    question: str
    choices: str = ""
    answer: str = ""
    signature: str = ""


def resolved(config: RunConfig) -> RunConfig:
    """The configuration with the digest of every benchmark's items; one that has it already is what an earlier run read.

    Raises:
        InputError: a benchmark cannot be read, or has not the columns named.
    """
    filled = [
        one if one.digest else one.model_copy(update={"digest": digest(_body(one))})
        for one in config.curation.benchmarks
    ]
    return config.model_copy(update={"curation": config.curation.model_copy(update={"benchmarks": filled})})


def to_keep(files: Files, config: RunConfig) -> dict[str, str]:
    """The items of a resolved configuration that the store does not hold yet, as texts by digest.

    Raises:
        InputError: the files hold others than the digest says.
    """
    texts = {}
    for benchmark in config.curation.benchmarks:
        if files.exists(inputs.path("benchmarks", benchmark.digest, "jsonl")):
            continue
        texts[benchmark.digest] = _body(benchmark)
        if digest(texts[benchmark.digest]) != benchmark.digest:
            raise InputError(
                f"curation.benchmarks ({benchmark.label}): the items of {benchmark.path} are not those of `digest`; "
                "leave `digest` out"
            )
    return texts


def _body(benchmark: Benchmark) -> str:
    return "".join(json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in read(benchmark))


def kept(files: Files, digests: Iterable[str]) -> list[Item]:
    """The items of benchmarks that a run on record was to keep out, from the store.

    Raises:
        StoreError: those of one are gone or damaged.
    """
    return [item for one in digests for item in _kept(files, inputs.path("benchmarks", one, "jsonl"))]


def _kept(files: Files, path: str) -> list[Item]:
    try:
        return [Item(**json.loads(line)) for line in files.read(path).decode().split("\n") if line]
    except FileNotFoundError as error:
        raise StoreError(f"{path} is not in {files.url}, though a run on record names it") from error
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path} in {files.url} is damaged; restore it from a backup") from error


def read(benchmark: Benchmark) -> list[Item]:
    """All items of a benchmark, in the order of its files.

    Raises:
        InputError: it cannot be read, or has not the columns named; names path, field and fix.
    """
    where = f"curation.benchmarks ({shown(benchmark.label)}): {shown(benchmark.path, 200)}"
    try:
        filesystem, paths = _paths(benchmark.path)
        rows = [row for path in paths for row in _rows(filesystem, path)]
    except Exception as error:  # each filesystem and each kind of file has errors of its own
        raise InputError(f"{where} cannot be read ({_first_line(error)}); correct the path") from error
    if not rows:
        raise InputError(f"{where} holds no item; name files that end in {', '.join(_SUFFIXES[:4])}")
    columns = _columns(benchmark)
    _check_named(benchmark, rows, where)
    found = [_item(benchmark, columns, row, number) for number, row in enumerate(rows)]
    items = [item for item in found if item.question.strip()]
    if not items:
        raise InputError(
            f"{where} has no text in `{columns.question[0]}`; set `question` to one of its columns: {_names(rows)}"
        )
    return items


def _check_named(benchmark: Benchmark, rows: list[dict[str, Any]], where: str) -> None:
    """See that the columns which a person has named are there: a misspelt one would leave half of the items unsought."""
    for field in ("answer", "choices", "item"):
        column = getattr(benchmark, field)
        if column and not any(_text(row, (column,)) for row in rows):
            raise InputError(
                f"{where} has nothing in `{shown(column)}`; set `{field}` to one of its columns: {_names(rows)}"
            )


def _names(rows: list[dict[str, Any]]) -> str:
    return ", ".join(shown(name) for name in sorted(rows[0])[:12])


def _columns(benchmark: Benchmark) -> _Columns:
    """The columns named by the person before those of the layout."""
    known = LAYOUTS[benchmark.layout] if benchmark.layout else _Columns(("question", "prompt", "text"))
    given = {name: (getattr(benchmark, name),) for name in ("question", "answer", "choices", "item")}
    return _Columns(
        question=given["question"] if benchmark.question else known.question,
        answer=given["answer"] if benchmark.answer else known.answer,
        choices=given["choices"] if benchmark.choices else known.choices,
        item=given["item"] if benchmark.item else known.item,
        python=known.python,
    )


def _item(benchmark: Benchmark, columns: _Columns, row: dict[str, Any], number: int) -> Item:
    question, answer = _text(row, columns.question), _text(row, columns.answer)
    signature = ""
    if columns.python:
        functions = code.signatures(question) or code.signatures(answer)
        signature = functions[-1] if functions else ""
        question = code.docstring(question) or question
    return Item(
        benchmark=benchmark.label,
        item=_text(row, columns.item) or str(number),
        question=question,
        choices=_text(row, columns.choices),
        answer="" if columns.python else answer,
        signature=signature,
    )


def _text(row: Any, columns: tuple[str, ...]) -> str:
    """The text of the first of these columns that the row has; a list becomes lines."""
    for column in columns:
        value = row
        for name in column.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            text = "\n".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            # JSON may hold half a character pair, which no file can be written with.
            return text.encode("utf-8", "replace").decode()
    return ""


def _paths(address: str) -> tuple[Any, tuple[str, ...]]:
    """The filesystem, and the files there that can be read: the one named, those that fit, or those of the folder."""
    filesystem, path = fsspec.core.url_to_fs(address)
    if any(sign in path for sign in "*?["):
        found = filesystem.glob(path)
    else:
        found = filesystem.find(path) if filesystem.isdir(path) else [path]
    readable = tuple(sorted(one for one in found if one.endswith(_SUFFIXES)))
    if not readable:
        raise FileNotFoundError("no file of a known kind is there")
    return filesystem, readable


def _rows(filesystem: Any, path: str) -> Iterator[dict[str, Any]]:
    if path.endswith(".parquet"):
        with filesystem.open(path, "rb") as file:
            yield from pq.read_table(file).to_pylist()
        return
    body = filesystem.cat_file(path)
    text = (gzip.decompress(body) if path.endswith(".gz") else body).decode("utf-8-sig")
    kind = PurePosixPath(path.removesuffix(".gz")).suffix
    if kind == ".json":
        whole = json.loads(text)
        found = whole.get("examples", [whole]) if isinstance(whole, dict) else whole
        if not isinstance(found, list):
            raise ValueError("it holds no list of items")
    elif kind == ".jsonl":
        found = [json.loads(line) for line in text.split("\n") if line.strip()]
    else:
        found = [{"question": line.strip()} for line in text.split("\n") if line.strip()]
    for row in found:
        if not isinstance(row, dict):
            raise ValueError("a row is no JSON object")
        yield row


def _first_line(error: BaseException) -> str:
    return shown((str(error).strip() or type(error).__name__).splitlines()[0], 200)
