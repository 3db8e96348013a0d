"""YAML that people write, read as nodes with their lines, without what YAML can do beyond lists and mappings of texts.

That is how such files hurt: aliases make cycles and unfold to gigabytes, tags build objects. All of it is refused, with
one sentence that names file and line.
"""

import codecs
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from glan.errors import InputError
from glan.names import shown

MAX_BYTES = 1_000_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FOREIGN_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# Control characters, and the three line breaks that only YAML counts as such: lines would be misnumbered.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


class Wrong(Exception):
    """What is wrong on a line; 0 stands for the file as a whole."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line

    def told(self, name: str) -> InputError:
        """The same as a person is told it, with the name of the file."""
        return InputError(f"{name}, line {self.line}: {self}" if self.line else f"{name}: {self}")


def text_of(source: Path | str, what: str) -> str:
    """The text of a file (a `Path`), or the text itself; `what` it is stands in errors.

    Raises:
        Wrong: it cannot be read, is too large, or is no text.
    """
    return _text(_bytes(source, what), what)


def composed(text: str, *, most_depth: int, levels: str) -> yaml.Node | None:
    """The root node of YAML text, None if it is empty; `levels` says how deep it may be nested.

    Raises:
        Wrong: it is not valid, or does what YAML should not.
    """
    try:
        _refuse_tricks(text, most_depth, levels)
        root: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
        return root
    except (yaml.YAMLError, ValueError) as error:  # ValueError: the loader without libyaml, on impossible escapes
        mark = getattr(error, "problem_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise Wrong(mark.line + 1 if mark else 0, f"this is not valid YAML: {problem}") from None


def wrong(node: yaml.Node, message: str) -> Wrong:
    """What is wrong with a node."""
    return Wrong(line_of(node), message)


def kind_of(node: yaml.Node) -> str:
    """What YAML takes a node for: str, bool, null, seq, map, ..."""
    return str(node.tag).rpartition(":")[2]


def line_of(node: yaml.Node) -> int:
    """The line on which a node begins."""
    return int(node.start_mark.line) + 1


def _bytes(source: Path | str, what: str) -> bytes:
    if isinstance(source, str):
        data = source.encode("utf-8", "surrogatepass")
    else:
        try:
            with source.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise Wrong(0, f"the file cannot be read ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise Wrong(0, f"the {what} is larger than {MAX_BYTES:,} bytes, the most that is read")
    return data


def _text(data: bytes, what: str) -> str:
    if data.startswith(_FOREIGN_MARKS) or b"\0" in data[:4]:
        raise Wrong(0, "the file is in UTF-16 or UTF-32; save it as UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line_at(data[: error.start].decode("utf-8"))
        raise Wrong(line, "the text is not UTF-8; save the file in that encoding") from None
    unwanted = _UNWANTED.search(text)
    if unwanted:
        line = _line_at(text[: unwanted.start()])
        raise Wrong(line, f"the character U+{ord(unwanted.group()):04X} has no place in a {what}; remove it")
    return text


def _line_at(text_before: str) -> int:
    return len(re.findall(r"\r\n?|\n", text_before)) + 1


def _refuse_tricks(text: str, most_depth: int, levels: str) -> None:
    """Look at the stream of events, which costs nothing however deep or entangled the file is."""
    depth = documents = 0
    events: Iterable[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if getattr(event, "anchor", None) is not None:
            raise Wrong(line, "anchors (`&`) and aliases (`*`) are not allowed; write the names out, or quote them")
        if getattr(event, "tag", None) is not None:
            raise Wrong(line, f"the tag `{shown(event.tag)}` is not allowed; quote a name that begins with `!`")
        if depth > most_depth:
            raise Wrong(line, f"this is nested too deeply; {levels}")
        if documents > 1:
            raise Wrong(line, "a second YAML document begins here; put everything into one, without `---`")
