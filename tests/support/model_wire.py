"""The bodies that the model server sends, as OpenAI words them."""

import time
from typing import Any

import orjson
from model_replies import Asked, Payload

_CHARACTERS_PER_TOKEN = 4


def within_limit(text: str, finish: str, payload: Payload) -> tuple[str, str]:
    """Text and finish reason, cut if the payload allows fewer tokens."""
    tokens = payload.get("max_completion_tokens") or payload.get("max_tokens")
    if tokens is None or len(text) <= tokens * _CHARACTERS_PER_TOKEN:
        return text, finish
    return text[: tokens * _CHARACTERS_PER_TOKEN], "length"


def completion(payload: Payload, asked: Asked, text: str, finish: str, name: str) -> bytes:
    """A chat completion; of a long prompt, most is said to have been in the cache."""
    prompt = len(asked.whole) // _CHARACTERS_PER_TOKEN + 1
    completion = -(-len(text) // _CHARACTERS_PER_TOKEN)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": (prompt - 128) // 128 * 128 if prompt >= 1024 else 0},
    }
    message = {"role": "assistant", "content": text, "refusal": None}
    return orjson.dumps(
        {
            "id": f"chatcmpl-{name}", "object": "chat.completion", "created": int(time.time()),
            "model": payload.get("model", ""), "usage": usage,
            "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        }
    )  # fmt: skip


def error_body(fields: dict[str, Any]) -> bytes:
    """An error object around these fields."""
    return orjson.dumps({"error": {"param": None, **fields}})
