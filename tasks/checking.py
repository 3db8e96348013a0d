"""Whether this machine can check answers as a run is to: what that needs is tried before anything is paid for."""

from collections.abc import Callable, Iterator

from glan.checking import agreement, sandbox
from glan.errors import InputError
from glan.judging import Checking

Finding = dict[str, object]


def check_able(checking: Checking) -> None:
    """Try all that the configuration asks for.

    Raises:
        InputError: something of it cannot be done here.
    """
    for _, tried in _wanted(checking):
        tried()


def examine(checking: Checking) -> Iterator[Finding]:
    """The same as findings, for a person: `what, where, fine, remark`."""
    for what, tried in _wanted(checking):
        finding: Finding = {"what": what, "where": "this machine"}
        try:
            tried()
        except InputError as error:
            yield {**finding, "fine": False, "remark": str(error)}
        else:
            yield {**finding, "fine": True, "remark": "can be done"}


def _wanted(checking: Checking) -> Iterator[tuple[str, Callable[[], None]]]:
    if checking.math:
        yield "comparing results", agreement.check_installed
    if checking.code:
        yield "running code safely", sandbox.check_possible
