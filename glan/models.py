"""How models are asked: for each role the model as sent, its parameters and its endpoint."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from glan.checks import VARIABLE, ModelName, Strict, http_address
from glan.keys import canonical

Role = Literal["subject", "syllabus", "question", "answer", "judge"]
ROLES: tuple[Role, ...] = ("subject", "syllabus", "question", "answer", "judge")

_OWN_PARAMETERS = frozenset(
    {"model", "messages", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed"}
    | {"response_format", "stream", "n"}
)


class ModelProfile(Strict):
    """How one kind of call is made: the model, its sampling parameters, and the endpoint if it has its own."""

    model: ModelName = Field(default="", description="model name as sent; empty: GLAN_<ROLE>_MODEL, else GLAN_MODEL")
    temperature: float | None = Field(default=1.0, ge=0, le=2, description="null: not sent")
    top_p: float | None = Field(default=0.95, gt=0, le=1, description="null: not sent")
    max_tokens: int | None = Field(
        default=None, ge=1, description="most tokens of one reply; null: the endpoint's own limit"
    )
    stop: list[str] | None = Field(default=None, description="stop strings", max_length=16)
    send_seed: bool = Field(
        default=True, description="send a seed with each call; switch off where an endpoint refuses it"
    )
    extra_body: dict[str, Any] = Field(default_factory=dict, description="further body parameters, sent as they are")
    example: bool = Field(
        default=False, description="show the prompt's worked example as an earlier turn (small models need it)"
    )
    base_url: str | None = Field(default=None, description="endpoint of this profile; null: OPENAI_BASE_URL")
    api_key_env: str | None = Field(
        default=None, pattern=VARIABLE, description="NAME of the variable that holds the key"
    )
    structure: Literal["auto", "json_schema", "json_object", "text"] = Field(
        default="auto", description="how structured replies are asked for; auto tries the strictest first"
    )
    token_limit_name: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="the name under which the endpoint takes the token limit"
    )
    attempts: int = Field(
        default=3, ge=1, le=20, description="how often a reply that cannot be used is asked for in all"
    )
    timeout_seconds: float = Field(default=300.0, gt=0, description="for one call")
    mode: Literal["realtime", "batch"] | None = Field(
        default=None, description="call by call, or by the endpoint's Batch API; null: GLAN_MODE"
    )

    @field_validator("stop")
    @classmethod
    def _check_stop(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and "" in value:
            raise ValueError("holds an empty text, at which every reply would stop; remove it")
        return value

    @field_validator("base_url")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        return http_address(value)

    @field_validator("extra_body")
    @classmethod
    def _check_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OWN_PARAMETERS & value.keys()):
            raise ValueError(f"may not set {taken[0]}, which the profile or the call itself sets")
        try:
            canonical(value)
        except (TypeError, ValueError) as error:
            raise ValueError("holds a date or a number that JSON cannot hold; write it as text") from error
        return value

    def body(self) -> dict[str, Any]:
        """The parameters that shape the reply: part of every request_key. Endpoint, timeouts and the like are not."""
        return {
            "model": self.model,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "stop": self.stop,
            "extra_body": self.extra_body,
        }

    def identity(self) -> dict[str, Any]:
        """The profile as part of a unit_key: what shapes the reply, and whether an example or a seed is sent."""
        return {**self.body(), "example": self.example, "send_seed": self.send_seed}


class Models(Strict):
    """One profile per role. The paper: GPT-4 at 1.0/0.95 for all but answers, GPT-3.5 at 0.7/0.95 (section 3.1).

    A judge, which the paper has none of, is to say the same each time it is asked.
    """

    subject: ModelProfile = ModelProfile()
    syllabus: ModelProfile = ModelProfile()
    question: ModelProfile = ModelProfile()
    answer: ModelProfile = ModelProfile(temperature=0.7)
    judge: ModelProfile = ModelProfile(temperature=0.0)

    @model_validator(mode="before")
    @classmethod
    def _keep_role_defaults(cls, given: Any) -> Any:
        """A table that sets one field of a role keeps that role's own defaults for the others."""
        if not isinstance(given, dict):
            return given
        filled = dict(given)
        for role in ROLES:
            value = filled.get(role)
            if isinstance(value, dict):
                filled[role] = {**cls.model_fields[role].default.model_dump(), **value}
        return filled
