"""How requests and keys are made of a run's configuration and its prompts: what all stages share."""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import BaseModel

from glan.config import RunConfig, Selection
from glan.curation import scores, typed_answers
from glan.curation.contamination import Contamination
from glan.curation.rules import rules_digest
from glan.gateway.requests import Message, Problem, Reader, Request, Understood, with_end
from glan.keys import Texts, canonical, digest, normalised, seed_for, spelt
from glan.languages import ENGLISH
from glan.models import ModelProfile, Role
from glan.prompts import NAMES, Prompts
from glan.stages.sampling import kinds
from glan.stages.shared import other_language
from glan.units import Stage, Unit, stages_with

_AT_HAND = 1000
"""So many common parts of keys are remembered at once."""


class Ingredients(NamedTuple):
    """What decides the rows of a stage's units alike, whatever they read."""

    stage: str
    prompts: Sequence[str] = ()
    role: Role | None = None
    parameters: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Recipe:
    """A run's configuration (every model named), the prompt templates it uses, and what its data must not hold."""

    config: RunConfig
    prompts: Prompts
    benchmarks: Callable[[], Contamination] | None = None  # read at its first use: only verdicts need it
    _spelt: dict[Any, bytes] = field(default_factory=dict, init=False, compare=False, repr=False)

    @cached_property
    def rules(self) -> str:
        """Digest of all that decides how an example is judged by itself."""
        return rules_digest(self.config.curation)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of a run."""
        config = self.config
        chosen: dict[Stage, bool] = {
            "continuations": config.follow_ups > 0,
            "judgements": config.judging.rubric or config.checking.on,
        }
        return stages_with({stage for stage, is_on in chosen.items() if is_on})

    @cached_property
    def asks_for_kinds(self) -> bool:
        """Whether questions are to be of given difficulties or types."""
        return kinds.asked_for(self.config)

    @cached_property
    def identity(self) -> str:
        """Digest of all that decides which units there are and what their keys are."""
        config = self.config
        elsewhere = {*Selection.model_fields, "models", "budget", "on_busy", "curation"}
        return digest(
            {
                "config": config.model_dump(mode="json", exclude=elsewhere),
                "profiles": {role: self.profile(role).identity() for role in config.roles},
                "prompts": {name: self.prompts[name].stamp.digest for name in NAMES},
                "rules": self.rules,
                "limits": scores.limits(config) | typed_answers.identity(config),
            }
        )

    def profile(self, role: Role) -> ModelProfile:
        """The model profile of a role."""
        profile: ModelProfile = getattr(self.config.models, role)
        return profile

    def unit_key(
        self,
        ingredients: Callable[["Recipe"], Ingredients],
        *,
        inputs: Texts,
        edition: int,
        language: str = ENGLISH,
        **parameters: Hashable,
    ) -> str:
        """The `unit_key`: everything that decides the rows of a unit, and nothing else (design: keys).

        It is the digest of one JSON object. A look at a large store makes hundreds of thousands of keys, so what units
        have in common is spelt out once: `ingredients` are those of a recipe, `parameters` further ones, mostly of few values.
        """
        known = (ingredients, language, *parameters.values())
        common = self._spelt.get(known)
        if common is None:
            if len(self._spelt) == _AT_HAND:
                self._spelt.clear()
            common = self._spelt[known] = self._common(ingredients(self), language, parameters)
        own = b'{"edition":%d,"inputs":%b,' % (edition, spelt(inputs))
        return hashlib.sha256(own + common).hexdigest()  # names in alphabetical order, so still canonical

    def _common(self, made_of: Ingredients, language: str, parameters: Mapping[str, Any]) -> bytes:
        own = {} if language == ENGLISH else {"language": language}
        also = [other_language.PROMPT] if own and made_of.prompts else []
        common = {
            "parameters": {**made_of.parameters, **parameters, **own},
            "profile": self.profile(made_of.role).identity() if made_of.role else None,
            "prompts": {name: self.prompts[name].stamp.digest for name in (*made_of.prompts, *also)},
            "stage": made_of.stage,
        }
        return canonical(common).removeprefix(b"{")

    def request(
        self,
        unit: Unit,
        role: Role,
        prompt_name: str,
        inputs: Mapping[str, Any],
        read: Reader,
        *,
        sample_index: int | None = None,
        schema: type[BaseModel] | None = None,
        after: Sequence[Message] = (),
        also: tuple[str, Mapping[str, Any]] | None = None,
    ) -> Request:
        """A request of one prompt, as a further turn where `after` gives the turns before it.

        `also`: a second template and its inputs, which is said at the end.
        """
        prompt = self.prompts[prompt_name]
        profile = with_parameters(self.profile(role), prompt.parameters)
        foreign = unit.language != ENGLISH and role != "judge"
        plain = not (after or foreign or also)  # the examples are in English, and of no kind that is asked for
        with_example = profile.example and plain
        messages = self.rendered(prompt_name, inputs, unit.language if foreign else ENGLISH, with_example, also)
        if with_example:
            read = unlike_example(read, messages)
        if foreign and role in other_language.READ_STRICTLY:
            read = other_language.read_in(unit.language, read)
        seed = seed_for(
            self.config.seed, unit.stage, unit.discipline_id, unit.subject_id, sample_index or 0, unit.edition
        )
        return Request(
            stage=unit.stage,
            discipline_id=unit.discipline_id,
            unit=unit.address,
            unit_key=unit.key,
            node=unit.node if sample_index is None else unit.sample(sample_index),
            prompt=prompt.stamp,
            messages=[*after, *messages],
            profile=profile,
            read=read,
            sample_index=sample_index or 0,
            edition=unit.edition,
            seed=seed if profile.send_seed else None,
            schema=schema,
        )

    def rendered(
        self,
        prompt_name: str,
        inputs: Mapping[str, Any],
        language: str,
        example: bool = False,
        also: tuple[str, Mapping[str, Any]] | None = None,
    ) -> list[Message]:
        """The messages of one prompt, and of what is said beside it; at their end what to write in unless it is English."""
        messages = self.prompts[prompt_name].render(inputs, example=example)
        if also:
            messages = with_end(messages, self.prompts[also[0]].render(also[1]))
        return (
            messages
            if language == ENGLISH
            else other_language.asked_in(language, self.prompts[other_language.PROMPT], messages)
        )

    def models(self) -> dict[Role, ModelProfile]:
        """The profiles of all roles that models are asked in."""
        return {role: self.profile(role) for role in self.config.roles}


def with_parameters(profile: ModelProfile, parameters: Mapping[str, Any]) -> ModelProfile:
    """The prompt's own sampling parameters, except those that the profile says are not to be sent."""
    wanted = {name: value for name, value in parameters.items() if getattr(profile, name) is not None}
    return profile.model_copy(update=wanted) if wanted else profile


def unlike_example(read: Reader, messages: Sequence[Message]) -> Reader:
    """A reader that also refuses a reply about the worked example: small models like to copy it.

    `messages` end with the example's two turns and the question itself. A reply counts as copied if at least two of
    its longer words, and a fifth of them, are found in the example and nowhere else in the messages.
    """
    *rules, example_question, example_answer, asked = (_long_words(message["content"]) for message in messages)
    of_example = (example_question | example_answer).difference(asked, *rules)

    def checked(text: str, finish_reason: str | None) -> Understood | Problem:
        result = read(text, finish_reason)
        words = _long_words(text)
        copied = words & of_example
        if isinstance(result, Problem) or len(copied) < 2 or 5 * len(copied) < len(words):
            return result
        return Problem(
            "copied_example", "This repeats the example, which is about something else; keep to what is asked."
        )

    return checked


def _long_words(text: str) -> set[str]:
    """The first six letters of the words of five and more, so that a colony and its colonies are one."""
    return {word[:6] for word in normalised(text).split() if len(word) >= 5}
