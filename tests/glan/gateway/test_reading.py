"""Readers: what counts as a reply, and what is said when it does not."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from glan.gateway.reading import prose, structured
from glan.gateway.requests import Problem, Understood


class Subject(BaseModel):
    name: str = Field(max_length=40)
    level: str


class Subjects(BaseModel):
    subjects: list[Subject] = Field(min_length=1)


GOOD = {"subjects": [{"name": "Algebra", "level": "first year"}]}
ALGEBRA = Subjects.model_validate(GOOD)
read_prose = prose()
read_subjects = structured(Subjects)


def kind(result: Understood | Problem) -> str:
    assert isinstance(result, Problem)
    return result.kind


def test_prose_is_stripped() -> None:
    assert read_prose("  An answer.\n", "stop") == Understood("An answer.")


@pytest.mark.parametrize(
    "thought",
    [
        "<think>\nhm, well\n</think>\n\n",
        "Okay, so {the user} asks.\nHm.\n</think>\n\n",  # the opening tag was the end of the prompt
        "\n<thinking>hm</thinking>\n",
        "<thought>hm</thought>",
        "[THINK]hm[/THINK]",
    ],
)
def test_a_leading_thought_is_dropped(thought: str) -> None:
    assert read_prose(f"{thought}An answer.", "stop") == Understood("An answer.")
    assert read_subjects(f"{thought}{json.dumps(GOOD)}", "stop") == Understood(ALGEBRA)


@pytest.mark.parametrize(
    "text",
    [
        "The tag <think>x</think> is for thoughts.",
        "Close it with `</think>` and go on.",
        "A reply may look so:\n<think>\nx\n</think>\nThe answer comes after it.",
    ],
)
def test_a_later_think_tag_is_text(text: str) -> None:
    assert read_prose(text, "stop") == Understood(text)


@pytest.mark.parametrize(
    ("text", "finish_reason", "expected"),
    [
        ("An answer that", "length", "truncated"),
        ("", "length", "truncated"),
        ("", "content_filter", "filtered"),
        ("I would rather not.", "refusal", "refused"),
        ("", "stop", "empty"),
        ("  \n", None, "empty"),
        ("<think>hm</think>", "stop", "empty"),
        ("<think>a thought without an end", "stop", "empty"),
        ("a thought and its end\n</think>\n", "stop", "empty"),
    ],
)
def test_a_reply_that_is_no_answer_is_named(text: str, finish_reason: str | None, expected: str) -> None:
    assert kind(read_prose(text, finish_reason)) == expected
    assert kind(read_subjects(text, finish_reason)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I\u2019m sorry, I can\u2019t help with that.",
        "Sorry, I cannot provide this.",
        "I cannot answer this question.",
        "As an AI language model, I cannot discuss this.",
        "I am unable to create that content.",
        "Unfortunately, I can't comply.",
    ],
)
def test_a_refusal_is_recognised(text: str) -> None:
    assert kind(read_prose(text, "stop")) == "refused"


@pytest.mark.parametrize(
    "text",
    [
        "I can't help but admire Euler: his proof takes one line.",
        "A gas cannot do work without a difference in pressure.",
        "Sorry is the hardest word; discuss its etymology.",
        "I cannot provide a closed form, since none exists. "
        + "The integral is estimated numerically as follows. " * 8,
        "I can show that no such number exists.",
        "Unfortunately, the series diverges.",
    ],
)
def test_an_answer_that_mentions_inability_is_an_answer(text: str) -> None:
    assert isinstance(read_prose(text, "stop"), Understood)


def test_a_check_has_the_last_word() -> None:
    too_short = Problem("too_short", "Write more.")
    assert prose(lambda text: too_short)("Hm.", "stop") == too_short
    assert structured(Subjects, lambda value: too_short)(json.dumps(GOOD), "stop") == too_short
    assert prose(lambda text: too_short)("", "stop") != too_short


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        json.dumps(GOOD, indent=2) + "\n",
        f"```json\n{json.dumps(GOOD)}\n```",
        f"Here you are:\n```\n{json.dumps(GOOD)}\n```\nAnything else?",
        f"<think>braces {{ like these }} in a thought</think>{json.dumps(GOOD)}",
        f"Sure! {json.dumps(GOOD)} I hope that helps.",
        '{"subjects": [{"name": "Algebra", "level": "first year", "more": 1}], "note": "x"}',
    ],
)
def test_json_is_found_however_it_is_wrapped(text: str) -> None:
    assert read_subjects(text, "stop") == Understood(ALGEBRA)


@pytest.mark.parametrize(
    "text",
    [
        "{'subjects': [{'name': 'Algebra', 'level': 'first year'}]}",
        '{"subjects": [{"name": "Algebra", "level": "first year",}],}',
        '{"subjects": [{"name": "Algebra", "level": "first year"}]',
    ],
)
def test_broken_json_is_mended_and_flagged(text: str) -> None:
    assert read_subjects(text, "stop") == Understood(ALGEBRA, repaired=True)


@pytest.mark.parametrize("text", ["no JSON at all", "[1, 2]", "{}", '"{"', "null"])
def test_a_reply_without_an_object_is_malformed(text: str) -> None:
    assert kind(read_subjects(text, "stop")) in ("malformed", "schema")


def test_the_first_field_that_does_not_fit_is_named() -> None:
    result = read_subjects('{"subjects": [{"name": "Algebra"}]}', "stop")
    assert isinstance(result, Problem)
    assert result.kind == "schema"
    assert "`subjects.0.level`" in result.message


def test_a_reply_without_subjects_is_asked_again() -> None:
    result = read_subjects('{"subjects": []}', "stop")
    assert isinstance(result, Problem)
    assert result.ask_again


def test_a_lone_surrogate_never_becomes_a_value() -> None:
    assert kind(read_subjects('{"subjects": [{"name": "a", "level": "\\ud800"}]}', "stop")) == "malformed"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "wreck", ["{" * 200_000, "[" * 200_000, '{"a":[' * 40_000, "```\n" * 50_000, "<think>" * 50_000]
)
def test_a_hostile_wreck_is_refused_quickly(wreck: str) -> None:
    assert kind(read_subjects(wreck, "stop")) in ("malformed", "empty")


hostile = st.text() | st.text(alphabet="{}[]\",:'\\`<>/think \n\x00\ud800")


@given(hostile, st.sampled_from(["stop", "length", None, "odd"]))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_without_an_error_and_always_alike(text: str, finish_reason: str | None) -> None:
    for read in (read_prose, read_subjects):
        result = read(text, finish_reason)
        assert result == read(text, finish_reason)
        assert isinstance(result, Understood | Problem)


@given(hostile, hostile)
@settings(max_examples=100, deadline=None)
def test_a_valid_object_survives_any_strings_in_it(name: str, level: str) -> None:
    text = json.dumps({"subjects": [{"name": name[:40], "level": level}]})
    result = read_subjects(text, "stop")
    if "\ud800" in name[:40] + level:
        assert kind(result) == "malformed"
    else:
        assert isinstance(result, Understood)
        assert not result.repaired
        assert result.value.subjects[0].level == level
