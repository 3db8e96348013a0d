"""Calls of the model server by the real openai client, for the tests of the server itself."""

from functools import cache
from typing import Any

import openai
from model_faults import Faults
from model_replies import Payload
from model_server import ModelServer
from pydantic import BaseModel

from glan.gateway.structure import response_format
from glan.prompts import Prompts

KEY = "sk-test-0123456789abcdef"
PROMPTS = Prompts.load()
SIZES = {"min_sessions": 10, "max_sessions": 30, "concepts_per_session": 5}
COURSE = {
    "discipline": "Physics", "subject": "Optics", "level": "advanced",
    "introduction": "Light and lenses.", "subtopics": ["rays", "waves"], **SIZES,
}  # fmt: skip


@cache  # making one takes longer than a test
def client(server: ModelServer, key: str = KEY, timeout: float = 20.0) -> openai.OpenAI:
    """The real client, which tries nothing again by itself."""
    return openai.OpenAI(api_key=key, base_url=server.base_url, max_retries=0, timeout=timeout)


def payload(*messages: Any, schema: type[BaseModel] | None = None, seed: int | None = 1, **more: Any) -> Payload:
    """A call's body; a text stands for a user message."""
    given = [{"role": "user", "content": each} if isinstance(each, str) else each for each in messages]
    body: Payload = {"model": "teacher", "messages": given, "temperature": 1.0, "seed": seed, **more}
    if schema:
        body["response_format"] = response_format(schema, "json_schema")
    return {name: value for name, value in body.items() if value is not None}


def ask(server: ModelServer, body: Payload, **options: Any) -> Any:
    """Have it answered."""
    return client(server, **options).chat.completions.create(**body)


def text(server: ModelServer, body: Payload) -> str:
    """What the answer says."""
    return str(ask(server, body).choices[0].message.content)


def always(kind: str, **settings: Any) -> Faults:
    """Every call fails in this way."""
    return Faults(when=lambda payload, nth: kind, **settings)


def once(kind: str, **settings: Any) -> Faults:
    """Every payload fails in this way when it is first asked."""
    return Faults(when=lambda payload, nth: kind if nth == 0 else None, **settings)


def question_payload(index: int, seed: int = 1) -> Payload:
    """A call for a question of one course, each index about a concept of its own."""
    sample = {
        "strategy": "single_session",
        "sessions": [{"number": 2, "title": "Lenses", "description": "How lenses bend light."}],
        "key_concepts": ["focal length", f"aberration of order {index}"],
    }
    inputs = {**{name: COURSE[name] for name in ("discipline", "subject", "level")}, "syllabus": "Session 1: Rays"}
    return payload(*PROMPTS["question"].render({**inputs, "samples": [sample]}), seed=seed)


def batch_prompt(size: int) -> list[dict[str, str]]:
    """The messages that ask for so many questions at once."""
    sample = {"strategy": "single_session", "sessions": [{"number": 1, "title": "Rays", "description": "On rays."}]}
    samples = [{**sample, "key_concepts": [f"shadow number {index}"]} for index in range(size)]
    inputs = {**{name: COURSE[name] for name in ("discipline", "subject", "level")}, "syllabus": None}
    return PROMPTS["question_batch"].render({**inputs, "samples": samples})
