"""What the stages' tests share: a recipe, units, and a gateway that answers from a function, on a real local store."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from glan.config import RunConfig
from glan.gateway.requests import Call, Conversation, Failure, Outcome, Problem, Request, Understood
from glan.keys import digest
from glan.models import ModelProfile, Models
from glan.planning.publishing import publish_units
from glan.planning.scope import walks
from glan.prompts import Prompts
from glan.records import SCHEMAS, content_digest, table
from glan.replay.rebuild import RUN
from glan.stages import subjects
from glan.stages.shared.making import Effects
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import STAGES, Receipt, Stage, Unit

NOON = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
PHYSICS = Discipline("Natural sciences", "Physical sciences", "Physics", "physics", "curated")
LAW = Discipline("Social sciences", "", "Law", "law", "curated")
PROMPTS = Prompts.load()

Reply = tuple[str, str] | str
Say = Callable[[Request], Reply]


def recipe(**changes: Any) -> Recipe:
    """A small recipe: one list, structured calls, syllabi of two sessions, three questions each."""
    model = ModelProfile(model="teacher")
    small = {"lists": 1, "two_step": False, "min_sessions": 2, "max_sessions": 4, "questions": 3}
    models = Models(subject=model, syllabus=model, question=model, answer=model)
    return Recipe(RunConfig(**{"models": models, **small, **changes}), PROMPTS)


UNJUDGED = recipe().stages
"""The stages of a run that has nothing judged."""


def clock() -> datetime.datetime:
    """It is always noon."""
    return NOON


class RecordingGateway:
    """Runs conversations at once with what `say` answers, read as the request says; a reply not understood fails."""

    def __init__(self, say: Say, events: list[str] | None = None) -> None:
        self.say = say
        self.asked: list[Request] = []
        self.events = events if events is not None else []

    def run(self, conversations: Sequence[Conversation], history: Any = None) -> list[Outcome]:
        self.events.append("ask")
        return [self._converse(conversation) for conversation in conversations]

    def _converse(self, conversation: Conversation) -> Outcome:
        calls: list[Call] = []
        try:
            request = next(conversation)
            while True:
                self.asked.append(request)
                said = self.say(request)
                text, finish_reason = said if isinstance(said, tuple) else (said, "stop")
                found = request.read(text, finish_reason)
                if isinstance(found, Problem):
                    failure = Failure(request, found.kind, found.message, text, 3, "run", NOON)
                    return Outcome(failure=failure, calls=calls)
                calls.append(call_of(request, found, text, finish_reason, len(self.asked)))
                request = conversation.send(calls[-1])
        except StopIteration as end:
            return Outcome(value=end.value, calls=calls)


def call_of(request: Request, found: Understood, text: str = "", finish_reason: str = "stop", nth: int = 0) -> Call:
    """An understood reply of 10 + 20 tokens, one second after the last."""
    return Call(
        request=request, value=found.value, repaired=found.repaired, text=text, finish_reason=finish_reason, run_id="run",
        finished_at=NOON + datetime.timedelta(seconds=nth), attempts=1, prompt_tokens=10, completion_tokens=20, cost_usd=0.5,
    )  # fmt: skip


class RecordingLog:
    """The call log as making sees it: something to wait for."""

    def __init__(self, events: list[str]) -> None:
        self.events = events

    def wait(self) -> None:
        self.events.append("wait")


def effects(store: Store, say: Say, events: list[str] | None = None) -> Effects:
    """Effects over a store, with a gateway that answers by `say`."""
    events = events if events is not None else []
    gateway: Any = RecordingGateway(say, events)
    log: Any = RecordingLog(events)
    return Effects(
        store=store,
        gateway=gateway,
        log=log,
        history=lambda _: {},
        forget=lambda _: events.append("forget"),
        run_id="run",
        clock=clock,
    )


def new_store(folder: Path) -> Store:
    """A started local store."""
    store = Store.open(str(folder / "store"))
    store.start()
    return store


def subject(name: str = "Optics", discipline_id: str = "physics", **changes: Any) -> dict[str, Any]:
    """A row of subjects as stages read it."""
    return {
        "subject_id": subjects.subject_id(discipline_id, name),
        "discipline_id": discipline_id,
        "name": name,
        "level": "introductory",
        "introduction": f"What {name} is about.",
        "subtopics": ["lenses", "mirrors"],
        "lists_found_in": 1,
        "position": 0,
        **changes,
    }


def commit(store: Store, unit: Unit, rows: Sequence[Mapping[str, Any]], capacity: int | None = None) -> Receipt:
    """Commit rows of a unit; provenance that is not given is filled in."""
    filled = {
        **dict.fromkeys(SCHEMAS[unit.stage].names),
        "unit_key": unit.key,
        "edition": unit.edition,
        "run_id": "run",
        "created_at": NOON,
        "discipline_id": unit.discipline_id,
    }
    whole = [{**filled, **row} for row in rows]
    return store.commit(
        unit,
        table(unit.stage, whole),
        planned=len(whole),
        content_digest=content_digest(unit.stage, whole),
        capacity=capacity,
    )


def commit_subjects(
    store: Store, made: Recipe, *rows: dict[str, Any], discipline: Discipline = PHYSICS
) -> tuple[Unit, Receipt]:
    """The subjects unit of a discipline, committed with these rows."""
    unit = subjects.plan(discipline, made)
    return unit, commit(store, unit, rows)


def sessions(*titles: str, concepts: int = 3) -> list[dict[str, Any]]:
    """Class sessions, each with concepts of its own."""
    return [
        {"title": title, "description": f"On {title}.", "key_concepts": [f"{title} {n}" for n in range(concepts)]}
        for title in titles
    ]


def teacher(*subject_names: str, introduction: str = "x", title: str = "Part") -> Say:
    """A model that lists these subjects, two sessions for each, and another question and answer every time."""

    def say(request: Request) -> Reply:
        prompt = request.messages[-1]["content"]
        if request.stage == "subjects":
            listed = [
                {"subject_name": name, "level": "expert", "introduction": introduction, "subtopics": ["x"]}
                for name in subject_names
            ]
            return json.dumps({"subjects": listed})
        if request.stage == "syllabi":
            return json.dumps({"sessions": sessions(f"{title} one", f"{title} two")})
        if request.stage == "questions":
            return f"How does {request.unit} work in {title} {request.sample_index}, and why is it so?"
        return f"It works since {digest(prompt)[:12]} holds in every such case, as {request.unit} shows."

    return say


def grow(
    store: Store, made: Recipe, say: Say, discipline: Discipline = PHYSICS, until: Stage = "instructions"
) -> dict[Stage, list[Receipt]]:
    """Make what can be made of a discipline up to a stage, without publishing it; the receipts by stage."""
    [walk] = walks(store, [discipline], made)
    run = effects(store, say)
    receipts: dict[Stage, list[Receipt]] = {stage: [] for stage in STAGES}
    waiting = walk.first()
    while waiting:
        unit = waiting.pop(0)
        if STAGES.index(unit.stage) <= STAGES.index(until):
            receipt = RUN[unit.stage](unit, made, run)
            receipts[unit.stage].append(receipt)
            waiting += walk.after(unit, receipt)
    return receipts


def publish(store: Store, receipts: Mapping[Stage, Sequence[Receipt]]) -> None:
    """Name the receipts in the generations of their stages."""
    for some in receipts.values():
        for receipt in some:
            publish_units(store, receipt.discipline_id, [receipt], "run", clock)
