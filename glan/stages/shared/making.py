"""Unit -> committed object: ask, wait for the log, write the quarantine, write the rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glan.clock import Clock
from glan.errors import RETRYABLE
from glan.gateway.requests import Call, Conversation, Failure, Outcome
from glan.records import content_digest, table
from glan.store.calls import CallLog
from glan.store.store import Store
from glan.units import Receipt, Unit

if TYPE_CHECKING:  # it imports the client's package, which who only plans can do without
    from glan.gateway.gateway import Gateway, History

Row = dict[str, Any]


@dataclass(frozen=True)
class Effects:
    """Everything outside the core that making a unit needs."""

    store: Store
    gateway: "Gateway"
    log: CallLog
    history: "Callable[[str], History]"
    forget: Callable[[str], None]  # the history of a discipline, so that it is read again
    run_id: str
    clock: Clock


@dataclass(frozen=True)
class Made:
    """What a stage read from the replies: its rows, what failed (one entry for each row that is missing), and more."""

    rows: Sequence[Row]
    failures: Sequence[Failure] = ()
    capacity: int | None = None


def one_row_each(
    asked: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome], row: Callable[[Mapping[str, Any], Outcome], Row]
) -> Made:
    """A row for each that was asked about with success, made of it and what came; the others are quarantined."""
    pairs = list(zip(asked, outcomes, strict=True))
    return Made(
        rows=[row(one, outcome) for one, outcome in pairs if not outcome.failure],
        failures=[outcome.failure for outcome in outcomes if outcome.failure],
    )


def make(
    unit: Unit,
    conversations: Iterable[Conversation],
    read: Callable[[list[Outcome]], Made],
    effects: Effects,
) -> Receipt:
    """Commit a unit and return its receipt; one that is committed already is returned as it is, with no call.

    Raises:
        EndpointRefused, EndpointDown, BudgetSpent, Cancelled, StoreError: nothing was committed; replies so far are on record.
    """
    done = effects.store.find(unit)
    if done is not None:
        return done
    try:
        outcomes = effects.gateway.run(list(conversations), effects.history(unit.discipline_id))
        made = read(outcomes)
        effects.log.wait()
        return commit(unit, made, [call for outcome in outcomes for call in outcome.calls], effects)
    except RETRYABLE:
        # The next try has to find what was answered in this one, or it would be paid for again.
        effects.forget(unit.discipline_id)
        raise


def commit(unit: Unit, made: Made, calls: Sequence[Call], effects: Effects) -> Receipt:
    """Write the quarantine rows, then the unit's object."""
    quarantine = table("quarantine", [_quarantined(unit, failure) for failure in made.failures])
    costs = [call.cost_usd for call in calls]
    return effects.store.commit(
        unit,
        table(unit.stage, made.rows),
        planned=len(made.rows) + len(made.failures),
        content_digest=content_digest(unit.stage, made.rows),
        quarantine=quarantine if made.failures else None,
        capacity=made.capacity,
        calls=len(calls),
        prompt_tokens=sum(call.prompt_tokens for call in calls),
        completion_tokens=sum(call.completion_tokens for call in calls),
        cost_usd=None if None in costs else sum((cost for cost in costs if cost is not None), 0.0),
    )


def provenance(unit: Unit, calls: Sequence[Call]) -> Row:
    """The columns that every row written by a model carries; run and time are those of the last call it rests on."""
    last = max(calls, key=lambda call: call.finished_at)
    final = calls[-1].request
    return {
        "unit_key": unit.key,
        "edition": unit.edition,
        "run_id": last.run_id,
        "created_at": last.finished_at,
        "prompt_name": final.prompt.name,
        "prompt_version": final.prompt.version,
        "prompt_digest": final.prompt.digest,
        "model": final.profile.model,
        "temperature": final.profile.temperature,
        "top_p": final.profile.top_p,
        "seed": final.seed,
        "request_keys": [call.request.key for call in calls],
        "repaired": any(call.repaired for call in calls),
    }


def subject_of(unit: Unit, store: Store) -> Row:
    """The subject that a unit below it is about."""
    rows: list[Row] = store.read(unit.parents["subjects"]).to_pylist()
    return next(row for row in rows if row["subject_id"] == unit.subject_id)


def asked_for(unit: Unit, store: Store) -> Callable[[str], bool]:
    """Which nodes a unit asks for: all; a supplement those that are still in quarantine."""
    if not unit.retries:
        return lambda node: True
    return set(store.read_quarantine(unit.retries[-1])["node"].to_pylist()).__contains__


def _quarantined(unit: Unit, failure: Failure) -> Row:
    return {
        "unit_key": unit.key,
        "request_key": failure.request.key,
        "stage": unit.stage,
        "discipline_id": unit.discipline_id,
        "node": failure.request.node,
        "error_kind": failure.kind,
        "message": failure.message,
        "raw_text": failure.raw_text,
        "attempts": failure.attempts,
        "edition": unit.edition,
        "run_id": failure.run_id,
        "created_at": failure.finished_at,
    }
