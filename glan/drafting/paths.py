"""Paths as people type them: `Field > Sub-field > Discipline`, found in a draft or taken as a new node."""

from collections.abc import Sequence
from difflib import get_close_matches

from glan.drafting.documents import Draft, DraftNode, Path, spelled
from glan.errors import InputError
from glan.names import clean, same, shown

MOST_SHOWN = 120


def found(draft: Draft, typed: str) -> DraftNode:
    """The node of the draft at a typed path, however its names are cased and spaced.

    Raises:
        InputError: there is none; names those that come close.
    """
    nodes = {_compared(spelled(node.path)): node for node in draft.below_root()}
    wanted = _compared(typed)
    if wanted in nodes:
        return nodes[wanted]
    close = get_close_matches(wanted, nodes, n=3, cutoff=0.6)
    close += [other for other in nodes if wanted and wanted in other.rsplit(" > ", 1)[-1]]
    told = " or ".join(f"`{shown(spelled(nodes[key].path), MOST_SHOWN)}`" for key in list(dict.fromkeys(close))[:3])
    hint = f"did you mean {told}?" if told else "nothing comes close"
    raise InputError(f"there is no node '{shown(typed, MOST_SHOWN)}' in the draft: {hint} (write the whole path)")


def new(typed: str) -> Path:
    """The path of a discipline to add: field, sub-field if it has one, discipline.

    Raises:
        InputError: it is no such path.
    """
    parts = typed.split(">")
    if len(parts) not in (2, 3):
        raise InputError(
            f"'{shown(typed, MOST_SHOWN)}' is no path of a discipline; write `Field > Sub-field > Discipline`, "
            "or `Field > Discipline` for one directly under its field"
        )
    try:
        return tuple(clean(part) for part in parts)
    except ValueError as error:
        raise InputError(f"'{shown(typed, MOST_SHOWN)}': {error}") from None


def all_found(draft: Draft, typed: Sequence[str]) -> list[DraftNode]:
    """The nodes at all these paths.

    Raises:
        InputError: some are wrong; names each of them.
    """
    nodes, wrong = [], []
    for one in typed:
        try:
            nodes.append(found(draft, one))
        except InputError as error:
            wrong.append(str(error))
    if wrong:
        raise InputError("; ".join(wrong))
    return nodes


def _compared(typed: str) -> str:
    return " > ".join(same(part) for part in typed.split(">"))
