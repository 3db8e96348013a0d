"""A unit of work and its receipt: the small records that planning, tasks and the store hand to each other."""

from collections.abc import Container, Iterable
from typing import Any, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field

from glan.languages import ENGLISH, language_at

Stage = Literal["subjects", "syllabi", "questions", "answers", "continuations", "judgements", "instructions"]
STAGES: tuple[Stage, ...] = get_args(Stage)

ASKING: tuple[Stage, ...] = tuple(stage for stage in STAGES if stage != "instructions")
"""The stages whose units ask a model. Verdicts are found without one, and published by curation."""

OPTIONAL: frozenset[Stage] = frozenset({"continuations", "judgements"})
"""The stages that a run has only if its configuration asks for them."""


def stages_with(there: Container[Stage]) -> tuple[Stage, ...]:
    """The stages in their order, an optional one only if it is there."""
    return tuple(stage for stage in STAGES if stage not in OPTIONAL or stage in there)


Mode = Literal["all", "missing", "stale", "refresh", "retry"]


class Scope(BaseModel):
    """Which part of the work of a discipline a run takes on.

    Above `stage` nothing changes: what is published there is taken as it is. From there on, `all` makes whatever is
    not as today's configuration has it; `missing` only what was never made; `stale` only what was made otherwise, and
    what follows from that; `refresh` everything anew, as the edition that is open for it; `retry` asks again what is in
    quarantine, as the retry that is open for it, and makes what follows from that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage = "subjects"
    mode: Mode = "all"
    questions: dict[str, int] = Field(
        default_factory=dict,
        description="limits of sample indices that go before that of the config: by `<discipline_id>`, or by "
        "`<discipline_id>/<address of a syllabus>`; disciplines are taken on in this order",
    )

    subjects: dict[str, int] = Field(
        default_factory=dict,
        description="of a pilot: limits of subjects that go before that of the config, by `<discipline_id>`",
    )
    stages: tuple[Stage, ...] = Field(default=(), description="of a retry: units of these stages only; empty: of all")
    kinds: tuple[str, ...] = Field(
        default=(), description="of a retry: units with an entry of one of these error kinds only; empty: any"
    )

    @property
    def asks_a_model(self) -> bool:
        """Whether the work may need a model; verdicts do not."""
        return self.stage in ASKING

    @property
    def is_pilot(self) -> bool:
        """Whether the work is a first part, which the whole run under the same configuration goes on from."""
        return bool(self.subjects)

    @property
    def covers_published(self) -> bool:
        """Whether all that readers see is at stake, even where it goes beyond the limits of the configuration."""
        return self.mode != "all" or not self.asks_a_model


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What is known of a committed unit without reading its rows; manifests are lists of these.

    A large store has hundreds of thousands. They hold no other objects, so the garbage collector need not look at them.
    """

    stage: Stage
    discipline_id: str
    unit: str
    """Address: node and round, `[a-z0-9.-]`; stable and independent of the key."""
    key: str
    """`unit_key`, 64 hexadecimal digits."""
    edition: int = 0
    object: str
    """Path below the layout root, e.g. `subjects/disc=physics/physics-0123456789abcdef.parquet`."""
    first_row: int | None = None
    """Of a unit in a merged part: the place of its first row there; None: an object of its own."""
    rows: int
    sha256: str
    """Of the object's bytes."""
    planned: int
    """Rows the unit set out to make; planned = rows + quarantined."""
    quarantined: int = 0
    asks_again: str = ""
    """Of a supplement: key of the unit whose quarantine it asked again; see `supplements`."""
    closes: int = 0
    """Of a supplement: rows that were in quarantine there, and are now made or in its own."""
    content_digest: str
    """Of the columns that later stages read."""
    parent_digest: str = ""
    """Content digest of the parent row or unit this one was made from."""
    capacity: int | None = None
    """Of a syllabus, or a round on two: how many distinct questions the concepts allow."""
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """None if any call's price is unknown."""

    @property
    def own_object(self) -> str:
        """The object that the unit was committed as; its rows may lie in a merged part, or beside it with other verdicts."""
        return unit_object(self.stage, self.discipline_id, self.unit, self.key)


def unit_object(stage: str, discipline_id: str, address: str, key: str) -> str:
    """The path of the object that a unit of this key is committed as, wherever its rows lie later."""
    return f"{folder_of(stage, discipline_id)}/{address}-{key[:16]}.parquet"


def folder_of(table: str, discipline_id: str) -> str:
    """The folder of the objects with a discipline's rows of a table."""
    return f"{table}/disc={discipline_id}"


def discipline_of(path: str) -> str:
    """The discipline that an object has rows of, by its path."""
    return path.split("/")[1].removeprefix("disc=")


def planned(receipts: Iterable[Receipt]) -> int:
    """Rows that the units set out to make, all together: planned = rows + `quarantined`."""
    return sum(receipt.planned - receipt.closes for receipt in receipts)


def quarantined(receipts: Iterable[Receipt]) -> int:
    """Rows that are still in quarantine, where the supplements are among the units."""
    return sum(receipt.quarantined - receipt.closes for receipt in receipts)


def with_open_quarantine(receipts: Iterable[Receipt]) -> list[Receipt]:
    """The units whose quarantine no supplement among them has asked again."""
    every = list(receipts)
    closed = {receipt.asks_again for receipt in every}
    return [receipt for receipt in every if receipt.quarantined and receipt.key not in closed]


class Unit(Struct, frozen=True, kw_only=True, gc=False):
    """The smallest thing that is planned, cached, retried and committed."""

    stage: Stage
    discipline_id: str
    address: str
    key: str
    edition: int = 0
    node: str
    """For people: `physics/thermodynamics 0-20`."""
    path: tuple[str, str, str]
    """Field, sub-field and discipline by name."""
    subject_id: str = ""
    other_subject_id: str = ""
    """Of a round of questions on two subjects."""
    parent_digest: str = ""
    start: int = 0
    """First sample index of a round."""
    stop: int = 0
    """One past the last sample index of a round."""
    parents: dict[str, Receipt] = {}
    """By stage: the units whose rows this one reads; of a round on two subjects, those that hold the other one come last."""
    continued_by: tuple[Receipt, ...] = ()
    """Of what follows from answers: the further turns of their conversations, those that were asked again last."""
    begun_as: tuple[str, ...] = ()
    """Of continuations: the keys of those with fewer turns, whose calls are the first of these."""
    judged_by: tuple[Receipt, ...] = ()
    """Of instructions: the judgements on their answers, those that were asked again last; none if nothing was judged."""
    retries: tuple[Receipt, ...] = ()
    """Of a supplement: the units before it, the original first; it asks again what the last has left in quarantine."""

    @property
    def language(self) -> str:
        """What its rows are asked for in, by ISO 639 code."""
        return language_at(self.address)

    def identified(self, parts: list[Any]) -> list[Any]:
        """What identifies a row of the unit: the same texts in another language, or asked for in one, are other rows."""
        return parts if self.language == ENGLISH else [*parts, self.language]

    @property
    def made_from(self) -> list[Receipt]:
        """The units directly above: one, or both syllabi of a round on two subjects; none above the list of subjects."""
        above = list(self.parents.values())
        return [receipt for receipt in above if receipt.stage == above[-1].stage]

    def sample(self, index: int) -> str:
        """One sample of the unit, for people."""
        return f"{self.node} #{index}"

    def below(self, receipt: Receipt, **fields: Any) -> "Unit":
        """A unit of a later stage that reads this one's rows: with its place and samples, but for the fields given.

        Its parents are this unit's and this unit.
        """
        own: dict[str, Any] = {
            "edition": 0,
            "parents": {**self.parents, self.stage: receipt},
            "parent_digest": receipt.content_digest,
            "other_subject_id": "",
            "begun_as": (),
            "judged_by": (),
            "retries": (),
        }
        return replace(self, **(own | fields))

    def receipt(self, **fields: Any) -> Receipt:
        """The receipt of this unit, with these figures."""
        last = self.retries[-1] if self.retries else None
        return Receipt(
            stage=self.stage,
            discipline_id=self.discipline_id,
            unit=self.address,
            key=self.key,
            edition=self.edition,
            parent_digest=self.parent_digest,
            asks_again=last.key if last else "",
            closes=last.quarantined if last else 0,
            **fields,
        )

    @property
    def object(self) -> str:
        """The path of the object whose existence means that this unit is done."""
        return unit_object(self.stage, self.discipline_id, self.address, self.key)
