"""Small units, rows and calls for tests of the store."""

import datetime
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from glan.keys import digest
from glan.records import table
from glan.store.store import Store
from glan.units import Receipt, Unit

NOW = datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.UTC)


def clock() -> datetime.datetime:
    """It is always noon."""
    return NOW


def child_environment() -> dict[str, str]:
    """The environment of a process that imports what this one can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def cut_in_half(place: Path) -> None:
    """Take away the second half of a file."""
    body = place.read_bytes()
    place.write_bytes(body[: len(body) // 2])


def a_unit(address: str = "physics", prompt: str = "first") -> Unit:
    """The subjects of physics; another `prompt` makes another key at the same address."""
    return Unit(
        stage="subjects",
        discipline_id="physics",
        address=address,
        key=digest([address, prompt]),
        node="physics",
        path=("Science", "Nature", "Physics"),
    )


def subjects(unit: Unit, *names: str) -> pa.Table:
    """Rows of subjects with these names."""
    common = {"unit_key": unit.key, "edition": 0, "run_id": "run", "created_at": NOW}
    prompt = {"prompt_name": "subjects", "prompt_version": 1, "prompt_digest": "d", "model": "m", "temperature": 1.0}
    rest = {"top_p": 0.95, "seed": 1, "request_keys": ["r"], "repaired": False}
    return table(
        "subjects",
        [
            {
                "subject_id": name.lower(),
                "discipline_id": unit.discipline_id,
                "name": name,
                "level": "college",
                "introduction": f"{name} and its methods.",
                "subtopics": ["a", "b"],
                "lists_found_in": 1,
                "position": position,
                **common,
                **prompt,
                **rest,
            }
            for position, name in enumerate(names)
        ],
    )


def failed(unit: Unit, *request_keys: str) -> pa.Table:
    """Quarantine rows of these requests."""
    return table(
        "quarantine",
        [
            {
                "unit_key": unit.key,
                "request_key": request_key,
                "stage": unit.stage,
                "discipline_id": unit.discipline_id,
                "node": unit.node,
                "error_kind": "schema",
                "message": "no list",
                "raw_text": "I would rather not.",
                "attempts": 3,
                "edition": 0,
                "run_id": "run",
                "created_at": NOW,
            }
            for request_key in request_keys
        ],
    )


def commit(store: Store, unit: Unit, *names: str, failing: tuple[str, ...] = ()) -> Receipt:
    """Commit a unit of subjects with these names; `failing` requests go to quarantine."""
    return store.commit(
        unit,
        subjects(unit, *names),
        planned=len(names) + len(failing),
        content_digest=digest(list(names)),
        quarantine=failed(unit, *failing) if failing else None,
    )


def a_call(request_key: str, *, discipline_id: str = "physics", attempt: int = 1, **given: Any) -> dict[str, Any]:
    """A row of the ledger without its writer."""
    return {
        "request_key": request_key,
        "attempt": attempt,
        "unit": "physics",
        "stage": "subjects",
        "discipline_id": discipline_id,
        "model": "m",
        "run_id": "run",
        "budget_id": "",
        "started_at": NOW,
        "finished_at": NOW,
        "status": 200,
        "error_kind": "",
        "understood": True,
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "cached_tokens": 0,
        "completion_tokens": 20,
        "cost_usd": None,
        "price_source": None,
        "batch_id": None,
        "provider_request_id": None,
        "reply": f"reply to {request_key}",
        "unit_key": "k",
        "edition": 0,
        "created_at": NOW,
        **given,
    }
