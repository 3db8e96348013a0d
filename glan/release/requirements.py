"""What a release must reach before it is written, and whether it does."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from glan.errors import InputError
from glan.names import shown
from glan.report.diversity import Diversity
from glan.report.reach import Nodes, Reach
from glan.wording import counted

_MOST_NAMED = 3


class Requirements(BaseModel):
    """Bounds that stop a release; each is looked at only if it is set. No value is the right one for all data: look at
    the figures of a release that was good, and hold the next ones to them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int | None = Field(default=None, ge=1, description="least rows of every discipline")
    sessions: float | None = Field(
        default=None, gt=0, le=1, description="least share of its class sessions that a discipline's rows are about"
    )
    concepts: float | None = Field(
        default=None, gt=0, le=1, description="least share of its key concepts that a discipline's rows are about"
    )
    evenness: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="least evenness of a discipline's rows over its subjects (entropy, 0 to 1)",
    )
    self_bleu: float | None = Field(
        default=None, gt=0, le=1, description="most self-BLEU-4 of a sample of 500 questions (Zhu et al. 2018)"
    )
    compression: float | None = Field(
        default=None,
        gt=1,
        description="most compression ratio of a sample of 500 questions (Shaib et al. 2024), of their normalised words",
    )
    vendi: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="least Vendi score, as a share of the sample's size (Friedman, Dieng 2023)",
    )


def check(required: Requirements, nodes: Nodes, found: Diversity) -> None:
    """Whether the figures are within the bounds.

    Raises:
        InputError: one of them is not; the sentence names the bound, what there is, and where.
    """
    for name in ("rows", "sessions", "concepts", "evenness"):
        bound = getattr(required, name)
        short = [] if bound is None else list(_short(name, bound, nodes))
        if short:
            rest = len(short) - _MOST_NAMED
            more = f" and {counted(rest, 'more discipline')}" if rest > 0 else ""
            raise InputError(
                f"not published: `require.{name}` asks for {bound:g} of each discipline, and there is "
                f"{', '.join(short[:_MOST_NAMED])}{more}; make more of these, or lower it"
            )
    vendi = None if found.vendi is None else found.vendi / found.questions
    for name, value, least in (
        ("self_bleu", found.self_bleu, False), ("compression", found.compression, False), ("vendi", vendi, True)
    ):  # fmt: skip
        bound = getattr(required, name)
        if bound is not None and (value is None or (value < bound if least else value > bound)):
            side, there = "at least" if least else "at most", "unknown" if value is None else f"{value:.3g}"
            raise InputError(
                f"not published: `require.{name}` asks for {side} {bound:g}, and a sample of "
                f"{found.questions:,} questions has {there}; see what repeats, or change it"
            )


def _short(name: str, bound: float, nodes: Nodes) -> Iterator[str]:
    for path, one in nodes.items():
        if path.discipline and not path.subject:
            value = share(one, name)
            if value is not None and value < bound:
                yield f"{value:.3g} of {shown(path.discipline)}"


def share(one: Reach, name: str) -> float | None:
    """A figure of a node by the name of its bound; 0 of one without rows, None where it cannot be said."""
    if name == "rows" or not one.rows:
        return one.rows
    if name == "evenness":
        return one.evenness
    reached, whole = getattr(one, f"{name}_reached"), getattr(one, name)
    return reached / whole if whole else None
