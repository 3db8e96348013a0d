"""Scope -> walks: how much of each discipline a run takes on, and in which edition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from glan.languages import subject_at
from glan.planning.walk import Shelf, Walk
from glan.stages.pairs import syllabi_of
from glan.stages.questions import span_of
from glan.stages.shared.recipe import Recipe
from glan.store import editions, manifests, retries
from glan.store.editions import Edition
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import STAGES, Scope, Stage


def walks(
    store: Store,
    disciplines: Iterable[Discipline],
    recipe: Recipe,
    scope: Scope = Scope(),
    finished_only: bool = False,
) -> list[Walk]:
    """A walk for each discipline over what the store holds now, with one listing of generations for each stage.

    `finished_only`: of a refresh, what readers are to see: not the edition that is still being drawn.
    """
    disciplines = list(disciplines)
    names = [discipline.discipline_id for discipline in disciplines]
    current = {stage: manifests.generations(store.files, stage, names) for stage in STAGES}
    drawn = editions.all_editions(store.files)

    def walk(discipline: Discipline) -> Walk:
        name = discipline.discipline_id
        shelf = Shelf(store, name, {stage: current[stage][name] for stage in STAGES if name in current[stage]})
        begun = drawn.get(name, [])
        retry = retries.next_number(store.files, name) if scope.mode == "retry" and not finished_only else 0
        numbers = _numbers(begun, scope, finished_only)
        return Walk(discipline, _for(recipe, scope, shelf), store, shelf, scope, numbers, retry)

    return [walk(discipline) for discipline in disciplines]


def _for(recipe: Recipe, scope: Scope, shelf: Shelf) -> Recipe:
    """The recipe with the limits of one discipline, which reach at least as far as what readers see if that is at stake."""
    config = recipe.config
    questions = scope.questions.get(shelf.discipline_id, config.questions)
    subjects = scope.subjects.get(shelf.discipline_id, config.subjects)
    if scope.covers_published:
        subjects = subjects and max(subjects, len(set(map(subject_at, shelf.named["syllabi"]))))
    if scope.covers_published and shelf.discipline_id not in scope.questions:
        own = (address for address in shelf.named["questions"] if not syllabi_of(address)[1])
        questions = max([questions, *(span_of(address)[1][1] for address in own)])
    limits = {"questions": questions, "subjects": subjects}
    if scope.is_pilot:  # of few subjects, and to the end of none
        limits["cross_subject_questions"] = 0
    return replace(recipe, config=config.model_copy(update=limits))


def _numbers(begun: Sequence[Edition], scope: Scope, finished_only: bool) -> Mapping[Stage, int]:
    """The edition of each stage; of a refresh that is still to be opened, the one that it will open."""
    finished = editions.numbers(begun)
    if scope.mode != "refresh" or finished_only:
        return finished
    drawn = editions.last_open(begun, scope.stage)
    number = drawn.number if drawn else editions.following(begun)
    return {**finished, **dict.fromkeys(STAGES[STAGES.index(scope.stage) :], number)}
