"""Instruction row -> chat row: `messages` as trainers read them, beside where the row comes from."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from glan.records import KIND, SCHEMAS

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
    *KIND,
    "other_subject",
    "question_model",
    "answer_model",
    "request_keys",
    "flags",
)
READS = ("question", "answer", "turns", *PROVENANCE)
"""The columns of instructions that `chat_row` needs."""

_PROVENANCE = [(name, SCHEMAS["instructions"].field(name).type) for name in PROVENANCE]
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_TURN = pa.struct([("from", pa.string()), ("value", pa.string())])

_SHAREGPT = {"user": "human", "assistant": "gpt"}

SCHEMA = pa.schema([("messages", pa.list_(_MESSAGE)), *_PROVENANCE])
ALPACA = pa.schema([*((name, pa.string()) for name in ("instruction", "input", "output")), *_PROVENANCE])
ALPACA_WITH_HISTORY = ALPACA.insert(3, pa.field("history", pa.list_(pa.list_(pa.string()))))
SHAREGPT = pa.schema([("conversations", pa.list_(_TURN)), *_PROVENANCE])


def chat_row(instruction: Mapping[str, Any]) -> dict[str, Any]:
    """The whole conversation, questions and answers word for word, with its provenance."""
    return {
        "messages": [
            {"role": role, "content": turn[said]}
            for turn in (instruction, *(instruction["turns"] or ()))
            for role, said in (("user", "question"), ("assistant", "answer"))
        ],
        **{name: instruction[name] for name in PROVENANCE},
        **{name: instruction[name] or "" for name in (*KIND, "other_subject")},
        "flags": instruction["flags"] or [],
    }


def alpaca_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same exchange as Alpaca's three fields; a question of this data needs no further input."""
    asked, answered = (message["content"] for message in row["messages"])
    return {"instruction": asked, "input": "", "output": answered, **{name: row[name] for name in PROVENANCE}}


def alpaca_row_with_history(row: Mapping[str, Any]) -> dict[str, Any]:
    """The last exchange as Alpaca's three fields, and the pairs before it as `history`, as many trainers read it."""
    before, last = row["messages"][:-2], row["messages"][-2:]
    said = [message["content"] for message in before]
    history = [list(pair) for pair in zip(said[::2], said[1::2], strict=True)]
    return {**alpaca_row({**row, "messages": last}), "history": history}


def sharegpt_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same as ShareGPT's conversation."""
    turns = [{"from": _SHAREGPT[message["role"]], "value": message["content"]} for message in row["messages"]]
    return {"conversations": turns, **{name: row[name] for name in PROVENANCE}}
