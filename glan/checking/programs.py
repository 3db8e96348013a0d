"""The whole Python programs in an answer, by a rule that runs nothing: pure, since rows rest on it."""

import ast
import builtins
import re
import sys
import textwrap
from collections.abc import Iterator

RULE = 1
"""Raised by whoever changes what is found, or how an ending is read: units that rest on it are made again."""

MOST = 10
"""Programs of one answer that are run; one with more is a collection of examples."""

_LONGEST = 20_000  # characters
_BLOCK = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?:python3?|py)\b[^\n`]*\n(?P<code>.*?)^(?P=fence)[ \t]*$", re.M | re.S | re.I
)
_GIVEN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__annotations__"}


def programs_in(answer: str) -> list[str]:
    """The blocks of Python code that are programs: they parse, use no name from elsewhere, and do something."""
    blocks = (textwrap.dedent(found["code"]) for found in _BLOCK.finditer(textwrap.dedent(answer)))
    return [code for code in blocks if len(code) <= _LONGEST and is_program(code)]


def is_program(code: str) -> bool:
    """Whether code is whole: definitions alone do nothing that could fail, fragments fail for what they leave out."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if all(isinstance(one, _DEFINITIONS) or _is_text(one) for one in tree.body):
        return False
    bound, used = set(_GIVEN), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        else:
            bound.update(_bound_by(node))
    return "*" in bound or used <= bound


def obstacle(code: str) -> str:
    """What a program needs that no sandbox has: someone who types, or a library; empty if nothing."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and node.id == "input":
            return "reads what someone types"
        if isinstance(node, ast.Attribute) and node.attr == "stdin":
            return "reads what someone types"
        for module in _imported(node):
            if module not in sys.stdlib_module_names:
                return f"needs {module[:60]}"
    return ""


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a node gives something to, other than by assignment."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((one.asname or one.name).partition(".")[0] for one in names)
        case ast.arg(arg=name) | ast.MatchMapping(rest=str(name)):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name


def _imported(node: ast.AST) -> Iterator[str]:
    """The top-level modules that a node imports."""
    if isinstance(node, ast.Import):
        yield from (one.name.partition(".")[0] for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." if node.level else (node.module or "").partition(".")[0]
