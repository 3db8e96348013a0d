"""What is already on record for a request: its value, or how far its attempts got. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from glan.gateway.requests import Call, Failure, Problem, Request, Understood
from glan.gateway.trouble import REPLAYED_KINDS
from glan.keys import normalised


@dataclass(slots=True)
class Progress:
    """The attempts at one request so far, over all runs."""

    attempts: int = 0  # of every kind
    failures: int = 0  # replies that could not be used: these are limited
    problem: Problem | None = None  # of the last such reply
    bad_reply: str = ""

    def note(self, problem: Problem, reply: str) -> None:
        """Another reply that could not be used."""
        self.failures += 1
        self.problem = problem
        self.bad_reply = reply

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
        return Failure(request, problem.kind, problem.message, self.bad_reply, self.attempts)


def recall(request: Request, rows: Iterable[Mapping[str, Any]]) -> Call | Progress:
    """Read the recorded replies again, in order; the first that is understood is the value.

    `rows` are those of the calls table for this request. Weather and capacity don't count; neither do refusals that
    may have been the endpoint's fault rather than the request's.
    """
    progress = Progress()
    for row in rows:
        progress.attempts = max(progress.attempts, row["attempt"])
        reply = row["reply"]
        if reply is not None and 200 <= row["status"] < 300:
            result = progress.judged(request.read(reply, row["finish_reason"]), reply)
            if isinstance(result, Understood):
                return _call(request, row, result)
            progress.note(result, reply)
        elif row["error_kind"] in REPLAYED_KINDS:
            progress.note(Problem(row["error_kind"], reply or "", ask_again=False), "")
    return progress


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
