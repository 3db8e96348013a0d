"""Scope -> walks: how much of each discipline a run takes on, and in which edition."""

from collections.abc import Iterable, Mapping, Sequence

from glan.planning.walk import Shelf, Walk
from glan.stages.questions import span_of
from glan.stages.recipe import Recipe
from glan.store import editions, manifests
from glan.store.editions import Edition
from glan.store.manifests import Manifest
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import STAGES, Scope, Stage


def walks(store: Store, disciplines: Iterable[Discipline], recipe: Recipe, scope: Scope = Scope()) -> list[Walk]:
    """A walk for each discipline over what the store holds now, with one listing for each stage."""
    current: Mapping[Stage, Mapping[str, Manifest]] = {
        stage: manifests.all_current(store.files, stage) for stage in STAGES
    }
    drawn = editions.all_editions(store.files)

    def walk(discipline: Discipline) -> Walk:
        name = discipline.discipline_id
        shelf = Shelf(store, name, {stage: current[stage].get(name) for stage in STAGES})
        begun = drawn.get(name, [])
        return Walk(discipline, _for(recipe, scope, shelf), store, shelf, scope, _numbers(begun, scope))

    return [walk(discipline) for discipline in disciplines]


def read_by_curation(scope: Scope) -> Scope:
    """The scope in which the outcome of a run is read: what a refresh has not finished is not part of it."""
    return scope.model_copy(update={"mode": "all"}) if scope.mode == "refresh" else scope


def _for(recipe: Recipe, scope: Scope, shelf: Shelf) -> Recipe:
    """The recipe with the limits of one discipline. A refresh draws no less anew than readers see now."""
    config = recipe.config
    questions, subjects = scope.questions.get(shelf.discipline_id, config.questions), config.subjects
    if scope.mode == "refresh":
        questions = max([questions, *(span_of(address)[1][1] for address in shelf.named["questions"])])
        subjects = subjects and max(subjects, len(shelf.named["syllabi"]))
    limits = {"questions": questions, "subjects": subjects}
    return Recipe(config.model_copy(update=limits), recipe.prompts)


def _numbers(begun: Sequence[Edition], scope: Scope) -> Mapping[Stage, int]:
    """The edition of each stage; of a refresh that is still to be opened, the one that it will open."""
    finished = editions.numbers(begun)
    if scope.mode != "refresh":
        return finished
    drawn = editions.last_open(begun, scope.stage)
    number = drawn.number if drawn else editions.following(begun)
    return {**finished, **dict.fromkeys(STAGES[STAGES.index(scope.stage) :], number)}
