"""Branch -> lists of what is below it: one conversation for each wording and repetition."""

from collections.abc import Iterable
from dataclasses import dataclass

from glan.drafting.documents import WORDINGS, DraftPlan, FailedList, Kind, Path
from glan.gateway.reading import structured
from glan.gateway.requests import Call, Conversation, Outcome, Problem, Request
from glan.keys import digest, seed_for, slug
from glan.names import clean
from glan.replies import TaxonomyNodes, taxonomy_nodes
from glan.spellings import spellings_of
from glan.stages.shared.recipe import Ingredients, Recipe, unlike_example, with_parameters

TAXONOMY = "taxonomy"
"""Stage and discipline under which the calls of a draft are on record."""

MOST_WORDS = 12
"""Of a node's name; what is longer is a sentence."""

_KINDS: tuple[tuple[Kind, ...], ...] = (("field",), ("sub-field", "discipline"), ("discipline",))


@dataclass(frozen=True)
class Branch:
    """A node that is asked about: its path, and what stands below it, with what is below that."""

    path: Path
    known: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def names(self) -> list[str]:
        """Whatever a list of this branch need not name."""
        return [*self.path, *(name for name, _ in self.known)]


@dataclass(frozen=True)
class Mention:
    """A node as one list names it."""

    name: str
    kind: Kind
    wording: str
    list_index: int
    rank: int


def conversations(branch: Branch, plan: DraftPlan, recipe: Recipe) -> list[Conversation]:
    """The lists of a branch, in the order in which `heard` takes their outcomes."""
    return [_one_list(branch, plan, recipe, wording, index) for wording, index in _asked(plan)]


def heard(outcomes: Iterable[Outcome], branch: Branch, plan: DraftPlan) -> tuple[list[Mention], list[FailedList]]:
    """What the lists of a branch name beyond what is known, and those that cannot be used."""
    mentions, failures = [], []
    for number, ((wording, index), outcome) in enumerate(zip(_asked(plan), outcomes, strict=True)):
        if outcome.failure:
            kind, message = outcome.failure.kind, outcome.failure.message
            failures.append(FailedList(wording=wording, index=index, kind=kind, message=message))
            continue
        for rank, (name, node_kind) in enumerate(_named(outcome.value, branch)):
            mentions.append(Mention(name, node_kind, wording, number, rank))
    return mentions, failures


def _asked(plan: DraftPlan) -> list[tuple[str, int]]:
    return [(wording, index) for wording in WORDINGS for index in range(plan.lists)]


def _one_list(branch: Branch, plan: DraftPlan, recipe: Recipe, wording: str, index: int) -> Conversation:
    call: Call = yield _request(branch, plan, recipe, wording, index)
    return call.value


def _request(branch: Branch, plan: DraftPlan, recipe: Recipe, wording: str, index: int) -> Request:
    prompt = recipe.prompts[wording]
    profile = with_parameters(recipe.profile("subject"), prompt.parameters)
    most = plan.most_below(branch.path)
    field, sub_field = (*branch.path, "", "")[:2]
    known = [{"name": name, "below": list(below)} for name, below in branch.known]
    messages = prompt.render(
        {"field": field, "sub_field": sub_field, "known": known, "most": most}, example=profile.example
    )
    schema = taxonomy_nodes(_KINDS[len(branch.path)], most, 0 if branch.known else 1)
    read = structured(schema, _check)
    address = ".".join([TAXONOMY, *(slug(name, 30) or digest(name)[:12] for name in branch.path)])
    seed = seed_for(recipe.config.seed, TAXONOMY, *branch.path, wording, index)
    return Request(
        stage=TAXONOMY,
        discipline_id=TAXONOMY,
        unit=address,
        unit_key=recipe.unit_key(_ingredients, inputs=[branch.path, branch.known], edition=0, most=most),
        node=f"{address} {wording} #{index}",
        prompt=prompt.stamp,
        messages=messages,
        profile=profile,
        read=unlike_example(read, messages) if profile.example else read,
        sample_index=index,
        seed=seed if profile.send_seed else None,
        schema=schema,
    )


def _ingredients(_: Recipe) -> Ingredients:
    return Ingredients(TAXONOMY, WORDINGS, "subject")


def _check(reply: TaxonomyNodes) -> Problem | None:
    """Whether a list names anything usable, or rightly nothing."""
    if not reply.nodes or any(_usable(node.name, ()) for node in reply.nodes):
        return None
    return Problem("no_nodes", "The list holds no usable name; give each node a short name in words, without slashes.")


def _named(reply: TaxonomyNodes, branch: Branch) -> list[tuple[str, Kind]]:
    """The usable names of a list that are not known, each with its kind."""
    found = [(_usable(node.name, branch.names), _kind(node.kind, branch)) for node in reply.nodes]
    return [(name, kind) for name, kind in found if name]


def _usable(name: str, known: Iterable[str]) -> str:
    """The name as it may stand in a tree; empty if it may not, or is known."""
    try:
        tidy = clean(name)
    except ValueError:
        return ""
    too_long = len(tidy.split()) > MOST_WORDS
    taken = {spelling for other in known for spelling in spellings_of(other)}
    # The sign between the names of a path would make two names of one.
    return "" if ">" in tidy or too_long or taken.intersection(spellings_of(tidy)) else tidy


def _kind(said: str, branch: Branch) -> Kind:
    kinds = _KINDS[len(branch.path)]
    return kinds[0] if len(kinds) == 1 or said.strip().casefold().startswith("sub") else kinds[1]
