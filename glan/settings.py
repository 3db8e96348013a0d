"""Where to run: the environment, `.env` and `glan.toml` of the working folder, in that order of precedence."""

import io
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv.parser import parse_stream
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from glan.checks import (
    LARGEST,
    NOTIFICATION_BLOCK,
    ModelName,
    explain,
    http_address,
    store_address,
    toml,
    unknown,
)
from glan.config import RunConfig
from glan.errors import InputError
from glan.models import ModelProfile, Models


class _TomlFile(TomlConfigSettingsSource):
    """glan.toml, read like every other TOML file."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        return toml(Path(str(file_path)), "file of settings")


class Settings(BaseSettings):
    """Store, endpoints and limits of this machine. Made at the edge, passed in, never imported as a global."""

    model_config = SettingsConfigDict(
        env_prefix="GLAN_",
        env_file=".env",
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        toml_file="glan.toml",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    store: str = Field(default="data", description="a local folder, or s3://bucket/prefix")
    model: ModelName = Field(default="", description="model of every profile that names none")
    subject_model: ModelName = ""
    syllabus_model: ModelName = ""
    question_model: ModelName = ""
    answer_model: ModelName = ""
    judge_model: ModelName = ""
    max_concurrency: int = Field(default=64, ge=1, le=10_000, description="most calls in flight in this process")
    requests_per_minute: int | None = Field(
        default=None, ge=1, le=LARGEST, description="cap of this process; unset: none"
    )
    tokens_per_minute: int | None = Field(
        default=None, ge=1, le=LARGEST, description="cap of this process; unset: none"
    )
    mode: Literal["realtime", "batch"] = Field(
        default="realtime", description="call by call, or by the provider's Batch API; a model profile may have its own"
    )
    batch_gather_seconds: float = Field(
        default=10.0, gt=0, le=3600, description="a batch is sent when no call has been added for so long"
    )
    batch_requests: int = Field(default=50_000, ge=1, le=50_000, description="most calls in one batch")
    patience_seconds: float = Field(
        default=1800.0, ge=0, description="how long an endpoint or a store that is down is waited for"
    )
    flush_seconds: float = Field(default=2.0, gt=0, le=60, description="longest time a finished reply stays unwritten")
    prices: Path | None = Field(
        default=None, description="TOML of prices per million tokens, by model, that go before the public ones"
    )
    prompts: Path | None = Field(default=None, description="folder whose templates replace shipped ones by name")
    timezone: str = Field(default="UTC", description="time zone of the nightly schedule, where it is deployed")
    task_runner: Literal["threads", "dask"] = Field(
        default="threads", description="where units are made: in this process, or in the worker processes of Dask"
    )
    dask_address: str | None = Field(default=None, description="Dask scheduler; unset: a cluster of this run's own")
    dask_workers: int = Field(default=2, ge=1, le=1000, description="worker processes of a cluster of this run's own")
    quarantine_alarm: float = Field(
        default=0.05, ge=0, le=1, description="share of a run's rows in quarantine above which an event is told"
    )
    notify: str = Field(
        default="",
        pattern=NOTIFICATION_BLOCK,
        description="Prefect notification block that automations use: block type and name, as in slack-webhook/team",
    )
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("openai_api_key", "OPENAI_API_KEY")
    )
    openai_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("openai_base_url", "OPENAI_BASE_URL")
    )

    @field_validator("store")
    @classmethod
    def _check_store(cls, value: str) -> str:
        return store_address(value)

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError, ValueError) as error:
            raise ValueError("must be the name of a time zone, such as Europe/Berlin") from error
        return value

    @field_validator("dask_address")
    @classmethod
    def _check_scheduler(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("tcp://", "tls://")):
            raise ValueError("must be the address of a Dask scheduler, such as tcp://host:8786")
        return value

    @field_validator("openai_base_url")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        return http_address(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, _TomlFile(settings_cls)

    @classmethod
    def load(cls, **overrides: object) -> "Settings":
        """Read all sources.

        Raises:
            InputError: a name is unknown or a value wrong; names the variable, never its value.
        """
        try:
            _check_env_file()
            for where, name, known in cls._given():
                if name not in known:
                    raise InputError(f"{where}: {unknown(name, known)}")
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            raise InputError(f"settings ({_variable(field)}, or `{field}` in glan.toml): {explain(error)}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f".env: cannot be read ({error}); correct it or take it away") from error

    @classmethod
    def _given(cls) -> Iterator[tuple[str, str, list[str]]]:
        """Every name a person has set: where, the name, and the names that are known there."""
        variables = [_variable(field) for field in cls.model_fields]
        for name in _TomlFile(cls).toml_data:
            yield "glan.toml", name, list(cls.model_fields)
        for where, source in ((".env", DotEnvSettingsSource(cls)), ("environment", EnvSettingsSource(cls))):
            for name in source.env_vars:
                if name.upper().startswith("GLAN_"):
                    yield where, name.upper(), variables

    def resolved(self, config: RunConfig, otherwise: Models | None = None) -> RunConfig:
        """The configuration with every profile's model filled in; `otherwise` where neither it nor a setting names one.

        Raises:
            InputError: a profile has no model.
        """
        profiles = {str(role): self._profile(role, getattr(config.models, role), otherwise) for role in config.roles}
        return config.model_copy(update={"models": config.models.model_copy(update=profiles)})

    def _profile(self, role: str, profile: ModelProfile, otherwise: Models | None) -> ModelProfile:
        model = profile.model or getattr(self, f"{role}_model") or self.model
        if not model and otherwise is not None:
            model = getattr(otherwise, role).model
        if not model:
            raise InputError(
                f"no model is named for `models.{role}`; set GLAN_MODEL (and OPENAI_BASE_URL for your own endpoint), or use --local"
            )
        return profile.model_copy(update={"model": model})


def _check_env_file() -> None:
    """See that every line of `.env` says something: whatever reads it passes over those that do not.

    Raises:
        InputError: one does not; names the line, never what stands there.
    """
    place = Path(".env")
    if not place.is_file():
        return
    for found in parse_stream(io.StringIO(place.read_text(encoding="utf-8-sig"))):
        if found.error:
            text = found.original.string
            line = found.original.line + text[: len(text) - len(text.lstrip())].count("\n")
            raise InputError(f".env, line {line}: this is not NAME=value, with quotation marks in pairs; correct it")


def _variable(field: str) -> str:
    """The environment variable of a field."""
    return field.upper() if field.lower().startswith("openai_") else f"GLAN_{field.upper()}"
