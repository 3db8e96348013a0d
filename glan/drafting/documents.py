"""What a draft is: a plan, and the tree that came of it, as documents that are kept in the store by their digest."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from glan.keys import digest

Kind = Literal["field", "sub-field", "discipline"]
Path = tuple[str, ...]
"""Names from the field down; () is the root."""

WORDINGS = ("taxonomy_catalogue", "taxonomy_library", "taxonomy_occupations")
"""The prompts that ask the same of a model from three points of view."""


def spelled(path: Path) -> str:
    """A path as people read and write it: `Natural sciences > Physical sciences > Physics`."""
    return " > ".join(path)


class DraftPlan(BaseModel):
    """What is drafted, and how much a name has to be named for to be proposed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: list[str] = Field(
        default_factory=list,
        description="draft below these fields of the taxonomy; with no field and no sub-field: the whole tree",
    )
    sub_fields: list[str] = Field(default_factory=list, description="draft below these sub-fields of the taxonomy")
    lists: int = Field(default=1, ge=1, le=20, description="how often each of the three wordings is asked for a branch")
    min_votes: int = Field(
        default=2,
        ge=1,
        le=60,
        description="lists that have to name a node for it to be proposed, of three times `lists`",
    )
    most_fields: int = Field(default=12, ge=1, le=100, description="most new fields")
    most_below_field: int = Field(default=15, ge=1, le=100, description="most new nodes directly below a field")
    most_below_sub_field: int = Field(default=20, ge=1, le=100, description="most new disciplines of a sub-field")

    @model_validator(mode="after")
    def _check_votes(self) -> "DraftPlan":
        most = len(WORDINGS) * self.lists
        if self.min_votes > most:
            raise ValueError(f"min_votes ({self.min_votes}) is more than the {most} lists that are asked for")
        return self

    def most_below(self, path: Path) -> int:
        """The limit of new nodes directly below a branch."""
        return (self.most_fields, self.most_below_field, self.most_below_sub_field)[len(path)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FailedList(_Document):
    """A list that was asked for and cannot be used: it says nothing on what there is below the branch."""

    wording: str
    index: int
    kind: str
    message: str


class Near(_Document):
    """A node of another name that may mean the same."""

    node: Path
    likeness: float


class DraftNode(_Document):
    """A node of the draft: one that stands in the taxonomy already, or one that lists have named."""

    path: Path
    kind: Kind
    present: bool = False
    votes: int = Field(default=0, description="lists that name it")
    lists: int = Field(default=0, description="lists that could be read")
    wordings: list[str] = Field(default_factory=list, description="prompts that led to it")
    proposed: bool = Field(default=False, description="named often enough, within the limit, and no duplicate")
    duplicate_of: list[Path] = Field(default_factory=list, description="where the same name stands")
    near: list[Near] = Field(default_factory=list, description="similar names, the most similar first")
    asked: int = Field(default=0, description="lists that were asked for, of what is below it")
    failures: list[FailedList] = Field(default_factory=list, description="those of them that cannot be used")

    @property
    def failed(self) -> bool:
        """Whether nothing is known of what is below it, since every list failed."""
        return self.asked > 0 and len(self.failures) == self.asked

    @property
    def stands(self) -> bool:
        """Whether it is part of the tree that is reviewed."""
        return self.present or self.proposed


class Draft(_Document):
    """The drafted tree: nodes in the order of the tree, parents before what is below them; the first is the root, for the fields."""

    base_version: int
    plan: DraftPlan
    model: str
    prompts: dict[str, str] = Field(description="digest of each prompt")
    nodes: list[DraftNode]

    @property
    def digest(self) -> str:
        """Under which it is kept."""
        return digest(self.model_dump(mode="json"))

    def below_root(self) -> list[DraftNode]:
        """All nodes that have a name."""
        return self.nodes[1:]

    def proposed(self) -> list[DraftNode]:
        """What people are to decide on."""
        return [node for node in self.nodes if node.proposed]

    def listed(self) -> list[DraftNode]:
        """All that people should see: what stands, and duplicates that were named often enough."""
        enough = self.plan.min_votes
        return [node for node in self.below_root() if node.stands or (node.duplicate_of and node.votes >= enough)]

    def with_failures(self) -> list[DraftNode]:
        """The branches of which some or all lists failed."""
        return [node for node in self.nodes if node.failures]
