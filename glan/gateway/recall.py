"""What is already on record for a request: its value, or how far its attempts got. Pure."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from glan import supplements
from glan.gateway.requests import Call, Failure, Problem, Request, Understood
from glan.gateway.trouble import NOT_JSON, REPLAYED_KINDS, WEATHER_KINDS
from glan.keys import normalised


@dataclass(slots=True)
class Progress:
    """The attempts at one request so far, over all runs."""

    attempts: int = 0  # of every kind
    failures: int = 0  # replies that could not be used: these are limited
    failures_before: int = 0  # the same in earlier askings, after which a retry begins anew
    problem: Problem | None = None  # of the last such reply
    bad_reply: str = ""
    run_id: str = ""  # of the last attempt
    finished_at: datetime.datetime = datetime.datetime.min

    @property
    def seeds_used(self) -> int:
        """How many replies that could not be used came before: each is asked anew with another seed."""
        return self.failures_before + self.failures

    def attempted(self, attempt: int, run_id: str, finished_at: datetime.datetime) -> None:
        """An attempt has ended, however it went."""
        self.attempts = max(self.attempts, attempt)
        self.run_id, self.finished_at = run_id, finished_at

    def anew(self) -> "Progress":
        """Where a retry begins: what failed before counts as attempted, and against nothing."""
        return Progress(
            attempts=self.attempts,
            failures_before=self.seeds_used,
            run_id=self.run_id,
            finished_at=self.finished_at,
        )

    def note(self, problem: Problem, reply: str) -> None:
        """Another reply that could not be used."""
        self.failures += 1
        self.problem = problem
        self.bad_reply = reply

    def refused(self, kind: str, message: str) -> None:
        """A refusal in place of a reply; only what the model wrote, which was no JSON, may come out better."""
        self.note(Problem(kind, message, ask_again=kind == NOT_JSON), "")

    def judged(self, result: Understood | Problem, reply: str) -> Understood | Problem:
        """The reading of a reply, unless the reply only hands back what was said of the one before it."""
        if isinstance(result, Understood) and self.problem and normalised(self.problem.message) in normalised(reply):
            return Problem("echo", self.problem.message)
        return result

    def failure(self, request: Request) -> Failure | None:
        """The end of a request that may not or need not be asked again."""
        problem = self.problem
        if problem is None or (problem.ask_again and self.failures < request.profile.attempts):
            return None
        return self.failed(request, problem.kind, problem.message, self.bad_reply)

    def failed(self, request: Request, kind: str, message: str, raw_text: str = "") -> Failure:
        """The failure that the last attempt came to."""
        return Failure(request, kind, message, raw_text, self.attempts, self.run_id, self.finished_at)


def recall(request: Request, rows: Iterable[Mapping[str, Any]]) -> Call | Progress:
    """Read the recorded replies again, in order; the first that is understood is the value.

    `rows` are those of the calls table for this request. Weather and capacity don't count; neither do refusals that
    may have been the endpoint's fault rather than the request's. A supplement begins anew where the unit before it has
    failed; a unit knows nothing of what its supplements have asked later.
    """
    retry = supplements.number(request.stage, request.unit)
    known = [row for row in rows if _retry_of(row) <= retry]
    progress, at = Progress(), 0
    for row in sorted(known, key=_retry_of):
        if _retry_of(row) > at:
            progress, at = progress.anew(), _retry_of(row)
        progress.attempted(row["attempt"], row["run_id"], row["finished_at"])
        reply = row["reply"]
        if row["error_kind"] in WEATHER_KINDS:
            continue
        if reply is not None and 200 <= row["status"] < 300:
            result = progress.judged(request.read(reply, row["finish_reason"]), reply)
            if isinstance(result, Understood):
                return _call(request, row, result)
            progress.note(result, reply)
        elif row["error_kind"] in REPLAYED_KINDS:
            progress.refused(row["error_kind"], reply or "")
    return progress.anew() if at < retry else progress


def _retry_of(row: Mapping[str, Any]) -> int:
    return supplements.number(row["stage"], row["unit"])


def _call(request: Request, row: Mapping[str, Any], understood: Understood) -> Call:
    return Call(
        request=request,
        value=understood.value,
        repaired=understood.repaired,
        text=row["reply"],
        finish_reason=row["finish_reason"],
        run_id=row["run_id"],
        finished_at=row["finished_at"],
        attempts=row["attempt"],
        prompt_tokens=row["prompt_tokens"] or 0,
        completion_tokens=row["completion_tokens"] or 0,
        cost_usd=row["cost_usd"],
    )
