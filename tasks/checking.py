"""Whether this machine can check answers and compare questions as a run is to: tried before anything is paid for."""

from collections.abc import Callable, Iterator
from functools import partial

from glan.checking import agreement, sandbox
from glan.config import RunConfig
from glan.curation import embedding
from glan.errors import InputError

Finding = dict[str, object]


def check_able(config: RunConfig, answers: bool = True) -> None:
    """Try all that the configuration asks for; without `answers`, only what questions are compared by.

    Raises:
        InputError: something of it cannot be done here.
    """
    for _, tried in _wanted(config, answers):
        tried()


def examine(config: RunConfig) -> Iterator[Finding]:
    """The same as findings, for a person: `what, where, fine, remark`."""
    for what, tried in _wanted(config, answers=True):
        finding: Finding = {"what": what, "where": "this machine"}
        try:
            tried()
        except InputError as error:
            yield {**finding, "fine": False, "remark": str(error)}
        else:
            yield {**finding, "fine": True, "remark": "can be done"}


def _wanted(config: RunConfig, answers: bool) -> Iterator[tuple[str, Callable[[], object]]]:
    if answers and config.checking.math:
        yield "comparing results", agreement.check_installed
    if answers and config.checking.code:
        yield "running code safely", sandbox.check_possible
    if config.curation.embedding_model:
        yield "comparing questions by meaning", partial(embedding.Embedding, config.curation)
