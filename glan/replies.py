"""The shapes that structured replies are asked for in.

Two kinds of bounds, both visible in the JSON schema. *Hard* ones are also validated: a reply outside them is of no
use. *Soft* ones steer an endpoint that enforces the schema, so that a small model does not ramble; a longer reply of an
endpoint that does not enforce it is as good, and is not refused.
"""

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

MOST_SUBJECTS = 60
"""Subjects of one list that an enforcing endpoint lets through; several lists are merged afterwards."""


LEVELS = ["introductory", "intermediate", "advanced", "expert"]

KINDS = ["field", "sub-field", "discipline"]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)


def _text(longest: int, description: str) -> Any:
    """Some text: not empty (hard), at most so long (soft)."""
    return Field(min_length=1, json_schema_extra={"maxLength": longest}, description=description)


def _score(description: str) -> Any:
    """A whole number from 1 to 5 (hard)."""
    return Field(ge=1, le=5, description=description)


NodeName = Annotated[str, _text(80, "name of the field, sub-field or discipline, and nothing else")]
NodeKind = Annotated[str, Field(min_length=1, json_schema_extra={"enum": KINDS}, description="its level in the tree")]
SubjectName = Annotated[str, _text(120, "name of the subject, as a course would be named")]
Level = Annotated[
    str, Field(min_length=1, json_schema_extra={"enum": LEVELS}, description="how far into the discipline")
]
Introduction = Annotated[str, _text(300, "one or two sentences: what it is about and what it is good for")]
Subtopic = Annotated[str, _text(120, "one topic within the subject")]
SessionTitle = Annotated[str, _text(120, "title of this class session, unlike any other")]
SessionDescription = Annotated[str, _text(400, "one to three sentences: what is taught in this session")]
Concept = Annotated[str, _text(100, "one key concept taught in this session, a short noun phrase")]
Question = Annotated[str, _text(4000, "one self-contained question, without heading or answer")]


class TaxonomyNode(_Reply):
    """A node of the taxonomy as one list names it."""

    name: NodeName
    kind: NodeKind


class TaxonomyNodes(_Reply):
    """The nodes directly below a branch of the taxonomy, as one list of several."""

    nodes: list[TaxonomyNode] = Field(description="the nodes, each once; empty where none is missing")


class ListedSubject(_Reply):
    """A subject as one list names it."""

    subject_name: SubjectName
    level: Level
    introduction: Introduction
    subtopics: list[Subtopic] = Field(
        min_length=1,
        json_schema_extra={"minItems": 4, "maxItems": 8},
        description="the subject's main topics in teaching order",
    )


class SubjectList(_Reply):
    """The subjects of a discipline, as one list of several."""

    subjects: list[ListedSubject] = Field(min_length=1, description="the subjects to learn, each once")


class ClassSession(_Reply):
    """One class session of a syllabus."""

    title: SessionTitle
    description: SessionDescription
    key_concepts: list[Concept] = Field(min_length=1, description="the key concepts of this session, each once")


class SyllabusSessions(_Reply):
    """The class sessions of a syllabus, in teaching order."""

    sessions: list[ClassSession] = Field(min_length=1, description="the class sessions in teaching order")


class QuestionList(_Reply):
    """Questions, one for each sample asked for, in their order."""

    questions: list[Question] = Field(min_length=1, description="one question for each numbered sample, in order")


class Judgement(_Reply):
    """What a judge says of a question and its answer; the reasons come first, so that the scores follow from them."""

    reasoning: str = _text(2000, "what speaks for and against the question and the answer, and where an error lies")
    question_quality: int = _score("5: clear, complete, self-contained and worth asking; 1: no question")
    difficulty: int = _score("1: recall of one fact; 5: demanding for an expert of the field")
    correctness: int = _score("5: right and complete; 1: wrong")


REPLIES: dict[str, type[BaseModel]] = {
    model.__name__: model for model in (TaxonomyNodes, SubjectList, SyllabusSessions, QuestionList, Judgement)
}
"""The names that the `output` of a prompt's header may have, besides `text`."""


@cache
def taxonomy_nodes(kinds: tuple[str, ...], most: int, fewest: int) -> type[TaxonomyNodes]:
    """The reply with at least `fewest` (hard) and at most `most` (soft) nodes of these kinds (soft)."""
    kind = Field(min_length=1, json_schema_extra={"enum": list(kinds)}, description="its level in the tree")
    node = create_model("TaxonomyNode", __base__=TaxonomyNode, kind=(str, kind))
    nodes = Field(
        min_length=fewest, json_schema_extra={"maxItems": most}, description="the nodes, each once, none known already"
    )
    return create_model("TaxonomyNodes", __base__=TaxonomyNodes, nodes=(list[node], nodes))


@cache
def subject_list(most: int = MOST_SUBJECTS) -> type[SubjectList]:
    """The reply to a request for the subjects of a discipline, at most so many (soft)."""
    subjects = Field(min_length=1, json_schema_extra={"maxItems": most}, description="the subjects to learn, each once")
    return create_model("SubjectList", __base__=SubjectList, subjects=(list[ListedSubject], subjects))


@cache
def syllabus_sessions(min_sessions: int, max_sessions: int, concepts_per_session: int) -> type[SyllabusSessions]:
    """The reply with `min_sessions` to `max_sessions` class sessions (hard) of about so many concepts (soft)."""
    concepts = Field(
        min_length=1,
        json_schema_extra={
            "minItems": (concepts_per_session + 1) // 2,
            "maxItems": concepts_per_session + concepts_per_session // 2,
        },
        description=f"about {concepts_per_session} key concepts of this session, each once",
    )
    session = create_model("ClassSession", __base__=ClassSession, key_concepts=(list[Concept], concepts))
    sessions = Field(
        min_length=min_sessions, max_length=max_sessions, description="the class sessions in teaching order"
    )
    return create_model("SyllabusSessions", __base__=SyllabusSessions, sessions=(list[session], sessions))


@cache
def question_list(count: int) -> type[QuestionList]:
    """The reply with exactly `count` questions (hard)."""
    questions = Field(min_length=count, max_length=count, description="one question for each numbered sample, in order")
    return create_model("QuestionList", __base__=QuestionList, questions=(list[Question], questions))
