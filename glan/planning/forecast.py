"""What a run would ask and cost, from the store alone: exact where the inputs exist, a range where they do not."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from glan.gateway.prices import Cost
from glan.models import Role
from glan.planning.experience import CallFigures, Experience, Range, replies_on_record
from glan.planning.pairing import Waiting
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.stages import pairs
from glan.stages.questions import rounds as further_rounds
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import STAGES, Scope, Stage, Unit

ROLE_OF: Mapping[Stage, Role] = {
    "subjects": "subject",
    "syllabi": "syllabus",
    "questions": "question",
    "answers": "answer",
    "judgements": "judge",
}

COLUMNS = [
    "stage", "units", "rows", "calls", "calls_at_least", "calls_at_most", "prompt_tokens", "completion_tokens",
    "cost_usd", "cost_at_most_usd", "learned_from",
]  # fmt: skip


@dataclass
class _Work:
    """What is to come of one stage: units, replies that are wanted for them, rows that they give."""

    units: Range = field(default_factory=lambda: Range.exactly(0))
    replies: dict[tuple[Stage, Role], Range] = field(default_factory=dict)
    """By the stage whose calls they are like, and who is asked: a second answer, drawn to check the first, is like an
    answer."""
    rows: Range = field(default_factory=lambda: Range.exactly(0))

    def add(self, units: Range, rows: Range) -> None:
        self.units += units
        self.rows += rows

    def ask(self, like: Stage, role: Role, replies: Range) -> None:
        self.replies[like, role] = self.replies.get((like, role), Range.exactly(0)) + replies


def forecast(
    store: Store,
    disciplines: Iterable[Discipline],
    recipe: Recipe,
    cost: Cost,
    scope: Scope = Scope(),
    tell: Callable[[str], None] = lambda sentence: None,
) -> pd.DataFrame:
    """One row for each stage: units, rows and calls to come, their tokens and price.

    Figures are what is likely, by what the whole store has seen so far; `calls_at_least` and `calls_at_most` differ
    where inputs do not exist yet. `rows` of instructions are those that will probably be kept. `cost_usd` is missing
    where a price is unknown. `learned_from` is the number of calls on record that the figures of a stage rest on; 0:
    they are assumed. What follows from an object that cannot be read is left out: `tell` is told.
    """
    learned = Experience(store)
    ahead = _Ahead(learned)
    surveys = [(walk, survey(walk)) for walk in walks(store, disciplines, recipe, scope)]
    begun = replies_on_record(store.files, (walk.discipline.discipline_id for walk, seen in surveys if seen.ready))
    for walk, seen in surveys:
        for _, reason in seen.unreadable:
            tell(reason)
        for unit in seen.ready:
            there = sum(begun.get(key, 0) for key in (unit.key, *unit.begun_as))
            ahead.add(unit, walk.recipe, there, unit.stage == "continuations" and walk.is_judged(unit))
        ahead.add_pairs(walk.waiting_pairs(seen.ready), walk.recipe)
    lines = [_line(stage, ahead.work[stage], learned, recipe, cost) for stage in recipe.stages]
    return pd.DataFrame(lines, columns=COLUMNS)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The lines of a forecast; what is unknown is None."""
    known = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in line.items()} for line in known.to_dict("records")]


class _Ahead:
    """Units that can be made now, and all that is bound to follow from them."""

    def __init__(self, learned: Experience) -> None:
        self.work: dict[Stage, _Work] = {stage: _Work() for stage in STAGES}
        self._learned = learned

    def add(self, unit: Unit, recipe: Recipe, replies_there: int, is_judged: bool) -> None:
        """A unit that can be made now; some of its replies may be there already, and so may what its answers were judged."""
        config = recipe.config
        one = Range.exactly(1)
        if unit.stage == "subjects":
            subjects = self._learned.subjects(config.subjects)
            self._put("subjects", one, config.lists * (2 if config.two_step else 1) - replies_there, subjects)
            self._syllabi(subjects * len(config.languages), recipe, 0)
            self._pairs(subjects, recipe)
        elif unit.stage == "syllabi":
            self._syllabi(one, recipe, replies_there)
        elif unit.stage == "questions":
            asked = unit.stop - unit.start
            calls = math.ceil(asked / config.questions_per_call)
            self._questions(one, Range.exactly(calls - replies_there), Range.exactly(asked), recipe)
        elif unit.stage == "answers":
            questions = Range.exactly(unit.parents["questions"].rows)
            self._answers(one, questions, questions + Range.exactly(-replies_there), recipe)
        elif unit.stage == "continuations":
            answers = Range.exactly(unit.parents["answers"].rows)
            self._continuations(one, answers, recipe, replies_there, is_judged)
        elif unit.stage == "judgements":
            answers = Range.exactly(unit.parents["answers"].rows)
            self._judgements(one, answers, recipe, replies_there)
        else:
            self._instructions(one, Range.exactly(unit.parents["answers"].rows))

    def add_pairs(self, waiting: Iterable[Waiting], recipe: Recipe) -> None:
        """Rounds on two subjects that follow once both have their syllabi."""
        written = self._learned.share("syllabi")
        for missing, spans in waiting:
            both = written if missing == 1 else written * written
            self._questions(both * len(spans), both * _calls(spans, recipe), both * _asked_in(spans), recipe)

    def _pairs(self, subjects: Range, recipe: Recipe) -> None:
        """The same for a discipline whose subjects are not listed yet."""
        limit, written = recipe.config.cross_subject_questions, self._learned.share("syllabi")
        counts = (subjects.least, subjects.likely, subjects.most)
        spans = [pairs.among(round(number), limit) if limit else [] for number in counts]
        units, replies, asked = (
            Range(*map(measure, spans)) * written * written * len(recipe.config.languages)
            for measure in (len, lambda some: _calls(some, recipe), _asked_in)
        )
        self._questions(units, replies, asked, recipe)

    def _put(self, stage: Stage, units: Range, replies: Range | float, rows: Range) -> None:
        self.work[stage].add(units, rows)
        if stage in ROLE_OF:
            exact = replies if isinstance(replies, Range) else Range.exactly(replies)
            self.work[stage].ask(stage, ROLE_OF[stage], exact)

    def _syllabi(self, syllabi: Range, recipe: Recipe, replies_there: int) -> None:
        config = recipe.config
        written = syllabi * self._learned.share("syllabi")
        self._put("syllabi", syllabi, syllabi * (2 if config.two_step else 1) + Range.exactly(-replies_there), written)
        spans = further_rounds([], config.questions, config.questions)
        calls = _calls(spans, recipe)
        each = self._learned.questions(config.questions)
        asked = written * each
        replies = asked * (calls / config.questions if config.questions else 0)
        self._questions(written * len(spans), replies, asked, recipe)

    def _questions(self, units: Range, replies: Range, asked: Range, recipe: Recipe) -> None:
        questions = asked * self._learned.share("questions")
        self._put("questions", units, replies, questions)
        self._answers(units, questions, questions, recipe)

    def _answers(self, units: Range, questions: Range, replies: Range, recipe: Recipe) -> None:
        answers = questions * self._learned.share("answers")
        self._put("answers", units, replies, answers)
        if "continuations" in recipe.stages:
            self._continuations(units, answers, recipe, 0)
        else:
            self._judged(units, answers, recipe)

    def _continuations(
        self, units: Range, answers: Range, recipe: Recipe, replies_there: int, is_judged: bool = False
    ) -> None:
        """Of replies that are there, every second is taken to be a question."""
        each, asked = answers * recipe.config.follow_ups, (replies_there + 1) // 2
        work = self.work["continuations"]
        work.add(units, answers * self._learned.share("continuations"))
        work.ask("continuations", "question", each + Range.exactly(-asked))
        work.ask("continuations", "answer", each + Range.exactly(asked - replies_there))
        if is_judged:
            self._instructions(units, answers)
        else:
            self._judged(units, answers, recipe)

    def _judged(self, units: Range, answers: Range, recipe: Recipe) -> None:
        if "judgements" in recipe.stages:
            self._judgements(units, answers, recipe, 0)
        else:
            self._instructions(units, answers)

    def _judgements(self, units: Range, answers: Range, recipe: Recipe, replies_there: int) -> None:
        """Scores, second answers and programs that end; of replies that are there, scores are taken to have come first."""
        judging, checking, none = recipe.config.judging, recipe.config.checking, Range.exactly(0)
        scores = answers if judging.rubric else none
        again = answers * self._learned.stating_a_result if checking.math else none
        run = answers * self._learned.with_programs if checking.code else none
        made = self._learned.share("judgements")
        scored = min(replies_there, round(scores.likely))
        self._put("judgements", units, scores + Range.exactly(-scored), (scores + again) * made + run)
        self.work["judgements"].ask("answers", "answer", again + Range.exactly(scored - replies_there))
        self._instructions(units, answers)

    def _instructions(self, units: Range, curated: Range) -> None:
        self._put("instructions", units, 0, curated * self._learned.share("instructions"))


def _calls(spans: Iterable[tuple[int, int]], recipe: Recipe) -> int:
    return sum(math.ceil((stop - start) / recipe.config.questions_per_call) for start, stop in spans)


def _asked_in(spans: Iterable[tuple[int, int]]) -> int:
    return sum(stop - start for start, stop in spans)


def _line(stage: Stage, work: _Work, learned: Experience, recipe: Recipe, cost: Cost) -> list[object]:
    units, rows = round(work.units.likely), round(work.rows.likely)
    if stage == "instructions":
        return [stage, units, rows, 0, 0, 0, 0, 0, 0.0, 0.0, 0]
    none = {(stage, ROLE_OF.get(stage, "question")): Range.exactly(0)}
    asked = [
        _asked(like, role, replies, learned, recipe, cost) for (like, role), replies in (work.replies or none).items()
    ]
    least, likely, most, sent, received = (sum(column) for column in zip(*(one.counts for one in asked), strict=True))
    costs = [
        None if None in column else sum(filter(None, column))
        for column in zip(*(one.costs for one in asked), strict=True)
    ]
    learned_from = sum({one.like: one.learned_from for one in asked}.values())
    return [stage, units, rows, likely, least, most, sent, received, *costs, learned_from]


@dataclass(frozen=True)
class _Calls:
    """Calls of one kind. `counts`: at least, likely and at most, tokens sent and received; `costs`: likely and at most."""

    counts: tuple[int, int, int, int, int]
    costs: tuple[float | None, float | None]
    learned_from: int
    like: tuple[Stage, str]
    """Stage and model of the calls that these figures rest on, which two kinds of calls may share."""


def _asked(like: Stage, role: Role, replies: Range, learned: Experience, recipe: Recipe, cost: Cost) -> _Calls:
    profile = recipe.profile(role)
    took = learned.calls(like, profile.model)
    calls = replies * took.per_reply
    each = _tokens(took, profile.max_tokens)
    price = cost(profile.model, *each) if calls.most > 0 else 0.0
    least, likely, most = (round(max(0.0, number)) for number in (calls.least, calls.likely, calls.most))
    return _Calls(
        counts=(least, likely, most, round(calls.likely * each[0]), round(calls.likely * each[2])),
        costs=(None, None) if price is None else (calls.likely * price, calls.most * price),
        learned_from=took.calls if likely else 0,
        like=(like, profile.model),
    )


def _tokens(took: CallFigures, max_tokens: int | None) -> tuple[float, float, float]:
    """Sent, cached and received by a call; what is merely usual goes no further than the limit of a reply."""
    received = took.completion_tokens if took.calls else min(took.completion_tokens, max_tokens or math.inf)
    return took.prompt_tokens, took.cached_tokens, received
