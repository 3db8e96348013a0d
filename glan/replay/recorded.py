"""The call log in the place of a gateway: conversations are carried on with the replies that are on record."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from glan.gateway.gateway import History
from glan.gateway.recall import Progress, recall
from glan.gateway.requests import Call, Conversation, Failure, Outcome, Request
from glan.gateway.trouble import WEATHER_KINDS

Row = Mapping[str, Any]


class NotOnRecord(Exception):
    """A request has neither an understood reply nor a failure on record."""


class RecordedReplies:
    """Answers as the process `maker` was answered when it made a unit; it is asked by a unit at a time.

    Where two processes were at the same unit, each took its own replies, and either may have committed it. With
    `ended`, the unit is known to have been committed, so a request that was not understood had been given up.
    """

    def __init__(self, maker: str, ended: bool) -> None:
        self._maker, self._ended = maker, ended

    def run(self, conversations: Sequence[Conversation], history: History | None = None) -> list[Outcome]:
        """As `Gateway.run`.

        Raises:
            NotOnRecord: a reply is missing.
        """
        assert history is not None
        return [self._converse(conversation, history) for conversation in conversations]

    def _converse(self, conversation: Conversation, history: History) -> Outcome:
        calls: list[Call] = []
        try:
            request = next(conversation)
            while True:
                answer = self._answer(request, history.attempts(request.key))
                if isinstance(answer, Failure):
                    return Outcome(failure=answer, calls=calls)
                calls.append(answer)
                request = conversation.send(answer)
        except StopIteration as end:
            return Outcome(value=end.value, calls=calls)
        finally:
            conversation.close()

    def _answer(self, request: Request, rows: Sequence[Row]) -> Call | Failure:
        seen = self._seen(request, rows)
        found = recall(request, seen)
        if isinstance(found, Call):
            return found
        failure = found.failure(request) or (_given_up(request, found, seen) if self._ended else None)
        if failure is None:
            raise NotOnRecord(f"{request.node}: the reply to {request.key[:16]} is not on record")
        return failure

    def _seen(self, request: Request, rows: Sequence[Row]) -> list[Row]:
        """The attempts that the maker knew of: its own, and those before the first of them."""
        own = [row for row in rows if row["writer"] == self._maker and row["unit_key"] == request.unit_key]
        if not own:
            return list(rows)
        first = min(row["attempt"] for row in own)
        return [row for row in rows if row["attempt"] < first and not row["understood"]] + own


def _given_up(request: Request, progress: Progress, seen: Sequence[Row]) -> Failure | None:
    """The failure that the last attempt was taken for."""
    mine = [row for row in seen if row["unit_key"] == request.unit_key] or seen
    last = max(mine, key=lambda row: (row["attempt"], row["finished_at"]), default=None)
    if last is None:
        return None
    if last["error_kind"] in WEATHER_KINDS:
        return progress.failed(request, "weather", last["reply"] or "")
    if not 200 <= last["status"] < 300:
        return progress.failed(request, last["error_kind"], last["reply"] or "")
    problem = progress.problem
    return progress.failed(request, problem.kind, problem.message, progress.bad_reply) if problem else None


class NothingToWrite:
    """In the place of the call log's writer: all that units rest on is on record."""

    backlog = 0

    def wait(self) -> None:
        """Nothing is waited for."""


def no_clock() -> datetime.datetime:
    """In the place of the clock: rows carry the time of the calls they rest on, and of nothing else."""
    raise AssertionError("a unit's rows must not depend on when they are made")
