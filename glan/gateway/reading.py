"""Readers of model replies: pure, so that a stored reply can be read again. Model text is hostile text."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import json_repair
from pydantic import BaseModel, ValidationError

from glan.gateway.requests import Problem, Reader, Understood

_M = TypeVar("_M", bound=BaseModel)

_LONGEST_REFUSAL = 300  # characters; a longer text that mentions inability is an answer
_LONGEST_REPAIR = 50_000  # characters, and
_MOST_BRACKETS = 1_000  # opening ones: json-repair takes seconds on a wreck beyond these, and all calls wait meanwhile
_TAGS = "think|thinking|thought|seed:think"
_OPENS_THOUGHT = re.compile(rf"<(?:{_TAGS})>|\[THINK\]")
_ENDS_THOUGHT = re.compile(rf"</(?:{_TAGS})>|\[/THINK\]")
_ENDS_THOUGHT_ALONE = re.compile(rf"(?:{_ENDS_THOUGHT.pattern})(?=\s*\n|\s*\Z)")
_FENCED = re.compile(r"```[A-Za-z]*\s*\n(.*?)```", re.DOTALL)
_REFUSAL = re.compile(
    r"\A(?:(?:(?:i'm|i am|we're|we are) )?(?:very |so )?(?:sorry|afraid|unfortunately|i apologi[sz]e)\b[,.;:!]? ?)?"
    r"(?:but |that )?(?:as an? (?:ai|artificial intelligence)\b[^.!?,]{0,40}, ?)?"
    r"(?:i can't|i cannot|i can not|i won't|i will not|(?:i'm|i am) (?:unable|not able) to|i must decline to) "
    r"(?:help(?! but)|assist|provide|comply|fulfil|answer|create|generate|write|do that|discuss|support|complete"
    r"|continue|engage|produce)",
    re.IGNORECASE,
)

_TRUNCATED = Problem("truncated", "The answer was cut off at the length limit. Answer again, complete but shorter.")
_FILTERED = Problem("filtered", "The answer was stopped by a content filter. Answer again in neutral, factual words.")
_REFUSED = Problem("refused", "This is ordinary teaching material. Please answer the request itself.")
_EMPTY = Problem("empty", "The answer was empty. Please write the answer.")
# Finish reasons in lower case: OpenAI's, and what Anthropic, Gemini, Mistral and others say through their own servers.
_BY_FINISH = {
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "max_length", "model_length"), _TRUNCATED),
    **dict.fromkeys(("content_filter", "content_filtered", "safety", "recitation", "sensitive"), _FILTERED),
    **dict.fromkeys(("blocklist", "prohibited_content", "spii"), _FILTERED),
    "refusal": _REFUSED,
}


def prose(check: Callable[[str], Problem | None] | None = None) -> Reader:
    """A reader of free text: the stripped text without the thoughts before it, unless it is no answer.

    Problems: truncated, filtered, refused, empty, then whatever `check` finds in the text.
    """

    def read(text: str, finish_reason: str | None) -> Understood | Problem:
        answer = _without_thought(text)
        problem = _by_finish(finish_reason) or _no_answer(answer) or (check(answer) if check else None)
        return problem or Understood(answer)

    return read


def structured(model: type[_M], check: Callable[[_M], Problem | None] | None = None) -> Reader:
    """A reader of JSON: an instance of `model`, with `repaired` set if json-repair had to mend the text first.

    Problems: those of prose, malformed (no JSON object in it), schema (names the first field and what is wrong
    with it), then whatever `check` finds in the instance.
    """

    def read(text: str, finish_reason: str | None) -> Understood | Problem:
        answer = _after_thoughts(text)
        problem = _by_finish(finish_reason) or (None if "{" in answer else _no_answer(answer))
        result = problem or _instance(model, answer)
        if isinstance(result, Problem):
            return result
        problem = check(result.value) if check else None
        return problem or result

    return read


def _by_finish(reason: str | None) -> Problem | None:
    return _BY_FINISH.get((reason or "").lower())


def _without_thought(text: str) -> str:
    ends = _ends_of_thoughts(text)
    return text[next(ends, 0) :].strip()


def _after_thoughts(text: str) -> str:
    """What follows the last thought, since braces in one would be taken for the answer."""
    return text[max(_ends_of_thoughts(text), default=0) :].strip()


def _ends_of_thoughts(text: str) -> Iterator[int]:
    """Where the thoughts before an answer end: of one without an end at the end of the text, for it holds no answer.

    The opening tag of DeepSeek-R1 and its like is the end of their prompt, so the reply has the closing one alone.
    """
    opening = _OPENS_THOUGHT.search(text)
    if opening and not text[: opening.start()].strip():
        ends = [found.end() for found in _ENDS_THOUGHT.finditer(text)]
        return iter(ends or [len(text)])
    alone = _ENDS_THOUGHT_ALONE.search(text, 0, opening.start() if opening else len(text))
    return iter([alone.end()] if alone else [])


def _no_answer(answer: str) -> Problem | None:
    if not answer:
        return _EMPTY
    if len(answer) <= _LONGEST_REFUSAL and _REFUSAL.match(answer.replace("\u2019", "'")):
        return _REFUSED
    return None


def _instance(model: type[_M], answer: str) -> Understood | Problem:
    """The model instance in the text: as it stands, else from a fence or the outermost braces, else mended."""
    found = _loaded(answer)
    if found is None:
        inner = _outermost(answer)
        found = _loaded(inner)
        if found is None:
            found = _mended(inner)
            return _validated(model, found, repaired=True)
    return _validated(model, found, repaired=False)


def _validated(model: type[_M], found: dict[str, Any] | None, *, repaired: bool) -> Understood | Problem:
    if not found:
        return Problem("malformed", "The answer held no readable JSON object. Answer with one JSON object only.")
    try:
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair could not be stored
        return Understood(model.model_validate(found), repaired=repaired)
    except UnicodeEncodeError:
        return Problem("malformed", "The JSON held characters that are not valid Unicode. Write it again without them.")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    except RecursionError:
        return Problem("schema", "The JSON is nested too deeply. Follow the schema.")
    field = ".".join(str(part) for part in first["loc"])[:120] or "the whole"
    wrong = first["msg"].removeprefix("Value error, ")[:300]
    return Problem("schema", f"The JSON does not follow the schema: `{field}`: {wrong}.")


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _outermost(text: str) -> str:
    fence = _FENCED.search(text)
    if fence and "{" in fence[1]:
        text = fence[1]
    start, stop = text.find("{"), text.rfind("}")
    return text[max(start, 0) : stop + 1] if stop > start >= 0 else text[max(start, 0) :]


def _mended(text: str) -> dict[str, Any] | None:
    brackets = text.count("{") + text.count("[")
    if "{" not in text or brackets > _MOST_BRACKETS or len(text) > _LONGEST_REPAIR:
        return None
    try:
        found = json_repair.loads(text, skip_json_loads=True)
    except Exception:  # its parser promises nothing about hostile text
        return None
    return found if isinstance(found, dict) else None
