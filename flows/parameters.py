"""What a person fills in to start a flow: one model for each, shown as a form by Prefect and filled by `glan` alike."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from glan.config import Budget, Curation, RunConfig, Selection
from glan.drafting.documents import DraftPlan
from glan.drafting.review import CRITERIA
from glan.release.releases import ReleaseOptions
from glan.units import Stage

RECIPE = "what to make and how; null: as the last run in this store did"


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ExpandConfig(Selection):
    """A night's work: further questions for every discipline that has fewer accepted instructions than its target."""

    target: int = Field(default=1_000, ge=1, description="accepted instructions that each discipline is to reach")
    attempts: float = Field(
        default=3.0, ge=1, le=100, description="most questions asked, in all, for each instruction of the target"
    )
    passes: int = Field(
        default=3,
        ge=1,
        le=20,
        description="most rounds of asking in one night, each curated before the next asks for what is still short",
    )
    night: Budget = Field(default=Budget(), description="the most that one night may spend")
    in_all: Budget = Field(default=Budget(), description="the most that all nights together may spend")
    on_busy: Literal["wait", "skip", "share"] = Field(
        default="skip", description="when another run works on a discipline: wait, skip it tonight, or work beside it"
    )
    recipe: RunConfig | None = Field(default=None, description=RECIPE)


class BackfillConfig(Selection):
    """Make a part of the data good: fill holes, redo what is stale, or draw anew."""

    stage: Stage = Field(
        default="subjects", description="the first stage that may change; those above stay as they are"
    )
    mode: Literal["missing", "stale", "refresh"] = Field(
        default="missing",
        description="missing: make what was never made; stale: redo what prompts, models or settings have changed; "
        "refresh: draw everything anew as the next edition",
    )
    preview: bool = Field(default=False, description="only say what would be asked and what it would cost")
    budget: Budget = Field(default=Budget(), description="the most that this run may spend")
    on_busy: Literal["wait", "skip", "share"] = Field(
        default="wait", description="when another run works on a discipline: wait for it, skip it, or work beside it"
    )
    recipe: RunConfig | None = Field(default=None, description=RECIPE)


class RetryConfig(Selection):
    """Ask again what is in quarantine."""

    stages: list[Stage] = Field(default_factory=list, description="units of these stages only; empty: of all")
    kinds: list[str] = Field(
        default_factory=list,
        description="units with an entry of one of these error kinds only, such as refused; empty: any",
    )
    budget: Budget = Field(default=Budget(), description="the most that this run may spend")
    on_busy: Literal["wait", "skip", "share"] = Field(
        default="wait", description="when another run works on a discipline: wait for it, skip it, or work beside it"
    )
    recipe: RunConfig | None = Field(default=None, description=RECIPE)


class FanOutConfig(Selection):
    """One run of a deployment for each discipline."""

    deployment: str = Field(
        default="generate/generate",
        pattern=r"^[^/]+/[^/]+$",
        description="flow and deployment that is started for each discipline, e.g. generate/generate",
    )
    at_once: int = Field(default=4, ge=1, le=100, description="most of these runs that are going at a time")
    budget: Budget = Field(default=Budget(), description="the most that all of them together may spend")
    config: dict[str, Any] = Field(
        default_factory=dict, description="further fields of the started deployment's own form, such as questions"
    )


class CurateConfig(_Form):
    """The pass over all nodes: what is a duplicate of what, and what readers see."""

    curation: Curation | None = Field(default=None, description="thresholds; null: those of the last run")


class PublishConfig(_Form):
    """A release of the kept instructions."""

    release: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$", description="name of the release, e.g. 2026-11.1; it never changes"
    )
    disciplines: list[str] = Field(default_factory=list, description="ids or names; empty: all")
    options: ReleaseOptions = Field(default=ReleaseOptions(), description="files, splits, and how much each node gives")
    to: str = Field(
        default="", description="where to copy it as well: s3://bucket/folder, hf://datasets/me/name, …; empty: nowhere"
    )
    public: bool = Field(
        default=False, description="whether everybody may read a dataset on the Hub that is made for it"
    )


class ReviewConfig(DraftPlan):
    """Let a model draft what is missing in the taxonomy, and people decide on it."""

    approve: Literal["ask", "all", "none"] = Field(
        default="ask",
        description="ask: wait for a person, with a form; all: publish what is proposed; none: only keep the draft",
    )
    reviewer: str = Field(default="", max_length=200, description="who decides; can be filled in later, in the form")
    criteria: list[str] = Field(
        default=list(CRITERIA), min_length=1, description="by which a node is kept; they go on record"
    )
    timeout_hours: float = Field(default=168.0, gt=0, le=8760, description="how long the form waits, in hours")
    draft: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="digest of a draft in the store, to decide on that one without asking the model; empty: draft anew",
    )
    recipe: RunConfig | None = Field(default=None, description=RECIPE)

    def plan(self) -> DraftPlan:
        """What is drafted."""
        return DraftPlan(**{name: getattr(self, name) for name in DraftPlan.model_fields})
