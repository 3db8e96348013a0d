"""The tables, one Arrow schema each, in the order in which they are made. Rows are cast to them at the edge.

The schemas are contract: a column is added (nullable), never renamed or removed, within one layout version.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from glan.errors import StoreError
from glan.keys import digest

SCHEMA_VERSION = "1"

_TEXTS = pa.list_(pa.string())
_COMMON = [
    ("unit_key", pa.string()),
    ("edition", pa.int32()),
    ("run_id", pa.string()),
    ("created_at", pa.timestamp("us", tz="UTC")),
]
_ASKED_WITH = [
    ("prompt_name", pa.string()),
    ("prompt_version", pa.int32()),
    ("prompt_digest", pa.string()),
    ("model", pa.string()),
    ("temperature", pa.float64()),
    ("top_p", pa.float64()),
]
ASKED_WITH = tuple(name for name, _ in _ASKED_WITH)
"""The columns that say by which prompt and how a model was asked."""

_WRITTEN_BY_A_MODEL = [
    *_ASKED_WITH,
    ("seed", pa.int64()),
    ("request_keys", _TEXTS),
    ("repaired", pa.bool_()),  # the reply's JSON had to be mended before it could be read
]
_OTHER = [
    ("other_subject_id", pa.string()),
    ("other_subject", pa.string()),
    ("other_syllabus_id", pa.string()),
    ("other_session_indexes", pa.list_(pa.int32())),
    ("other_key_concepts", _TEXTS),
]
OTHER = tuple(name for name, _ in _OTHER)
"""The columns of a question that spans two subjects: what it takes from the other one. Null in all others."""

_KIND = [
    ("difficulty", pa.string()),  # null, as the next two: nothing was asked for
    ("question_type", pa.string()),
    ("correct_option", pa.string()),
]
KIND = tuple(name for name, _ in _KIND)
"""The columns that say what kind of question was asked for, and of one with options the key that its writer gave."""

_SESSION = pa.struct([("title", pa.string()), ("description", pa.string()), ("key_concepts", _TEXTS)])
_TURNS = pa.list_(pa.struct([("question", pa.string()), ("answer", pa.string())]))
_SCORES = pa.map_(pa.string(), pa.float64())
_CONTAMINATION = pa.struct(
    [
        ("benchmark", pa.string()),
        ("item", pa.string()),
        ("overlap", pa.float64()),
        ("match", pa.string()),
        ("part", pa.string()),
        ("ngrams", _TEXTS),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    name: pa.schema(columns).with_metadata({"schema_version": SCHEMA_VERSION, "table": name})
    for name, columns in {
        "taxonomy": [
            ("field", pa.string()),
            ("sub_field", pa.string()),
            ("discipline", pa.string()),
            ("discipline_id", pa.string()),
            ("origin", pa.string()),
            ("taxonomy_version", pa.int32()),
            *_COMMON,
        ],
        "subjects": [
            ("subject_id", pa.string()),
            ("discipline_id", pa.string()),
            ("name", pa.string()),
            ("level", pa.string()),
            ("introduction", pa.string()),
            ("subtopics", _TEXTS),
            ("lists_found_in", pa.int32()),
            ("position", pa.int32()),
            *_COMMON,
            *_WRITTEN_BY_A_MODEL,
        ],
        "syllabi": [
            ("syllabus_id", pa.string()),
            ("subject_id", pa.string()),
            ("discipline_id", pa.string()),
            ("text", pa.string()),
            ("sessions", pa.list_(_SESSION)),
            ("language", pa.string()),  # null, here and below: English
            *_COMMON,
            *_WRITTEN_BY_A_MODEL,
        ],
        "questions": [
            ("question_id", pa.string()),
            ("syllabus_id", pa.string()),
            ("subject_id", pa.string()),
            ("discipline_id", pa.string()),
            ("sample_index", pa.int64()),
            ("strategy", pa.string()),
            ("session_indexes", pa.list_(pa.int32())),
            ("key_concepts", _TEXTS),
            ("text", pa.string()),
            ("language", pa.string()),
            *_KIND,
            *_OTHER,
            *_COMMON,
            *_WRITTEN_BY_A_MODEL,
        ],
        "answers": [
            ("question_id", pa.string()),
            ("subject_id", pa.string()),
            ("discipline_id", pa.string()),
            ("text", pa.string()),
            ("finish_reason", pa.string()),
            ("language", pa.string()),
            *_COMMON,
            *_WRITTEN_BY_A_MODEL,
        ],
        "continuations": [
            ("question_id", pa.string()),
            ("subject_id", pa.string()),
            ("discipline_id", pa.string()),
            ("turns", _TURNS),
            ("language", pa.string()),
            (
                "asked_with",
                pa.struct(_ASKED_WITH),
            ),  # the questions; the columns written by a model are of the last answer
            *_COMMON,
            *_WRITTEN_BY_A_MODEL,
        ],
        "judgements": [
            ("judgement_id", pa.string()),
            ("question_id", pa.string()),
            ("subject_id", pa.string()),
            ("discipline_id", pa.string()),
            ("method", pa.string()),
            ("scores", _SCORES),
            ("text", pa.string()),
            ("verdict", pa.string()),
            ("detail", pa.string()),
            *_COMMON,
            *_WRITTEN_BY_A_MODEL,
        ],
        "instructions": [
            ("question_id", pa.string()),
            ("syllabus_id", pa.string()),
            ("subject_id", pa.string()),
            ("discipline_id", pa.string()),
            ("field", pa.string()),
            ("sub_field", pa.string()),
            ("discipline", pa.string()),
            ("subject", pa.string()),
            ("level", pa.string()),
            ("sample_index", pa.int64()),
            ("strategy", pa.string()),
            ("session_indexes", pa.list_(pa.int32())),
            ("key_concepts", _TEXTS),
            ("question", pa.string()),
            ("answer", pa.string()),
            ("language", pa.string()),
            ("finish_reason", pa.string()),
            ("turns", _TURNS),
            ("kept", pa.bool_()),
            ("reasons", _TEXTS),
            ("duplicate_of", pa.string()),
            ("contamination", _CONTAMINATION),
            ("scores", _SCORES),
            ("flags", _TEXTS),
            ("signature", pa.binary()),  # MinHash of the question, see curation.signatures
            *_KIND,
            *_OTHER,
            ("question_model", pa.string()),
            ("answer_model", pa.string()),
            ("request_keys", _TEXTS),
            *_COMMON,
        ],
        "quarantine": [
            ("unit_key", pa.string()),
            ("request_key", pa.string()),
            ("stage", pa.string()),
            ("discipline_id", pa.string()),
            ("node", pa.string()),
            ("error_kind", pa.string()),
            ("message", pa.string()),
            ("raw_text", pa.string()),
            ("attempts", pa.int32()),
            ("edition", pa.int32()),
            ("run_id", pa.string()),
            ("created_at", pa.timestamp("us", tz="UTC")),
        ],
        "calls": [
            ("request_key", pa.string()),
            ("attempt", pa.int32()),
            ("unit", pa.string()),
            ("stage", pa.string()),
            ("discipline_id", pa.string()),
            ("model", pa.string()),
            ("writer", pa.string()),
            ("run_id", pa.string()),
            ("budget_id", pa.string()),
            ("started_at", pa.timestamp("us", tz="UTC")),
            ("finished_at", pa.timestamp("us", tz="UTC")),
            ("status", pa.int32()),  # HTTP status; 0 = no answer at all
            ("error_kind", pa.string()),
            ("understood", pa.bool_()),
            ("finish_reason", pa.string()),
            ("prompt_tokens", pa.int64()),
            ("cached_tokens", pa.int64()),
            ("completion_tokens", pa.int64()),
            ("cost_usd", pa.float64()),
            ("price_source", pa.string()),
            ("batch_id", pa.string()),
            ("provider_request_id", pa.string()),
            ("reply", pa.string()),
            ("unit_key", pa.string()),
            ("edition", pa.int32()),
            ("created_at", pa.timestamp("us", tz="UTC")),
        ],
    }.items()
}

_COLUMNS = {name: frozenset(schema.names) for name, schema in SCHEMAS.items()}

READ_BY_LATER_STAGES: dict[str, tuple[str, ...]] = {
    "subjects": ("name", "level", "introduction", "subtopics"),
    "syllabi": ("text", "sessions"),
    "questions": ("sample_index", "strategy", "session_indexes", "key_concepts", "text"),
    "answers": ("text", "finish_reason"),
    "continuations": ("question_id", "turns"),
    "judgements": ("question_id", "method", "scores"),
    "instructions": ("kept", "reasons", "duplicate_of"),
}
"""The columns whose digest enters the keys of the units below: never ids, times or runs (design: keys)."""

READ_IF_SET: dict[str, tuple[str, ...]] = {"questions": KIND}
"""Those of them that came later: null, they count as not being there, so that older rows have the digests they had."""


def row_digest(stage: str, row: Mapping[str, Any]) -> str:
    """Digest of the columns of one row that later stages read."""
    read = {column: row[column] for column in READ_BY_LATER_STAGES[stage]}
    later = {column: row[column] for column in READ_IF_SET.get(stage, ()) if row[column] is not None}
    return digest(read | later)


def content_digest(stage: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """Digest of the columns of a unit's rows that later stages read."""
    return digest([row_digest(stage, row) for row in rows])


def check_columns(name: str, row: Mapping[str, Any]) -> None:
    """See that a row has exactly the columns of the named schema.

    Raises:
        StoreError: it has not.
    """
    if row.keys() != _COLUMNS[name]:
        odd = ", ".join(sorted(row.keys() ^ _COLUMNS[name]))
        raise StoreError(f"a row of {name} has not exactly the columns of its schema: {odd}")


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table of the named schema, columns in its order.

    Raises:
        StoreError: a row has not its columns, or a value not the type of its column.
    """
    rows = [dict(row) for row in rows]
    for row in rows:
        check_columns(name, row)
    try:
        return pa.Table.from_pylist(rows, schema=SCHEMAS[name])
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
        raise StoreError(f"rows of {name} do not fit its schema: {error}") from error
