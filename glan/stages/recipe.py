"""How requests and keys are made of a run's configuration and its prompts: what all stages share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from glan.config import ROLES, ModelProfile, Role, RunConfig
from glan.gateway.requests import Message, Reader, Request
from glan.keys import digest, seed_for
from glan.prompts import Prompts
from glan.units import Unit


@dataclass(frozen=True)
class Recipe:
    """A run's configuration (every model named) and the prompt templates it uses."""

    config: RunConfig
    prompts: Prompts

    def profile(self, role: Role) -> ModelProfile:
        """The model profile of a role."""
        profile: ModelProfile = getattr(self.config.models, role)
        return profile

    def unit_key(
        self, stage: str, *, inputs: Any, prompts: Sequence[str], role: Role | None, edition: int, **parameters: Any
    ) -> str:
        """The `unit_key`: everything that decides the rows of a unit, and nothing else (design: keys)."""
        return digest(
            {
                "stage": stage,
                "inputs": inputs,
                "prompts": {name: self.prompts[name].stamp.digest for name in prompts},
                "profile": self.profile(role).identity() if role else None,
                "parameters": parameters,
                "edition": edition,
            }
        )

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
    ) -> Request:
        """A request of one prompt, as a further turn where `after` gives the turns before it."""
        prompt = self.prompts[prompt_name]
        profile = _with_parameters(self.profile(role), prompt.parameters)
        seed = seed_for(
            self.config.seed, unit.stage, unit.discipline_id, unit.subject_id, sample_index or 0, unit.edition
        )
        return Request(
            stage=unit.stage,
            discipline_id=unit.discipline_id,
            unit=unit.address,
            unit_key=unit.key,
            node=unit.node if sample_index is None else f"{unit.node} #{sample_index}",
            prompt=prompt.stamp,
            messages=[*after, *prompt.render(inputs, example=profile.example and not after)],
            profile=profile,
            read=read,
            sample_index=sample_index or 0,
            edition=unit.edition,
            seed=seed if profile.send_seed else None,
            schema=schema,
        )

    def models(self) -> dict[Role, ModelProfile]:
        """All profiles by role."""
        return {role: self.profile(role) for role in ROLES}


def _with_parameters(profile: ModelProfile, parameters: Mapping[str, Any]) -> ModelProfile:
    """The prompt's own sampling parameters, except those that the profile says are not to be sent."""
    wanted = {name: value for name, value in parameters.items() if getattr(profile, name) is not None}
    return profile.model_copy(update=wanted)
