"""The shapes of structured replies: hard bounds refuse, soft bounds only steer, and the schema shows both."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from glan.prompts import Prompts
from glan.replies import LEVELS, REPLIES, question_list, subject_list, syllabus_sessions, taxonomy_nodes

SUBJECT = {"subject_name": "Optics", "level": "intermediate", "introduction": "Light.", "subtopics": ["lenses"]}


def sessions(count: int, concepts: int = 5) -> dict[str, Any]:
    return {
        "sessions": [
            {"title": f"T{number}", "description": "D", "key_concepts": [f"c{index}" for index in range(concepts)]}
            for number in range(count)
        ]
    }


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from nodes(part)


@pytest.mark.parametrize("count", [4, 6])
def test_a_syllabus_has_as_many_sessions_as_asked_for(count: int) -> None:
    reply = syllabus_sessions(4, 6, 3).model_validate(sessions(count))
    assert [session.title for session in reply.sessions] == [f"T{number}" for number in range(count)]


@pytest.mark.parametrize("count", [0, 3, 7])
def test_a_syllabus_of_fewer_or_more_sessions_is_refused(count: int) -> None:
    with pytest.raises(ValidationError):
        syllabus_sessions(4, 6, 3).model_validate(sessions(count))


@pytest.mark.parametrize("count", [1, 3])
def test_questions_are_as_many_as_samples(count: int) -> None:
    assert question_list(2).model_validate({"questions": ["a?", "b?"]}).questions == ["a?", "b?"]
    with pytest.raises(ValidationError):
        question_list(2).model_validate({"questions": ["?"] * count})


@pytest.mark.parametrize(
    "change", [{"subject_name": " "}, {"level": ""}, {"introduction": ""}, {"subtopics": []}, {"subtopics": [""]}]
)
def test_a_subject_with_an_empty_part_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        subject_list().model_validate({"subjects": [SUBJECT | change]})


def test_a_list_without_subjects_is_refused() -> None:
    with pytest.raises(ValidationError):
        subject_list().model_validate({"subjects": []})


def test_what_an_endpoint_writes_beyond_the_soft_bounds_is_still_good() -> None:
    subject = SUBJECT | {"introduction": "long " * 500, "level": "graduate", "subtopics": ["t"] * 40, "remark": "extra"}
    assert len(subject_list(3).model_validate({"subjects": [subject] * 5}).subjects) == 5
    assert syllabus_sessions(1, 2, 3).model_validate(sessions(1, concepts=12)).sessions[0].key_concepts[11] == "c11"


@pytest.mark.parametrize(
    "model", [subject_list(6), syllabus_sessions(4, 6, 3), question_list(2), taxonomy_nodes(("field",), 5, 1)]
)
def test_every_text_and_list_of_a_schema_is_bounded_and_every_field_described(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    for node in nodes(schema):
        if node.get("type") == "string":
            assert node["minLength"] == 1 and ("maxLength" in node or "enum" in node)
        if node.get("type") == "array":
            assert node["minItems"] >= 1 and node["maxItems"] >= node["minItems"]
        if node.get("type") == "object":
            assert set(node["required"]) == set(node["properties"])
            assert all("description" in field for field in node["properties"].values())


def test_the_schema_says_what_was_asked_for() -> None:
    schema = json.dumps(syllabus_sessions(4, 6, 3).model_json_schema())
    assert '"maxItems": 6, "minItems": 4' in schema
    assert subject_list(6).model_json_schema()["properties"]["subjects"]["maxItems"] == 6
    assert json.dumps(LEVELS) in json.dumps(subject_list().model_json_schema())


def test_the_same_bounds_give_the_same_model() -> None:
    assert syllabus_sessions(4, 6, 3) is syllabus_sessions(4, 6, 3)


def test_a_worked_example_fits_the_reply_that_its_prompt_declares() -> None:
    prompts = Prompts.load()
    drafting = [prompts[name] for name in prompts.names() if name.startswith("taxonomy_")]
    for prompt in (prompts["subject_direct"], prompts["syllabus_direct"], prompts["question_batch"], *drafting):
        example = prompt.sections["example assistant"].render()
        REPLIES[prompt.output].model_validate_json(example)


def test_a_branch_that_has_nodes_may_lack_none_a_new_one_may_not() -> None:
    assert taxonomy_nodes(("discipline",), 5, 0).model_validate({"nodes": []}).nodes == []
    with pytest.raises(ValidationError):
        taxonomy_nodes(("discipline",), 5, 1).model_validate({"nodes": []})
