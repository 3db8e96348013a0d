"""The prompt templates of `prompts/`: one file for each kind of model call, with a strict header.

A file opens with a YAML header between `---` lines (`version`, `inputs`, `output`, `parameters`), then come sections,
each under a line of its own: `<!-- system -->`, `<!-- example user -->`, `<!-- example assistant -->`, `<!-- user -->`.
Sections are Jinja2 templates in a sandbox. What is filled in is data: it is never read as a template or as a section.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from glan.checks import explain
from glan.errors import InputError
from glan.names import shown
from glan.replies import REPLIES

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"
"""The shipped templates: beside this package, in a checkout as in an installation."""

LOCK = PROMPTS / "prompts.lock"
"""Name, version and digest of every shipped template, so that no body changes under an old version."""

NAMES = (
    "taxonomy_catalogue",
    "taxonomy_library",
    "taxonomy_occupations",
    "subject_list",
    "subject_structure",
    "subject_direct",
    "syllabus",
    "syllabus_structure",
    "syllabus_direct",
    "question",
    "question_batch",
    "question_across",
    "question_across_batch",
    "question_kind",
    "answer",
    "answer_kind",
    "follow_up",
    "judge",
    "language",
)

_SESSIONS = [
    {"course": "Optics", "number": 2, "title": "Lenses", "description": "How lenses bend light."},
    {"course": "Optics", "number": 5, "title": "Mirrors", "description": "How mirrors turn light back."},
]
_TRIAL: dict[str, Any] = {
    **dict.fromkeys(("field", "sub_field", "discipline", "subject", "introduction"), "Physics"),
    **dict.fromkeys(("syllabus", "question", "answer"), "What bends light?"),
    **dict.fromkeys(("min_sessions", "max_sessions", "concepts_per_session", "most"), 10),
    "level": "advanced",
    "language": "German",
    "question_type": "coding",
    "subtopics": ["refraction", "reflection"],
    "courses": [{"subject": name, "level": "advanced", "syllabus": "Session 1"} for name in ("Optics", "Waves")],
    "samples": [
        {"strategy": "cross_session", "sessions": _SESSIONS, "key_concepts": ["focus", "image"]}
        | {"difficulty": "easy", "question_type": "open"}
    ],
    "turns": [{"question": "What bends light?", "answer": "A lens."}],
    "known": [{"name": "Physics", "below": ["Optics"]}],
}
"""What each input looks like, to try a template with that replaces a shipped one."""

_ROLES = {"system": "system", "example user": "user", "example assistant": "assistant", "user": "user"}
_EXAMPLE = {"example user", "example assistant"}
_FILE = re.compile(r"---\n(?P<header>.*?\n)---\n(?P<body>.*)", re.DOTALL)
_MARK = re.compile(r"^<!-- *(.*?) *-->[ \t]*\n", re.MULTILINE)
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True, slots=True)
class PromptStamp:
    """Which template a row was made with; `digest` is SHA-256 of the file's text with `\\n` newlines, 64 digits."""

    name: str
    version: int
    digest: str


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)
    inputs: list[str]
    output: str
    parameters: _Parameters

    @field_validator("output")
    @classmethod
    def _check_output(cls, value: str) -> str:
        if value != "text" and value not in REPLIES:
            raise ValueError(f"must be text or one of {', '.join(REPLIES)}")
        return value


@dataclass(frozen=True)
class Prompt:
    """One template. `parameters` are the sampling parameters this call needs whatever the model profile says."""

    stamp: PromptStamp
    inputs: tuple[str, ...]
    output: str
    parameters: dict[str, Any]
    text: str
    source: str
    sections: Mapping[str, Template]

    @classmethod
    @lru_cache(maxsize=256)  # a compilation takes milliseconds, and each run on record has a score of them
    def parse(cls, name: str, text: str, source: str) -> "Prompt":
        """Read a template file's text; `source` names the file in errors.

        Raises:
            InputError: the header, a section or a template is wrong; names file, field and fix.
        """
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        match = _FILE.fullmatch(text)
        if not match:
            raise InputError(f"{source}: must begin with a YAML header between two lines of `---`")
        header = _read_header(match["header"], source)
        sections = dict(_read_sections(match["body"], text[: match.start("body")].count("\n"), source))
        _check_inputs(header.inputs, {variable for _, used in sections.values() for variable in used}, source)
        return cls(
            stamp=PromptStamp(name, header.version, hashlib.sha256(text.encode()).hexdigest()),
            inputs=tuple(header.inputs),
            output=header.output,
            parameters=header.parameters.model_dump(exclude_none=True),
            text=text,
            source=source,
            sections={title: template for title, (template, _) in sections.items()},
        )

    def render(self, inputs: Mapping[str, Any], example: bool = False) -> list[dict[str, str]]:
        """The messages to send, with the worked example as an earlier turn if asked for.

        Raises:
            InputError: the template uses something that its inputs do not have.
        """
        given = {name: inputs[name] for name in self.inputs}
        try:
            return [
                {"role": _ROLES[title], "content": self.sections[title].render(given).strip()}
                for title in _ROLES
                if title in self.sections and (example or title not in _EXAMPLE)
            ]
        except Exception as error:  # a text may do all that Jinja can: add a number to a name, count without end
            reason = shown(str(error) or type(error).__name__, 200)
            raise InputError(f"{self.source}: cannot be filled in: {reason}; correct the text") from error


class Prompts:
    """All templates of a run, by name."""

    def __init__(self, prompts: Mapping[str, Prompt]) -> None:
        self._prompts = dict(prompts)

    @classmethod
    def load(cls, replacements: Path | None = None) -> "Prompts":
        """The shipped templates, those in the folder `replacements` taking the place of the ones of the same name.

        Raises:
            InputError: a file is wrong, replaces nothing, or does not fit the call it is for.
        """
        shipped = {name: _read(name, PROMPTS / f"{name}.md", f"prompts/{name}.md") for name in NAMES}
        return cls(shipped | _replacements(replacements, shipped) if replacements else shipped)

    def __getitem__(self, name: str) -> Prompt:
        return self._prompts[name]

    def names(self) -> list[str]:
        """The names of all templates, in the order of the stages."""
        return list(self._prompts)


def lock_text(prompts: Prompts, locked: str = "") -> str:
    """The lock of these templates: a line of name, version and digest for each.

    Raises:
        InputError: a template differs from the `locked` one of the same version.
    """
    stamps = [prompts[name].stamp for name in prompts.names()]
    known = {(name, version): digest for name, version, digest in (line.split() for line in locked.splitlines())}
    for stamp in stamps:
        if known.get((stamp.name, str(stamp.version)), stamp.digest) != stamp.digest:
            raise InputError(
                f"prompts/{stamp.name}.md has changed but still says `version: {stamp.version}`; "
                f"raise it to {stamp.version + 1} and run `make prompts-lock`"
            )
    return "".join(f"{stamp.name} {stamp.version} {stamp.digest}\n" for stamp in stamps)


def _read(name: str, path: Path, source: str) -> Prompt:
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{source}: cannot be read as a UTF-8 text file ({error})") from error
    return Prompt.parse(name, text, source)


def _replacements(folder: Path, shipped: Mapping[str, Prompt]) -> dict[str, Prompt]:
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder of prompt templates; correct GLAN_PROMPTS")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == LOCK.name:
            continue
        if path.suffix != ".md" or path.stem not in shipped:
            raise InputError(f"{path}: replaces no prompt; remove it or name it like one of {', '.join(shipped)}")
        found[path.stem] = _fitting(_read(path.stem, path, str(path)), shipped[path.stem])
    return found


def _fitting(prompt: Prompt, shipped: Prompt) -> Prompt:
    unknown = sorted(set(prompt.inputs) - set(shipped.inputs))
    if unknown:
        known = ", ".join(shipped.inputs) or "none"
        raise InputError(f"{prompt.source}: `inputs`: {', '.join(unknown)} is not given to this prompt; it has {known}")
    if prompt.output != shipped.output:
        raise InputError(f"{prompt.source}: `output` must be {shipped.output}, as in the prompt that it replaces")
    prompt.render(_TRIAL, example=True)  # what cannot be filled in is told before anything is asked
    return prompt


def _read_header(text: str, source: str) -> _Header:
    try:
        given = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{source}: the header is not YAML ({' '.join(str(error).split())})") from error
    try:
        return _Header.model_validate(given)
    except ValidationError as error:
        raise InputError(f"{source}: header: {explain(error)}") from error


def _read_sections(body: str, lines_before: int, source: str) -> Iterator[tuple[str, tuple[Template, set[str]]]]:
    """Title, template and variables of each section."""
    before, *parts = _MARK.split(body)
    titles, texts = parts[::2], parts[1::2]
    _check_titles(before, titles, source)
    first_line = lines_before + before.count("\n") + 2
    for title, text in zip(titles, texts, strict=True):
        try:
            yield title, _template(text)
        except TemplateSyntaxError as error:
            raise InputError(f"{source}, line {first_line + error.lineno - 1}: {error.message}") from error
        except RecursionError as error:
            raise InputError(f"{source}: `<!-- {title} -->` is nested too deeply") from error
        except ValueError as error:
            raise InputError(f"{source}: `<!-- {title} -->` {error}") from error
        first_line += text.count("\n") + 1


def _template(text: str) -> tuple[Template, set[str]]:
    """A section as a template, and the variables that it uses.

    Raises:
        ValueError: it is empty, or wants other files.
    """
    tree = _ENVIRONMENT.parse(text)
    if not text.strip():
        raise ValueError("holds nothing; write the message below it")
    if list(meta.find_referenced_templates(tree)):
        raise ValueError("wants another file (include, import, extends); write all of the prompt into one")
    return _ENVIRONMENT.from_string(text), meta.find_undeclared_variables(tree)


def _check_titles(before: str, titles: list[str], source: str) -> None:
    if before.strip():
        raise InputError(f"{source}: text before the first section; put `<!-- system -->` or `<!-- user -->` above it")
    for title in titles:
        if title not in _ROLES:
            raise InputError(f"{source}: `<!-- {title} -->` is no section; there are {', '.join(_ROLES)}")
        if titles.count(title) > 1:
            raise InputError(f"{source}: `<!-- {title} -->` comes twice; keep one")
    if "user" not in titles:
        raise InputError(f"{source}: has no `<!-- user -->` section; add one")
    if len(_EXAMPLE & set(titles)) == 1:
        raise InputError(f"{source}: has one half of a worked example; add the other `<!-- example ... -->` section")


def _check_inputs(declared: list[str], used: set[str], source: str) -> None:
    if len(set(declared)) < len(declared):
        raise InputError(f"{source}: `inputs` names one twice; remove it")
    if missing := sorted(used - set(declared)):
        raise InputError(
            f"{source}: `inputs` does not name {', '.join(missing)}, which the text uses; correct one of them"
        )
    if idle := sorted(set(declared) - used):
        raise InputError(f"{source}: `inputs` names {', '.join(idle)}, which the text does not use; remove it")
