"""A review as a file: written for each annotator to fill in a copy, read back as a ballot.

Every error names the file, the line and what is wrong there.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path as FilePath
from typing import Any

import yaml

from glan.drafting import paths
from glan.drafting.documents import Draft, DraftNode, Path, spelled
from glan.drafting.flags import flags
from glan.drafting.review import CRITERIA, Annotator, Ballot
from glan.errors import InputError
from glan.names import same, shown
from glan.yaml_text import Wrong, composed, kind_of, line_of, text_of, wrong

_HEAD = """\
# A draft of the taxonomy to decide on. Each annotator fills in a copy of this file:
#   annotator   your name
#   criteria    by which you keep a node; change them to those that you go by
#   keep        yes or no; blank is no vote. The majority of those who voted on a node decides. A tie, or no vote,
#               leaves the taxonomy as it is: a drafted node stays out, one that stands in it stays in.
#               `no` removes a node with all that is below it.
#   add         disciplines that are missing, each as "Field > Sub-field > Discipline" or "Field > Discipline"
# Then: glan taxonomy import --votes ONE.yaml --votes OTHER.yaml
"""
_KEYS = ("draft", "annotator", "criteria", "note", "add", "nodes")
_NODE_KEYS = ("node", "kind", "votes", "flags", "keep")
_YES, _NO = ("yes", "y", "true", "keep"), ("no", "n", "false", "remove")
_DEPTH = 4  # the file, its nodes, a node, its flags


class _Blank(yaml.SafeDumper):
    """Leaves blank what is to be filled in, and sets lists two spaces in."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Blank.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))


def written(draft: Draft) -> str:
    """The file to fill in: what stands in the part of the taxonomy that was drafted, and what was named often enough."""
    document = {
        "draft": draft.digest,
        "annotator": None,
        "criteria": list(CRITERIA),
        "note": None,
        "add": [],
        "nodes": [_entry(node) for node in draft.listed()],
    }
    text: str = yaml.dump(document, Dumper=_Blank, allow_unicode=True, sort_keys=False, width=float("inf"))
    return f"{_HEAD}{text}"


def _entry(node: DraftNode) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "node": spelled(node.path),
        "kind": node.kind,
        "votes": "in the taxonomy" if node.present else f"{node.votes} of {node.lists}",
    }
    if told := flags(node):
        entry["flags"] = told
    return {**entry, "keep": None}


class FilledIn:
    """A file that an annotator has filled in; `draft` is the digest of what it decides on."""

    def __init__(self, source: FilePath | str, name: str) -> None:
        """Read a file (a `Path`) or its text; `name` stands in errors.

        Raises:
            InputError: it cannot be read, or is no review file.
        """
        self.name = name
        try:
            root = composed(text_of(source, "review"), most_depth=_DEPTH, levels="keep the form of the file")
            if root is None:
                raise Wrong(0, "the review is empty; write one with `glan taxonomy draft`")
            self._parts = _mapping(root, _KEYS, "a review file")
            self.draft = _text(self._part("draft", root), "draft")
            self.annotator = self._annotator(self._part("annotator", root))
        except Wrong as error:
            raise error.told(name) from None

    def ballot(self, draft: Draft) -> Ballot:
        """The votes, on nodes of the draft.

        Raises:
            InputError: a line is wrong, or votes on a node that the draft does not have.
        """
        try:
            return Ballot(annotator=self.annotator, keep=self._votes(draft), add=list(self._added()))
        except Wrong as error:
            raise error.told(self.name) from None

    def _part(self, key: str, root: yaml.Node) -> yaml.Node:
        if key not in self._parts:
            raise wrong(root, f"`{key}` is missing; keep it as `glan taxonomy draft` wrote it")
        return self._parts[key]

    def _annotator(self, node: yaml.Node) -> Annotator:
        if kind_of(node) == "null":
            raise wrong(node, "`annotator` is blank; write your name, so that the votes lead back to you")
        criteria = [_text(one, "criteria") for one in _items(self._parts.get("criteria"), "criteria")]
        if not criteria:
            raise wrong(self._parts.get("criteria", node), "`criteria` is empty; name at least one that you went by")
        note = self._parts.get("note")
        told = "" if note is None or kind_of(note) == "null" else _text(note, "note")
        return Annotator(name=_text(node, "annotator"), criteria=criteria, note=told)

    def _votes(self, draft: Draft) -> dict[str, bool]:
        lines: dict[str, int] = {}
        votes = {}
        for item in _items(self._parts.get("nodes"), "nodes"):
            entry = _mapping(item, _NODE_KEYS, "a node")
            if "node" not in entry:
                raise wrong(item, "`node` is missing: the path of the node that this is about")
            place = entry["node"]
            path = spelled(_found(draft, place).path)
            if path in lines:
                raise wrong(place, f"'{shown(path, 120)}' stands already on line {lines[path]}; keep one of the two")
            lines[path] = line_of(place)
            vote = _vote(entry.get("keep"))
            if vote is not None:
                votes[path] = vote
        return votes

    def _added(self) -> Iterable[Path]:
        for item in _items(self._parts.get("add"), "add"):
            try:
                yield paths.new(_text(item, "add"))
            except InputError as error:
                raise wrong(item, str(error)) from None


def together(files: Sequence[FilledIn]) -> str:
    """The draft that all the files are about.

    Raises:
        InputError: they are about different drafts, or two are by the same annotator.
    """
    by: dict[str, FilledIn] = {}
    for one in files:
        if one.draft != files[0].draft:
            raise InputError(f"{one.name}: is about another draft than {files[0].name}; import them apart")
        first = by.setdefault(same(one.annotator.name), one)
        if first is not one:
            raise InputError(
                f"{one.name}: '{shown(one.annotator.name)}' has voted already in {first.name}; each annotator votes once"
            )
    return files[0].draft


def _found(draft: Draft, node: yaml.Node) -> DraftNode:
    try:
        return paths.found(draft, _text(node, "node"))
    except InputError as error:
        raise wrong(node, str(error)) from None


def _vote(node: yaml.Node | None) -> bool | None:
    if node is None or kind_of(node) == "null":
        return None
    said = node.value.strip().casefold() if isinstance(node, yaml.ScalarNode) else ""
    if said not in (*_YES, *_NO):
        given = shown(node.value) if isinstance(node, yaml.ScalarNode) else "a list"
        raise wrong(node, f"`keep` is yes, no or blank, not `{given}`")
    return said in _YES


def _mapping(node: yaml.Node, allowed: Sequence[str], what: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise wrong(node, f"{what} has the keys {', '.join(allowed)}, each with a colon")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name not in allowed:
            raise wrong(key, f"`{shown(name)}` is no key of {what}; it has {', '.join(allowed)}")
        if name in found:
            raise wrong(key, f"`{name}` stands twice; keep one of the two")
        found[name] = value
    return found


def _items(node: yaml.Node | None, key: str) -> list[yaml.Node]:
    if node is None or kind_of(node) == "null":
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise wrong(node, f"`{key}` is a list: each item on a line of its own, after a dash")
    return list(node.value)


def _text(node: yaml.Node, key: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or kind_of(node) == "null" or not node.value.strip():
        raise wrong(node, f"`{key}`: here belongs a text; put it in quotes if it holds a colon")
    return " ".join(node.value.split())
