"""A taxonomy file: YAML (or JSON, which is YAML) to entries and back, every error one sentence with file and line.

YAML can do more than a list of names needs, and what it can do beyond is how such files hurt: aliases make cycles and
unfold to gigabytes, tags build objects, the last of two equal keys silently wins, `No` is a boolean. All are refused.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from glan.errors import InputError
from glan.names import clean, same, shown

MAX_BYTES = 1_000_000
MAX_DISCIPLINES = 20_000

_MAX_DEPTH = 4  # fields, a field's list, a sub-field within it, its list
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FOREIGN_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# Control characters, and the three line breaks that only YAML counts as such: lines would be misnumbered.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_READ_AS = {"bool": "a yes/no value", "int": "a number", "float": "a number", "timestamp": "a date", "null": "nothing"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One discipline as written: its path and the line it stands on."""

    field: str
    sub_field: str
    discipline: str
    line: int


class _Wrong(Exception):
    """What is wrong on a line; 0 stands for the file as a whole."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def entries(source: Path | str, name: str) -> list[Entry]:
    """The disciplines of a file (a `Path`) or of YAML text (a `str`), in their order; `name` stands in errors.

    Raises:
        InputError: the file cannot be read or its content is not a taxonomy.
    """
    try:
        found = _Walk().fields(_root(_text(_bytes(source))))
        return list(found)
    except _Wrong as wrong:
        place = f"{name}, line {wrong.line}" if wrong.line else name
        raise InputError(f"{place}: {wrong}") from None


def written(tree: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """Field -> sub-field -> disciplines as YAML that a person can edit; the sub-field "" is the field itself."""
    fields = {field: _field(sub_fields) for field, sub_fields in tree.items()}
    text: str = yaml.dump(fields, Dumper=_Indented, allow_unicode=True, sort_keys=False, width=float("inf"))
    return text


class _Indented(yaml.SafeDumper):
    """Lists stand two spaces in, under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _field(sub_fields: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]] | list[Any]:
    if "" not in sub_fields:
        return sub_fields
    mixed: list[Any] = []
    for sub_field, names in sub_fields.items():
        mixed.extend([{sub_field: names}] if sub_field else names)
    return mixed


def _bytes(source: Path | str) -> bytes:
    if isinstance(source, str):
        data = source.encode("utf-8", "surrogatepass")
    else:
        try:
            with source.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise _Wrong(0, f"the file cannot be read ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise _Wrong(0, f"the taxonomy is larger than {MAX_BYTES:,} bytes, the most that is read")
    return data


def _text(data: bytes) -> str:
    if data.startswith(_FOREIGN_MARKS) or b"\0" in data[:4]:
        raise _Wrong(0, "the file is in UTF-16 or UTF-32; save it as UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line_at(data[: error.start].decode("utf-8"))
        raise _Wrong(line, "the text is not UTF-8; save the file in that encoding") from None
    unwanted = _UNWANTED.search(text)
    if unwanted:
        line = _line_at(text[: unwanted.start()])
        raise _Wrong(line, f"the character U+{ord(unwanted.group()):04X} has no place in a taxonomy; remove it")
    return text


def _line_at(text_before: str) -> int:
    return len(re.findall(r"\r\n?|\n", text_before)) + 1


def _root(text: str) -> yaml.MappingNode:
    try:
        _refuse_tricks(text)
        root = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: the loader without libyaml, on impossible escapes
        mark = getattr(error, "problem_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise _Wrong(mark.line + 1 if mark else 0, f"this is not valid YAML: {problem}") from None
    if root is None:
        raise _Wrong(0, "the taxonomy is empty")
    if not isinstance(root, yaml.MappingNode):
        raise _wrong(root, "a taxonomy begins with the name of a field and a colon, such as `Natural sciences:`")
    if not root.value:
        raise _wrong(root, "the taxonomy is empty")
    return root


def _refuse_tricks(text: str) -> None:
    """Look at the stream of events, which costs nothing however deep or entangled the file is."""
    depth = documents = 0
    events: Iterable[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if getattr(event, "anchor", None) is not None:
            raise _Wrong(line, "anchors (`&`) and aliases (`*`) are not allowed; write the names out, or quote them")
        if getattr(event, "tag", None) is not None:
            raise _Wrong(line, f"the tag `{shown(event.tag)}` is not allowed; quote a name that begins with `!`")
        if depth > _MAX_DEPTH:
            raise _Wrong(line, "this is nested too deeply; there are three levels: field, sub-field, discipline")
        if documents > 1:
            raise _Wrong(line, "a second YAML document begins here; put everything into one, without `---`")


class _Walk:
    """One walk down a file's tree; remembers where each field and sub-field stands."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}
        self._disciplines = 0

    def fields(self, root: yaml.MappingNode) -> Iterator[Entry]:
        for field, below in self._branches("field", root):
            if isinstance(below, yaml.MappingNode) and below.value:
                yield from self._sub_fields(field, below)
            else:
                yield from self._members("field", field, "", below)

    def _sub_fields(self, field: str, node: yaml.MappingNode) -> Iterator[Entry]:
        for sub_field, below in self._branches("sub-field", node):
            yield from self._members("sub-field", field, sub_field, below)

    def _members(self, kind: str, field: str, sub_field: str, node: yaml.Node) -> Iterator[Entry]:
        """The items of a list; in that of a field a sub-field may stand among the disciplines."""
        _require_list(kind, sub_field or field, node)
        for item in node.value:
            if kind == "field" and isinstance(item, yaml.MappingNode) and item.value:
                yield from self._sub_fields(field, item)
            else:
                yield self._discipline(field, sub_field, item)

    def _discipline(self, field: str, sub_field: str, node: yaml.Node) -> Entry:
        if isinstance(node, yaml.MappingNode) and node.value:
            key = node.value[0][0]
            raise _wrong(key, f"a discipline is a name and nothing else, so `{_start(key)}:` cannot stand here")
        self._disciplines += 1
        if self._disciplines > MAX_DISCIPLINES:
            raise _wrong(node, f"here the taxonomy passes {MAX_DISCIPLINES:,} disciplines, the most that are read")
        return Entry(field, sub_field, _name("discipline", node), _line(node))

    def _branches(self, kind: str, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        for key, below in node.value:
            name = _name(kind, key)
            first = self._lines.get((kind, same(name)))
            if first is not None:
                raise _wrong(key, f"the {kind} '{shown(name)}' stands already on line {first}; keep one of the two")
            self._lines[kind, same(name)] = _line(key)
            yield name, below


def _require_list(kind: str, name: str, node: yaml.Node) -> None:
    if not node.value or _kind_of(node) == "null":
        raise _wrong(node, f"the {kind} '{shown(name)}' has no disciplines; list them below it or remove it")
    if not isinstance(node, yaml.SequenceNode):
        given = _start(node.value[0][0]) + ":" if isinstance(node, yaml.MappingNode) else _start(node)
        raise _wrong(node, f"the {kind} '{shown(name)}' takes disciplines, each after a dash, not `{given}`")


def _name(kind: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(node, f"here belongs the name of a {kind}, not a list or a mapping")
    if _kind_of(node) == "null" and node.value in ("", "~"):
        raise _wrong(node, f"the name of a {kind} is missing")
    if _kind_of(node) != "str":
        read_as = _READ_AS.get(_kind_of(node), "something else")
        raise _wrong(node, f"YAML reads `{shown(node.value)}` as {read_as}; put the name of the {kind} in quotes")
    if node.start_mark.line != node.end_mark.line:
        raise _wrong(node, f"the name '{shown(node.value)}' runs over several lines; a dash or a colon is missing")
    try:
        return clean(node.value)
    except ValueError as error:
        raise _wrong(node, str(error)) from None


def _wrong(node: yaml.Node, message: str) -> _Wrong:
    return _Wrong(_line(node), message)


def _kind_of(node: yaml.Node) -> str:
    return str(node.tag).rpartition(":")[2]


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _start(node: yaml.Node) -> str:
    return shown(node.value) if isinstance(node, yaml.ScalarNode) else "?"
