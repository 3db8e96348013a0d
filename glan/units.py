"""A unit of work and its receipt: the small records that planning, tasks and the store hand to each other."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Stage = Literal["subjects", "syllabi", "questions", "answers", "instructions"]
STAGES: tuple[Stage, ...] = ("subjects", "syllabi", "questions", "answers", "instructions")


Mode = Literal["all", "missing", "stale", "refresh"]


class Scope(BaseModel):
    """Which part of the work of a discipline a run takes on.

    Above `stage` nothing changes: what is published there is taken as it is. From there on, `all` makes whatever is
    not as today's configuration has it; `missing` only what was never made; `stale` only what was made otherwise, and
    what follows from that; `refresh` everything anew, as the edition that is open for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage = "subjects"
    mode: Mode = "all"
    questions: dict[str, int] = Field(
        default_factory=dict,
        description="limits of sample indices that go before that of the config: by `<discipline_id>`, or by "
        "`<discipline_id>/<address of a syllabus>`; disciplines are taken on in this order",
    )

    @property
    def asks_a_model(self) -> bool:
        """Whether the work may need a model; verdicts do not."""
        return self.stage != "instructions"

    @property
    def covers_published(self) -> bool:
        """Whether all that readers see is at stake, even where it goes beyond the limits of the configuration."""
        return self.mode != "all" or not self.asks_a_model


class Receipt(BaseModel):
    """What is known of a committed unit without reading its rows; manifests are lists of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    discipline_id: str
    unit: str = Field(description="address: node and round, `[a-z0-9.-]`; stable and independent of the key")
    key: str = Field(description="unit_key, 64 hexadecimal digits")
    edition: int = 0
    object: str = Field(
        description="path below the layout root, e.g. `subjects/disc=physics/physics-0123456789abcdef.parquet`"
    )
    first_row: int | None = Field(
        default=None,
        description="of a unit in a merged part: the place of its first row there; None: an object of its own",
    )
    rows: int
    sha256: str = Field(description="of the object's bytes")
    planned: int = Field(description="rows the unit set out to make; planned = rows + quarantined")
    quarantined: int = 0
    content_digest: str = Field(description="of the columns that later stages read")
    parent_digest: str = Field(
        default="", description="content digest of the parent row or unit this one was made from"
    )
    capacity: int | None = Field(
        default=None, description="of a syllabus: how many distinct questions its concepts allow"
    )
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = Field(default=None, description="None if any call's price is unknown")

    @property
    def place(self) -> tuple[str, int]:
        """Where the rows are: the object, and the place of the first of them in it."""
        return self.object, self.first_row or 0


class Unit(BaseModel):
    """The smallest thing that is planned, cached, retried and committed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    discipline_id: str
    address: str
    key: str
    edition: int = 0
    node: str = Field(description="for people: `physics/thermodynamics 0-20`")
    path: tuple[str, str, str] = Field(description="field, sub-field and discipline by name")
    subject_id: str = ""
    parent_digest: str = ""
    start: int = Field(default=0, description="first sample index of a round")
    stop: int = Field(default=0, description="one past the last sample index of a round")
    parents: dict[str, Receipt] = Field(
        default_factory=dict, description="by stage: the units whose rows this one reads"
    )

    def below(self, receipt: Receipt, **fields: Any) -> "Unit":
        """A unit of a later stage that reads this one's rows; its parents are this unit's and this unit."""
        inherited = {"discipline_id": self.discipline_id, "path": self.path, "subject_id": self.subject_id}
        return Unit(**{**inherited, "parents": {**self.parents, self.stage: receipt}, **fields})

    @property
    def object(self) -> str:
        """The path of the object whose existence means that this unit is done."""
        return f"{self.stage}/disc={self.discipline_id}/{self.address}-{self.key[:16]}.parquet"

    @property
    def quarantine_object(self) -> str:
        """The path of the unit's quarantine rows, written before its object if there are any."""
        return f"quarantine/disc={self.discipline_id}/{self.stage}.{self.address}-{self.key[:16]}.parquet"
