"""A store with every row and every call of a run up to its answers, made without a model and without HTTP.

python -m bench.scribe FOLDER [--disciplines 126] [--subjects 8] [--questions 100]

The stages themselves plan, ask, read and commit; only the calls are answered in place, by what the model server of the
measurements would have written. One process for each core makes its share of the disciplines.
"""

import argparse
import datetime
import os
import secrets
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from model_replies import Asked, reply_text

from bench.store_maker import RUN_ID, settings_of
from glan.clock import now
from glan.config import RunConfig
from glan.gateway.answers import Reply
from glan.gateway.body import body
from glan.gateway.ledger import Ledger, Usage
from glan.gateway.prices import Prices
from glan.gateway.requests import Call, Conversation, Outcome, Request, Understood
from glan.planning.publishing import publish_snapshot, publish_units
from glan.planning.scope import walks
from glan.planning.walk import Walk
from glan.settings import Settings
from glan.stages import answers, questions, subjects, syllabi
from glan.stages.shared.making import Effects
from glan.stages.shared.recipe import Recipe
from glan.store import taxonomies
from glan.store.calls import CallHistory, CallLog
from glan.store.store import Store
from tasks.preparation import prepare
from tasks.wiring import Order, recipe

STAGES: dict[str, ModuleType] = {
    "subjects": subjects,
    "syllabi": syllabi,
    "questions": questions,
    "answers": answers,
}


@dataclass(frozen=True)
class Size:
    """How much there is: disciplines, subjects of each, questions of each subject."""

    disciplines: int = 126
    subjects: int = 8
    questions: int = 100


class Scribe:
    """In place of a gateway: every conversation is carried to its end at once, and every call of it recorded."""

    def __init__(self, log: CallLog) -> None:
        self._ledger = Ledger(log, RUN_ID, RUN_ID, Prices.load(None), now)

    def run(self, conversations: Sequence[Conversation], history: object = None) -> list[Outcome]:
        """The outcomes, in the order given."""
        return [self._carried(conversation) for conversation in conversations]

    def _carried(self, conversation: Conversation) -> Outcome:
        calls: list[Call] = []
        try:
            request = next(conversation)
            while True:
                calls.append(self._call(request))
                request = conversation.send(calls[-1])
        except StopIteration as end:
            return Outcome(value=end.value, calls=calls)

    def _call(self, request: Request) -> Call:
        asked = Asked(body(request, "text" if request.schema else None, 0, None, ""))
        attempt = 0
        while True:  # what one in some thousands writes is refused by the reader: another attempt, as a run would make
            attempt += 1
            text = reply_text(asked, f"{request.key} {attempt}", request.profile.model, popular=False)
            reply = Reply(text, "stop", len(asked.whole) // 4, 0, len(text) // 4)
            read = request.read(text, "stop")
            moment = now()
            self._record(request, reply, attempt, moment, None if isinstance(read, Understood) else read.kind)
            if isinstance(read, Understood):
                return _understood(request, reply, read, attempt, moment)

    def _record(
        self, request: Request, reply: Reply, attempt: int, moment: datetime.datetime, error_kind: str | None
    ) -> None:
        self._ledger.record(
            request,
            reply,
            Usage(reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens, None),
            attempt=attempt,
            started_at=moment,
            finished_at=moment,
            error_kind=error_kind,
            reply=reply.text,
        )


def _understood(request: Request, reply: Reply, read: Understood, attempt: int, moment: datetime.datetime) -> Call:
    return Call(
        request=request,
        value=read.value,
        repaired=read.repaired,
        text=reply.text,
        finish_reason=reply.finish_reason,
        run_id=RUN_ID,
        finished_at=moment,
        attempts=attempt,
        prompt_tokens=reply.prompt_tokens or 0,
        completion_tokens=reply.completion_tokens or 0,
        cost_usd=None,
    )


def make(size: Size) -> None:
    """Fill the store of the settings."""
    order = prepare(RunConfig(subjects=size.subjects, questions=size.questions), RUN_ID)
    store = Store.open(Settings.load().store)
    names = [one.discipline_id for one in islice(taxonomies.current(store), size.disciplines)]
    processes = os.cpu_count() or 1
    shares = [names[first::processes] for first in range(processes)]
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_write, [order] * processes, shares))


def _write(order: Order, names: Sequence[str]) -> None:
    store, made = Store.open(Settings.load().store), recipe(order)
    log = CallLog(store.files, writer=secrets.token_hex(8), clock=now)
    effects = _effects(store, log)
    chosen = [one for one in taxonomies.current(store) if one.discipline_id in set(names)]
    for walk in walks(store, chosen, made):
        _whole(walk, made, effects)
    log.close()


def _effects(store: Store, log: CallLog) -> Effects:
    scribe: Any = Scribe(log)
    return Effects(
        store=store,
        gateway=scribe,
        log=log,
        history=lambda name: CallHistory(store.files, name),
        forget=lambda name: None,
        run_id=RUN_ID,
        clock=now,
    )


def _whole(walk: Walk, made: Recipe, effects: Effects) -> None:
    """Every unit of a discipline up to its answers that is not done yet, each after the one that it reads."""
    todo, receipts = deque(walk.first()), []
    while todo:
        unit = todo.popleft()
        receipts.append(walk.done(unit) or STAGES[unit.stage].run(unit, made, effects))
        todo.extend(one for one in walk.after(unit, receipts[-1]) if one.stage in STAGES)
    name = walk.discipline.discipline_id
    publish_units(effects.store, name, receipts, RUN_ID, now)
    publish_snapshot(effects.store, [name], RUN_ID, now)


def main() -> None:
    """Make one."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", type=Path)
    for name, usual in vars(Size()).items():
        options.add_argument(f"--{name}", type=int, default=usual)
    given = vars(options.parse_args())
    os.environ |= settings_of(given.pop("folder").absolute())
    make(Size(**given))


if __name__ == "__main__":
    main()
