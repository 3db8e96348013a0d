"""What is sent: parameters, repairs, seeds, and how structure is asked for."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from glan.gateway.body import body
from glan.gateway.reading import prose
from glan.gateway.requests import Problem, Request
from glan.gateway.structure import Structures, strict_schema
from glan.models import ModelProfile
from glan.prompts import PromptStamp


class Session(BaseModel):
    title: str = Field(description="a short title", max_length=80)
    concepts: list[str] = Field(default_factory=list, min_length=1)


class Syllabus(BaseModel):
    sessions: list[Session]
    first: Session = Field(description="the first one")
    note: str | None = None


def request(schema: type[BaseModel] | None = None, seed: int | None = 7, **profile: Any) -> Request:
    return Request(
        stage="syllabi", discipline_id="physics", unit="physics.heat", unit_key="k", node="physics/heat",
        prompt=PromptStamp("syllabus", 1, "d"), messages=[{"role": "system", "content": "Teach."}, {"role": "user", "content": "Go."}],
        profile=ModelProfile(model="m", **profile), read=prose(), seed=seed, schema=schema,
    )  # fmt: skip


def first_asking(asked: Request, mode: Any = None) -> dict[str, Any]:
    return body(asked, mode, failures=0, problem=None, bad_reply="")


def test_only_what_is_set_is_sent() -> None:
    sent = first_asking(request(temperature=None, top_p=None, max_tokens=None, send_seed=False))
    assert sent == {
        "model": "m",
        "messages": [{"role": "system", "content": "Teach."}, {"role": "user", "content": "Go."}],
    }


def test_the_token_limit_goes_under_its_name_and_extra_parameters_as_they_are() -> None:
    sent = first_asking(
        request(max_tokens=9, token_limit_name="max_completion_tokens", extra_body={"top_k": 5, "min_p": None})
    )
    assert sent["max_completion_tokens"] == 9
    assert "max_tokens" not in sent
    assert (sent["top_k"], sent["min_p"], sent["seed"]) == (5, None, 7)


def test_the_seed_differs_after_each_bad_reply_and_is_always_the_same_for_the_same_number_of_them() -> None:
    seeds = [body(request(), None, n, Problem("empty", "Write."), "")["seed"] for n in range(4)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 4
    assert body(request(), None, 2, Problem("schema", "Other."), "x")["seed"] == seeds[2]


@pytest.mark.parametrize("kind", ["schema", "malformed", "too_short"])
def test_a_bad_reply_is_quoted_with_what_was_wrong(kind: str) -> None:
    sent = body(request(), None, 1, Problem(kind, "A field is missing."), "bad reply")["messages"]
    assert sent[:2] == first_asking(request())["messages"]
    assert sent[2] == {"role": "assistant", "content": "bad reply"}
    assert sent[3]["role"] == "user"
    assert "A field is missing." in sent[3]["content"]


def test_a_long_bad_reply_is_quoted_shortened() -> None:
    quoted = body(request(), None, 1, Problem("schema", "No."), "a" * 50_000 + "z")["messages"][2]["content"]
    assert len(quoted) < 2_100
    assert quoted.endswith("z")


@pytest.mark.parametrize("kind", ["truncated", "filtered", "refused", "empty"])
def test_a_reply_that_it_cannot_help_to_quote_is_not_quoted(kind: str) -> None:
    sent = body(request(), None, 1, Problem(kind, "Be brief."), "bad reply")["messages"]
    assert [message["role"] for message in sent] == ["system", "user"]
    assert "bad reply" not in json.dumps(sent)
    assert sent[1]["content"].endswith("Be brief.")


def test_a_repair_starts_from_the_original_messages() -> None:
    asked = request()
    body(asked, None, 1, Problem("schema", "First."), "one")
    assert "First." not in json.dumps(body(asked, None, 2, Problem("schema", "Second."), "two"))


def test_the_strict_schema_is_closed_and_requires_everything() -> None:
    schema = strict_schema(Syllabus)
    for node in (schema, schema["$defs"]["Session"]):
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])
    assert schema["properties"]["first"] == {"$ref": "#/$defs/Session"}
    assert "default" not in json.dumps(schema)


def test_a_property_named_default_or_properties_survives() -> None:
    class Odd(BaseModel):
        properties: str
        default: str

    assert strict_schema(Odd)["required"] == ["properties", "default"]


def test_a_strict_schema_is_asked_for_by_the_name_of_the_reply() -> None:
    sent = first_asking(request(Syllabus), "json_schema")
    assert sent["response_format"]["json_schema"]["name"] == "Syllabus"
    assert sent["response_format"]["json_schema"]["strict"] is True
    assert sent["messages"] == first_asking(request())["messages"]


@pytest.mark.parametrize(("mode", "sent_format"), [("json_object", {"type": "json_object"}), ("text", None)])
def test_where_the_endpoint_does_not_enforce_the_schema_the_prompt_states_it(mode: str, sent_format: Any) -> None:
    sent = first_asking(request(Syllabus), mode)
    assert sent.get("response_format") == sent_format
    assert '"sessions"' in sent["messages"][-1]["content"]


def test_auto_steps_down_once_per_refusal_and_remembers_it() -> None:
    structures, asked = Structures(), request(Syllabus)
    assert structures.mode(asked) == "json_schema"
    assert structures.step_down(asked, "json_schema")
    assert structures.step_down(asked, "json_schema")  # another call that was in flight
    assert structures.mode(asked) == "json_object"
    assert structures.step_down(asked, "json_object")
    assert structures.mode(asked) == "text"
    assert not structures.step_down(asked, "text")


def test_a_chosen_structure_is_never_weakened() -> None:
    structures, asked = Structures(), request(Syllabus, structure="json_schema")
    assert not structures.step_down(asked, "json_schema")
    assert structures.mode(asked) == "json_schema"


def test_free_text_has_no_structure() -> None:
    assert Structures().mode(request()) is None
