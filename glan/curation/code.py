"""Python functions in a text, by what stays the same when they are formatted or annotated otherwise."""

import re

_FUNCTION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*\(((?:[^()]|\([^()]*\))*)\)", re.MULTILINE)
_DOCSTRING = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'', re.DOTALL)
_EXAMPLES = re.compile(r"^[ \t]*(?:>>>|\.\.\.|assert\b).*$|^[ \t]*examples?:?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_TELLING_PARTS = 3


def signatures(text: str) -> list[str]:
    """The functions defined in a text as `name(parameter,…)`, without annotations, defaults and spaces."""
    return [f"{name}({','.join(_parameters(inside))})" for name, inside in _FUNCTION.findall(text)]


def docstring(text: str) -> str:
    """The prose of the last docstring in a text, up to its examples; empty if there is none."""
    found = _DOCSTRING.findall(text)
    return _EXAMPLES.split("".join(found[-1]), maxsplit=1)[0].strip() if found else ""


def is_telling(signature: str) -> bool:
    """Whether a signature can hardly be met by chance: its name has three words or more."""
    return len([part for part in signature.partition("(")[0].split("_") if part]) >= _TELLING_PARTS


def _parameters(inside: str) -> list[str]:
    """Names of parameters in order; commas within brackets belong to annotations."""
    names, depth, start = [], 0, 0
    for index, sign in enumerate(inside + ","):
        depth += (sign in "[({") - (sign in "])}")
        if sign == "," and depth == 0:
            name = re.split(r"[:=]", inside[start:index], maxsplit=1)[0].strip()
            names.append(name)
            start = index + 1
    return [name for name in names if name]
