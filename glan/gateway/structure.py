"""How a structured reply is asked for: the strictest way that the endpoint has, remembered."""

import json
import re
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel

from glan.gateway.requests import Request

Mode = Literal["json_schema", "json_object", "text"]
_WEAKER: dict[Mode, Mode] = {"json_schema": "json_object", "json_object": "text"}


class Structures:
    """What one endpoint takes, per model and schema: `auto` starts at the strictest and steps down when refused."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Mode] = {}

    def mode(self, request: Request) -> Mode | None:
        """How to ask this request; None if it has no schema."""
        if request.schema is None:
            return None
        wanted = request.profile.structure
        return self._known.get(_family(request), "json_schema") if wanted == "auto" else wanted

    def step_down(self, request: Request, refused: Mode | None) -> bool:
        """Remember that `refused` was refused. False if nothing weaker is left, or the mode is not ours to choose."""
        if refused is None or refused not in _WEAKER or request.profile.structure != "auto":
            return False
        if self.mode(request) == refused:  # another call in flight may have stepped down already
            self._known[_family(request)] = _WEAKER[refused]
        return True


def _family(request: Request) -> tuple[str, str]:
    return request.profile.model, request.schema.__name__ if request.schema else ""


def response_format(schema: type[BaseModel], mode: Mode) -> dict[str, Any] | None:
    """The `response_format` of the body; None in text mode."""
    if mode == "text":
        return None
    if mode == "json_object":
        return {"type": "json_object"}
    name = re.sub(r"[^A-Za-z0-9_-]", "_", schema.__name__)[:64]
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": strict_schema(schema)}}


def instruction(schema: type[BaseModel], mode: Mode) -> str:
    """What the prompt has to say where the endpoint does not enforce the schema itself; empty if it does."""
    if mode == "json_schema":
        return ""
    return f"Answer with one JSON object and nothing else. It must satisfy this JSON schema:\n{_schema_text(schema)}"


@lru_cache(maxsize=256)
def strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema as OpenAI's strict mode takes it: closed objects, all properties required, bare references."""
    return _closed(schema.model_json_schema())  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _schema_text(schema: type[BaseModel]) -> str:
    return json.dumps(schema.model_json_schema(), ensure_ascii=False, separators=(",", ":"))


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    closed = {key: _each_closed(key, value) for key, value in node.items() if key != "default"}
    if closed.get("type") == "object" and "properties" in closed:
        closed |= {"additionalProperties": False, "required": list(closed["properties"])}
    return closed


def _each_closed(key: str, value: Any) -> Any:
    """`properties` and `$defs` map names of our choosing to schemas; such a name is no keyword."""
    if key in ("properties", "$defs") and isinstance(value, dict):
        return {name: _closed(schema) for name, schema in value.items()}
    return _closed(value)
