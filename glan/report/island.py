"""Figures -> the data that the page's own script draws: one JSON document, written so that no text in it can end it."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from glan.costs import Spent
from glan.languages import ENGLISH, LANGUAGES
from glan.records import KIND
from glan.report.figures import Figures
from glan.report.origins import Exchange, Origin
from glan.report.reach import LEVELS
from glan.report.samples import Sample
from glan.report.steps import steps

MOST_SUBJECTS = 4_000
"""Subjects in the treemap: the largest, so that the page of a large store stays small."""

LONGEST = 40_000
"""Characters of a text that are shown."""

_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def island(figures: Figures) -> str:
    """The document: plain JSON, in which `<`, `>` and `&` are spelled out, so that HTML sees nothing in it."""
    texts = _Texts()
    document = {
        "tree": _tree(figures),
        "time": _time(figures),
        "bars": {
            name: {"edges": one.edges, "counts": one.counts} for name, one in figures.instructions.texts.bars.items()
        },
        "spent": [
            {
                "stage": stage,
                "model": model,
                "cost": _number(one.cost_usd),
                "tokens": one.tokens,
                "unpriced": one.unpriced,
            }
            for (stage, model), one in figures.ledger.by(lambda account: account[:2]).items()
        ],
        "failures": [
            {
                "stage": stage,
                "kind": kind,
                "node": one["node"],
                "message": one["message"],
                "raw": texts(one["raw_text"]),
            }
            for (stage, kind), some in sorted(figures.quarantine.entries.items())
            for one in some
        ],
        **_samples(figures, texts),
        "texts": texts.known,
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_ESCAPED)


class _Texts:
    """Paragraphs, each once: samples of one syllabus share most of their prompts."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str | None) -> list[int]:
        """The numbers of the paragraphs of a text."""
        whole = text or ""
        short = whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}\n\n… ({len(whole):,} characters in all)"
        return [self._numbers.setdefault(part, len(self._numbers)) for part in short.split("\n\n")]

    @property
    def known(self) -> list[str]:
        """By number."""
        return list(self._numbers)


def _tree(figures: Figures) -> list[dict[str, Any]]:
    """Every discipline with its cover, its cost, and its largest subjects by kept rows."""
    spent = figures.ledger.by(lambda account: (account.discipline_id,))
    sizes = sorted(
        ((path, one.rows) for path, one in figures.instructions.texts.nodes.items() if path.subject and one.rows),
        key=lambda one: (-one[1], one[0]),
    )
    subjects: dict[tuple[str, ...], list[list[Any]]] = {}
    for path, rows in sizes[:MOST_SUBJECTS]:
        subjects.setdefault(tuple(path[:3]), []).append([path.subject, rows])
    return [
        {
            "path": [place.field, place.sub_field, place.discipline],
            "kept": place.cover.kept,
            "rejected": place.cover.rejected,
            "quarantined": place.cover.quarantined,
            "coming": place.cover.coming,
            "cost": _number((one := spent.get((place.discipline_id,), Spent())).cost_usd),
            "unpriced": one.unpriced,
            "subjects": subjects.get((place.field, place.sub_field, place.discipline), []),
        }
        for place in figures.coverage.places
    ]


def _time(figures: Figures) -> dict[str, Any]:
    found = steps(figures)
    series = {"rows": found.rows, "tokens": found.tokens, "cost": found.cost}
    return {"start": found.start, "step": found.hours, "steps": found.number, "series": series}


def _samples(figures: Figures, texts: _Texts) -> dict[str, Any]:
    """The samples, and apart from them the syllabi and subjects that several of them have in common."""
    shared: dict[str, dict[str, Any]] = {"syllabi": {}, "subjects": {}}
    samples = []
    for sample, origin in zip(figures.samples, figures.origins, strict=True):
        syllabus, subject = origin.syllabus, origin.subject
        if syllabus:
            shared["syllabi"].setdefault(syllabus["syllabus_id"], _syllabus(origin, texts))
        if subject:
            shared["subjects"].setdefault(subject["subject_id"], _subject(origin, texts))
        samples.append(_sample(sample, origin, texts))
    return {"samples": samples, **shared}


def _sample(sample: Sample, origin: Origin, texts: _Texts) -> dict[str, Any]:
    row, instead = sample.row, sample.instead
    return {
        "id": row["question_id"],
        "path": [row[level] or "" for level in LEVELS],
        "syllabus": row["syllabus_id"] if origin.syllabus else None,
        "of": row["subject_id"] if origin.subject else None,
        **{name: row[name] or "" for name in ("level", *KIND, "strategy", "question_model", "answer_model", "run_id")},
        "at": row["created_at"].isoformat(timespec="seconds") if row["created_at"] else "",
        "language": LANGUAGES.get(row["language"] or ENGLISH, ""),
        "index": row["sample_index"],
        "sessions": row["session_indexes"] or [],
        "other": _other(row, origin),
        "concepts": row["key_concepts"] or [],
        "question": texts(row["question"]),
        "answer": texts(row["answer"]),
        "turns": [[texts(turn["question"]), texts(turn["answer"])] for turn in row["turns"] or ()],
        "kept": bool(row["kept"]),
        "reasons": row["reasons"] or [],
        "flags": row["flags"] or [],
        "scores": {name: _number(value) for name, value in (row["scores"] or {}).items()},
        "contamination": _contamination(row["contamination"]),
        "duplicate": row["duplicate_of"] or "",
        "instead": {
            "place": f"{instead['discipline']} › {instead['subject']}",
            "question": texts(instead["question"]),
            "answer": texts(instead["answer"]),
        } if instead else None,
        "asked": _exchanges(origin.question, texts),
        "answered": _exchanges(origin.answer, texts),
        "continued": _exchanges(origin.further, texts),
    }  # fmt: skip


def _other(row: Mapping[str, Any], origin: Origin) -> dict[str, Any] | None:
    """The other subject that a question spans, and its sampled sessions as far as they are in the snapshot."""
    if not row["other_subject_id"]:
        return None
    there = origin.other_syllabus.get("sessions") or []
    sampled = [index for index in row["other_session_indexes"] or () if index < len(there)]
    return {"subject": row["other_subject"] or "", "sessions": _sessions([there[index] for index in sampled])}


def _sessions(some: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    return [[one["title"], one["description"] or "", one["key_concepts"] or []] for one in some]


def _contamination(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not found:
        return None
    told = {name: found[name] or "" for name in ("benchmark", "item", "match", "part")}
    return {**told, "overlap": _number(found["overlap"]), "ngrams": found["ngrams"] or []}


def _syllabus(origin: Origin, texts: _Texts) -> dict[str, Any]:
    return {
        "text": texts(origin.syllabus["text"]),
        "sessions": _sessions(origin.syllabus["sessions"] or []),
        "asked": _exchanges(origin.syllabus_calls, texts),
    }


def _subject(origin: Origin, texts: _Texts) -> dict[str, Any]:
    one = origin.subject
    return {
        **{name: one[name] or "" for name in ("name", "level", "introduction")},
        "subtopics": one["subtopics"] or [],
        "lists": one["lists_found_in"],
        "asked": _exchanges(origin.subject_calls, texts),
    }


def _exchanges(some: Iterable[Exchange], texts: _Texts) -> list[dict[str, Any]]:
    return [
        {
            "key": one.request_key,
            "prompt": one.prompt,
            "messages": [[message["role"], texts(message["content"])] for message in one.messages],
            "attempts": [
                {
                    "model": row["model"],
                    "at": row["finished_at"].isoformat(timespec="seconds"),
                    "error": row["error_kind"] or "",
                    "finish": row["finish_reason"] or "",
                    "sent": row["prompt_tokens"],
                    "received": row["completion_tokens"],
                    "cost": None if row["cost_usd"] is None else _number(row["cost_usd"]),
                    "reply": texts(row["reply"]),
                }
                for row in one.attempts
            ],
        }
        for one in some
    ]


def _number(value: float | None) -> float:
    """JSON knows no infinity and no NaN."""
    return value if value is not None and math.isfinite(value) else 0.0
