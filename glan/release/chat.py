"""Instruction row -> chat row: `messages` as trainers read them, beside where the row comes from."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from glan.records import SCHEMAS

PROVENANCE = (
    "question_id",
    "discipline_id",
    "field",
    "sub_field",
    "discipline",
    "subject",
    "level",
    "language",
    "strategy",
    "key_concepts",
    "question_model",
    "answer_model",
    "request_keys",
    "flags",
)
READS = ("question", "answer", *PROVENANCE)
"""The columns of instructions that `chat_row` needs."""

_PROVENANCE = [(name, SCHEMAS["instructions"].field(name).type) for name in PROVENANCE]
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_TURN = pa.struct([("from", pa.string()), ("value", pa.string())])

SCHEMA = pa.schema([("messages", pa.list_(_MESSAGE)), *_PROVENANCE])
ALPACA = pa.schema([*((name, pa.string()) for name in ("instruction", "input", "output")), *_PROVENANCE])
SHAREGPT = pa.schema([("conversations", pa.list_(_TURN)), *_PROVENANCE])


def chat_row(instruction: Mapping[str, Any]) -> dict[str, Any]:
    """One exchange, question and answer word for word, with its provenance."""
    messages = [
        {"role": "user", "content": instruction["question"]},
        {"role": "assistant", "content": instruction["answer"]},
    ]
    return {
        "messages": messages,
        **{name: instruction[name] for name in PROVENANCE},
        "flags": instruction["flags"] or [],
    }


def alpaca_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same exchange as Alpaca's three fields; a question of this data needs no further input."""
    asked, answered = (message["content"] for message in row["messages"])
    return {"instruction": asked, "input": "", "output": answered, **{name: row[name] for name in PROVENANCE}}


def sharegpt_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same exchange as ShareGPT's conversation."""
    asked, answered = (message["content"] for message in row["messages"])
    turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": answered}]
    return {"conversations": turns, **{name: row[name] for name in PROVENANCE}}
