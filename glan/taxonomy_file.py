"""A taxonomy file: YAML (or JSON, which is YAML) to entries and back, every error one sentence with file and line.

Of what YAML can do beyond a list of names, the last of two equal keys silently wins, and `No` is a boolean. Both are
refused here, the rest in `yaml_text`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from glan.names import clean, same, shown
from glan.yaml_text import Wrong, composed, kind_of, line_of, text_of, wrong

MAX_DISCIPLINES = 20_000

_MAX_DEPTH = 4  # fields, a field's list, a sub-field within it, its list
_READ_AS = {"bool": "a yes/no value", "int": "a number", "float": "a number", "timestamp": "a date", "null": "nothing"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One discipline as written: its path and the line it stands on."""

    field: str
    sub_field: str
    discipline: str
    line: int


def entries(source: Path | str, name: str) -> list[Entry]:
    """The disciplines of a file (a `Path`) or of YAML text (a `str`), in their order; `name` stands in errors.

    Raises:
        InputError: the file cannot be read or its content is not a taxonomy.
    """
    try:
        return list(_Walk().fields(_root(text_of(source, "taxonomy"))))
    except Wrong as error:
        raise error.told(name) from None


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


def _root(text: str) -> yaml.MappingNode:
    root = composed(text, most_depth=_MAX_DEPTH, levels="there are three levels: field, sub-field, discipline")
    if root is None:
        raise Wrong(0, "the taxonomy is empty")
    if not isinstance(root, yaml.MappingNode):
        raise wrong(root, "a taxonomy begins with the name of a field and a colon, such as `Natural sciences:`")
    if not root.value:
        raise wrong(root, "the taxonomy is empty")
    return root


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
            raise wrong(key, f"a discipline is a name and nothing else, so `{_start(key)}:` cannot stand here")
        self._disciplines += 1
        if self._disciplines > MAX_DISCIPLINES:
            raise wrong(node, f"here the taxonomy passes {MAX_DISCIPLINES:,} disciplines, the most that are read")
        return Entry(field, sub_field, _name("discipline", node), line_of(node))

    def _branches(self, kind: str, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        for key, below in node.value:
            name = _name(kind, key)
            first = self._lines.get((kind, same(name)))
            if first is not None:
                raise wrong(key, f"the {kind} '{shown(name)}' stands already on line {first}; keep one of the two")
            self._lines[kind, same(name)] = line_of(key)
            yield name, below


def _require_list(kind: str, name: str, node: yaml.Node) -> None:
    if not node.value or kind_of(node) == "null":
        raise wrong(node, f"the {kind} '{shown(name)}' has no disciplines; list them below it or remove it")
    if not isinstance(node, yaml.SequenceNode):
        given = _start(node.value[0][0]) + ":" if isinstance(node, yaml.MappingNode) else _start(node)
        raise wrong(node, f"the {kind} '{shown(name)}' takes disciplines, each after a dash, not `{given}`")


def _name(kind: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise wrong(node, f"here belongs the name of a {kind}, not a list or a mapping")
    if kind_of(node) == "null" and node.value in ("", "~"):
        raise wrong(node, f"the name of a {kind} is missing")
    if kind_of(node) != "str":
        read_as = _READ_AS.get(kind_of(node), "something else")
        raise wrong(node, f"YAML reads `{shown(node.value)}` as {read_as}; put the name of the {kind} in quotes")
    if node.start_mark.line != node.end_mark.line:
        raise wrong(node, f"the name '{shown(node.value)}' runs over several lines; a dash or a colon is missing")
    try:
        return clean(node.value)
    except ValueError as error:
        raise wrong(node, str(error)) from None


def _start(node: yaml.Node) -> str:
    return shown(node.value) if isinstance(node, yaml.ScalarNode) else "?"
