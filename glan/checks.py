"""What people write in configurations and settings: shared checks, and one sentence on what is wrong."""

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from glan.errors import InputError
from glan.languages import LANGUAGES
from glan.names import shown, visible

LARGEST = 2**53
"""Beyond it, readers of JSON and browsers do not keep a whole number exactly."""

_PATH_LENGTH = 200
_PLAIN = {
    "dict_type": "must be a table of its own",
    "model_type": "must be a table of its own",
    "list_type": "must be a list, in square brackets",
    "missing": "is missing; it is required",
}
"""What pydantic says in the words of Python."""

VARIABLE = r"^[A-Z_][A-Z0-9_]*$"
BUDGET_ID = r"^[a-z0-9][a-z0-9.-]*$|^$"
DIGEST = r"^([0-9a-f]{64})?$"
NOTIFICATION_BLOCK = r"^([a-z0-9-]+/[a-z0-9-]+)?$"
LICENCE = r"^([A-Za-z0-9][A-Za-z0-9 .+-]*)?$"
HTTPS = r"^(https://\S+)?$"
_FORMS = {
    VARIABLE: "must be the NAME of a variable, in capitals, digits and `_`; the key itself stays in the environment",
    BUDGET_ID: "must be of a-z, 0-9, dots and hyphens, with a letter or digit first",
    DIGEST: "must be the 64 hexadecimal digits that a run wrote there; leave it out",
    NOTIFICATION_BLOCK: "must be the type and the name of a Prefect block, as in slack-webhook/team",
    LICENCE: "must be the name of a licence, as in cc-by-4.0",
    HTTPS: "must be an address that begins with https://",
}


def toml(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file; `what` it is stands in errors.

    Raises:
        InputError: it is missing, not UTF-8 or not TOML; names file and place.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError:
        problem = "it is nested too deeply"
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, not TOML, a path with a NUL
        problem = getattr(error, "strerror", None) or str(error)
    raise InputError(f"{shown(str(path), _PATH_LENGTH)}: cannot be read as a TOML {what} ({problem})")


def one_line(value: str) -> str:
    """The text as it is, if it is one line of characters that one can see.

    Raises:
        ValueError: it is not.
    """
    if "\n" in value or "\t" in value or visible(value) != value:
        raise ValueError("holds a line break or a control character; remove it")
    if value != value.strip():
        raise ValueError("begins or ends with a space, or holds nothing else; remove it")
    return value


ModelName = Annotated[str, Field(max_length=300), AfterValidator(one_line)]


def store_address(value: str) -> str:
    """The address of a store as it is, without a slash at its end.

    Raises:
        ValueError: it is neither a local folder nor on S3.
    """
    if ("://" in value or value.lower().startswith("s3:")) and not value.startswith("s3://"):
        raise ValueError("must be a local folder or s3://bucket/prefix")
    if not value.strip() or value.rstrip("/") in ("s3:", "s3://"):
        raise ValueError("must name a local folder or s3://bucket/prefix")
    return one_line(value).rstrip("/") or "/"


def spoken(value: str) -> str:
    """The code of a language, if it can be told apart.

    Raises:
        ValueError: it cannot.
    """
    if value not in LANGUAGES:
        raise ValueError(f"'{shown(value)}' is no language that can be told apart; write a code such as en, de or zh")
    return value


Language = Annotated[str, AfterValidator(spoken)]


def whole(value: Any) -> Any:
    """A number as it is, unless it is too large.

    Raises:
        ValueError: it is.
    """
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"must not be larger than {LARGEST}")
    return value


class Strict(BaseModel):
    """A table of a configuration: no field but its own, no number that is none, and it never changes.

    TOML has no null, so the text "none" is one wherever null may stand.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _check_number(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[str(info.field_name)].annotation
        if value == "none" and type(None) in get_args(annotation):
            return None
        if isinstance(value, bool) and annotation is not bool:
            raise ValueError("must not be true or false")
        return whole(value)


def is_http_address(value: str) -> bool:
    """Whether this is an address of HTTP: its scheme, a host and perhaps a port that is one."""
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return False


def http_address(value: str | None) -> str | None:
    """The address of an endpoint as it is, if calls can be sent there. It is never echoed: people put secrets into it.

    Raises:
        ValueError: it is not.
    """
    if not value:
        return value
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be an address such as http://localhost:8000/v1, with http:// or https:// before it")
    if not is_http_address(value) or visible(value) != value or not {" ", "\n", "\t"}.isdisjoint(value):
        raise ValueError("is no address; write it like http://localhost:8000/v1: a host, perhaps a port, a path")
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise ValueError("holds a user or a password; take them out and give the key in a variable of its own")
    if parts.query or parts.fragment:
        raise ValueError(
            "must end with its path; take away what follows `?` or `#` (Azure: https://NAME.openai.azure.com/openai/v1)"
        )
    if parts.path.rstrip("/").endswith("/completions"):
        raise ValueError("must end before /chat/completions, which is added to it")
    return value


def explain(error: ValidationError, known: Iterable[str] = ()) -> str:
    """A pydantic error as one sentence: the field and what is wrong with it, without echoing long or secret values."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the whole"
    if first["type"] == "extra_forbidden":
        return unknown(field, known)
    if first["type"] == "literal_error":
        return f"`{field}`: {_no_choice(str(first['input']), first['ctx']['expected'])}"
    if first["type"] == "string_pattern_mismatch" and (form := _FORMS.get(first["ctx"]["pattern"])):
        return f"`{field}`: {form}"
    return f"`{shown(field, 100)}`: {_PLAIN.get(first['type']) or _plain(first['msg'])}"


def _plain(message: str) -> str:
    """`Input should be …` and the like, as our own sentences have it."""
    message = message.removeprefix("Value error, ").replace(" after validation", "")
    return re.sub(r"^\w+ should ", "must ", message)


def unknown(name: str, known: Iterable[str]) -> str:
    """A sentence on a setting that does not exist, with the nearest one that does."""
    parents, dot, last = name.rpartition(".")
    close = get_close_matches(last, list(known), n=1)
    fix = f"did you mean `{parents}{dot}{close[0]}`?" if close else "remove it or correct its spelling"
    return f"`{shown(name, 100)}` is not a known setting; {fix}"


def _no_choice(given: str, expected: str) -> str:
    """On a value that is none of the choices, which pydantic gives as `'a', 'b' or 'c'`."""
    choices = re.findall(r"'([^']*)'", expected)
    close = get_close_matches(given, choices, n=1)
    fix = f"; did you mean `{close[0]}`?" if close else ""
    return f"'{shown(given)}' is not one of {', '.join(choices)}{fix}"
