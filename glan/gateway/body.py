"""The body of one asking: messages and parameters, the repair if it is one, and how structure is asked for."""

from typing import Any

from glan.gateway.requests import Message, Problem, Request
from glan.gateway.structure import Mode, instruction, response_format
from glan.keys import seed_for

_NOT_QUOTED = frozenset({"truncated", "filtered", "refused", "empty"})  # showing these replies again cannot help
_QUOTED_HEAD, _QUOTED_TAIL = 1_500, 500  # characters of a bad reply that are quoted


def body(request: Request, mode: Mode | None, failures: int, problem: Problem | None, bad_reply: str) -> dict[str, Any]:
    """What is sent when `failures` replies could not be used, the last because of `problem`. None is never sent."""
    profile = request.profile
    parameters: dict[str, Any] = {
        "model": profile.model,
        "messages": _messages(request, mode, problem, bad_reply),
        "temperature": profile.temperature,
        "top_p": profile.top_p,
        profile.token_limit_name: profile.max_tokens,
        "stop": profile.stop,
        "seed": _seed(request, failures),
        "response_format": response_format(request.schema, mode) if request.schema and mode else None,
    }
    return {name: value for name, value in parameters.items() if value is not None} | profile.extra_body


def _seed(request: Request, failures: int) -> int | None:
    """Another seed after each bad reply, or a deterministic endpoint would give the same one again."""
    if request.seed is None or not request.profile.send_seed:
        return None
    return seed_for(request.seed, failures) if failures else request.seed


def _messages(request: Request, mode: Mode | None, problem: Problem | None, bad_reply: str) -> list[Message]:
    messages = list(request.messages)
    if request.schema and mode:
        messages = _with_hint(messages, instruction(request.schema, mode))
    if problem is None:
        return messages
    if problem.kind in _NOT_QUOTED or not bad_reply.strip():
        return _with_hint(messages, problem.message)
    wrong = f"{problem.message}\n\nWrite the whole answer again, in full."
    return [*messages, {"role": "assistant", "content": _shortened(bad_reply)}, {"role": "user", "content": wrong}]


def _with_hint(messages: list[Message], hint: str) -> list[Message]:
    """The hint at the end of the last message: many chat templates refuse two user messages in a row."""
    if not hint or not messages:
        return messages
    last = messages[-1]
    return [*messages[:-1], {**last, "content": f"{last['content']}\n\n{hint}"}]


def _shortened(text: str) -> str:
    if len(text) <= _QUOTED_HEAD + _QUOTED_TAIL:
        return text
    return f"{text[:_QUOTED_HEAD]}\n[…]\n{text[-_QUOTED_TAIL:]}"
