"""The texts of the model server, against the prompts and schemas that are shipped."""

import json
from typing import Any

import pytest
from model_caller import COURSE, PROMPTS, SIZES, batch_prompt, payload, question_payload, text
from model_server import ModelServer

from glan.gateway.reading import prose
from glan.gateway.requests import Understood
from glan.gateway.structure import instruction
from glan.keys import normalised
from glan.replies import SubjectList, question_list, subject_list, syllabus_sessions
from glan.spellings import spellings_of
from glan.stages import syllabi
from glan.stages.shared import question_shape

DISCIPLINE = {"field": "Natural sciences", "sub_field": "Physical sciences", "discipline": "Physics"}


@pytest.mark.parametrize("example", [False, True])
def test_subjects_listed_and_then_structured_are_the_same(server: ModelServer, example: bool) -> None:
    asked = PROMPTS["subject_list"].render(DISCIPLINE, example=example)
    listed = text(server, payload(*asked))
    turns = [*asked, {"role": "assistant", "content": listed}, *PROMPTS["subject_structure"].render({})]
    reply = SubjectList.model_validate_json(text(server, payload(*turns, schema=subject_list())))
    assert len(reply.subjects) >= 15
    for subject in reply.subjects:
        assert subject.subject_name in listed
        assert subject.introduction in listed
        assert "; ".join(subject.subtopics) in listed
        assert f"Level: {subject.level}" in listed


def test_lists_of_one_discipline_overlap_partly_and_name_no_subject_twice(server: ModelServer) -> None:
    lists = []
    for seed in range(10):
        body = payload(*PROMPTS["subject_direct"].render(DISCIPLINE), schema=subject_list(), seed=seed)
        lists.append([each.subject_name for each in SubjectList.model_validate_json(text(server, body)).subjects])
    keys = [[min(spellings_of(name)) for name in names] for names in lists]
    assert all(len(set(one)) == len(one) for one in keys)
    assert len(set(map(frozenset, keys))) == 10
    assert len(set.intersection(*map(set, keys))) >= 2
    assert len(set.union(*map(set, keys))) > max(map(len, keys))


def test_disciplines_have_subjects_of_their_own(server: ModelServer) -> None:
    names: set[str] = set()
    for index in range(12):
        inputs = {**DISCIPLINE, "discipline": f"Discipline number {index}"}
        body = payload(*PROMPTS["subject_direct"].render(inputs), schema=subject_list())
        names |= {each.subject_name for each in SubjectList.model_validate_json(text(server, body)).subjects}
    assert len(names) > 200


@pytest.mark.parametrize("example", [False, True])
def test_a_syllabus_written_and_then_structured_is_the_same(server: ModelServer, example: bool) -> None:
    asked = PROMPTS["syllabus"].render(COURSE, example=example)
    written = text(server, payload(*asked))
    schema = syllabus_sessions(**SIZES)
    turns = [*asked, {"role": "assistant", "content": written}, *PROMPTS["syllabus_structure"].render(SIZES)]
    reply = schema.model_validate_json(text(server, payload(*turns, schema=schema)))
    assert all(session.title in written and session.description in written for session in reply.sessions)
    _expect_a_good_syllabus(reply)


def test_a_syllabus_in_one_call_has_sessions_and_concepts_of_their_own(server: ModelServer) -> None:
    schema = syllabus_sessions(**SIZES)
    body = payload(*PROMPTS["syllabus_direct"].render(COURSE), schema=schema)
    _expect_a_good_syllabus(schema.model_validate_json(text(server, body)))


def _expect_a_good_syllabus(reply: Any) -> None:
    assert 10 <= len(reply.sessions) <= 30
    assert len(syllabi.usable_sessions(reply)) == len(reply.sessions)
    concepts = [concept for session in reply.sessions for concept in session.key_concepts]
    assert len(concepts) == len(set(map(normalised, concepts))) >= 4 * len(reply.sessions)


def _grams(question: str) -> set[tuple[str, ...]]:
    words = normalised(question).split()
    return set(zip(words, words[1:], words[2:], strict=False))


def test_questions_are_good_questions_about_their_concepts_and_unlike_each_other() -> None:
    with ModelServer() as server:
        asked = [text(server, question_payload(index)) for index in range(300)]
    for index, question in enumerate(asked):
        assert question.endswith("?")
        assert question == question_shape.bare(question)
        assert isinstance(prose(question_shape.check)(question, "stop"), Understood), index
    assert sum("focal length" in question or "aberration of order" in question for question in asked) > 250
    sets = [_grams(question) for question in asked]
    closest = max(len(a & b) / len(a | b) for i, a in enumerate(sets) for b in sets[:i])
    assert closest < 0.5


def test_a_batch_has_one_question_for_each_sample(server: ModelServer) -> None:
    schema = question_list(4)
    reply = schema.model_validate_json(text(server, payload(*batch_prompt(4), schema=schema)))
    assert len(set(reply.questions)) == 4
    assert all(question.endswith("?") and question_shape.check(question) is None for question in reply.questions)
    assert not any(f"shadow number {other}" in reply.questions[0] for other in range(1, 4))


def test_answers_are_paragraphs_of_different_sentences(server: ModelServer) -> None:
    answers = [
        text(server, payload(*PROMPTS["answer"].render({"question": f"Why is item {i} so?"}))) for i in range(20)
    ]
    assert len(set(answers)) == 20
    for answer in answers:
        lines = [line for line in answer.splitlines() if line]
        assert answer.endswith(".")
        assert len(lines) == len(set(lines)) >= 2
        assert answer.count(". ") + len(lines) >= 4


def test_a_repaired_asking_is_answered_like_the_first(server: ModelServer) -> None:
    asked = question_payload(0)["messages"]
    turns = [
        *asked,
        {"role": "assistant", "content": "Bad"},
        "Do not do that.\n\nWrite the whole answer again, in full.",
    ]
    assert text(server, payload(*turns)).endswith("?")


def test_a_schema_spelled_out_in_the_prompt_is_followed(server: ModelServer) -> None:
    schema = syllabus_sessions(3, 4, 2)
    asked = f"Write the syllabus.\n\n{instruction(schema, 'text')}"
    for body in (payload(asked), payload(asked, response_format={"type": "json_object"})):
        assert 3 <= len(schema.model_validate_json(text(server, body)).sessions) <= 4


def test_any_schema_is_filled(server: ModelServer) -> None:
    schema = {
        "$defs": {"Colour": {"enum": ["red", "blue"]}, "Part": {"type": "object", "properties": {"weight": {"type": "number"}}}},
        "type": "object",
        "properties": {
            "colour": {"$ref": "#/$defs/Colour"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 2},
            "count": {"type": "integer", "minimum": 3, "maximum": 5}, "ready": {"type": "boolean"},
            "note": {"anyOf": [{"type": "string", "maxLength": 30}, {"type": "null"}]},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 12}, "minItems": 6, "maxItems": 6},
            "long": {"type": "string", "minLength": 200}, "kind": {"const": "thing"}, "odd": {"type": ["null", "string"]},
        },
    }  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}}
    found = json.loads(text(server, payload("Fill it.", response_format=form)))
    assert found["colour"] in ("red", "blue")
    assert len(found["parts"]) >= 2
    assert all(isinstance(part["weight"], float) for part in found["parts"])
    assert 3 <= found["count"] <= 5
    assert isinstance(found["ready"], bool)
    assert len(found["note"]) <= 30
    assert len(found["tags"]) == len(set(found["tags"])) == 6
    assert max(map(len, found["tags"])) <= 12
    assert len(found["long"]) >= 200
    assert (found["kind"], isinstance(found["odd"], str)) == ("thing", True)
