"""What a run tells whoever listens, as Prefect events: automations make notifications of them.

Events carry figures, ids and host names, and nothing that a model or an endpoint has written.
"""

from typing import Any

from prefect.events import emit_event

from glan.settings import Settings
from tasks import progress

BUDGET_SPENT = "glan.budget.spent"
ENDPOINT_DOWN = "glan.endpoint.down"
ENDPOINT_BACK = "glan.endpoint.back"
ENDPOINT_LEFT = "glan.endpoint.left"
"""The run has ended while the endpoint was down: nobody waits for it any more."""
QUARANTINE_HIGH = "glan.quarantine.high"
UNITS_FAILED = "glan.units.failed"

ENDPOINT = "glan.endpoint"
"""The label that holds an endpoint's host."""

LONGEST_TEXT = 200


def budget_spent(run_id: str, budget_id: str, spent: str) -> None:
    """A budget is spent, by `spent` in figures (`12.00 USD of 12.00`); the run ends, everything so far committed."""
    _tell(BUDGET_SPENT, run_id, {"budget_id": _line(budget_id), "spent": _line(spent)})


def quarantine_if_high(run_id: str) -> None:
    """At the end of a run: tell if more of the rows planned in it are in quarantine than the settings bear."""
    total = progress.of(run_id).total()
    bearable = Settings.load().quarantine_alarm
    if total.planned and total.quarantined / total.planned > bearable:
        share = f"{total.quarantined / total.planned:.1%}"
        _tell(
            QUARANTINE_HIGH,
            run_id,
            {"quarantined": total.quarantined, "planned": total.planned, "share": share, "bearable": f"{bearable:.1%}"},
        )


def units_failed(run_id: str, units: int, disciplines: int) -> None:
    """A run has ended with the rest of its work done, and these left to the next one."""
    _tell(UNITS_FAILED, run_id, {"units": units, "disciplines": disciplines})


class EndpointNews:
    """Tells when an endpoint goes down and when it is back, each once."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._down: frozenset[str] = frozenset()

    def tell(self, down: frozenset[str]) -> None:
        """These hosts are down now, and no others."""
        for event, hosts in ((ENDPOINT_DOWN, down - self._down), (ENDPOINT_BACK, self._down - down)):
            for host in sorted(hosts):
                _tell(event, self._run_id, {"host": _line(host)}, **{ENDPOINT: _line(host)})
        self._down = down

    def leave(self) -> None:
        """The run is over."""
        for host in sorted(self._down):
            _tell(ENDPOINT_LEFT, self._run_id, {"host": _line(host)}, **{ENDPOINT: _line(host)})
        self._down = frozenset()


def _tell(event: str, run_id: str, payload: dict[str, Any], **labels: str) -> None:
    """Hand an event to Prefect's own thread; one that cannot be sent is logged by Prefect and ends nothing."""
    emit_event(
        event,
        resource={"prefect.resource.id": f"glan.run.{run_id}", "prefect.resource.name": "glan", **labels},
        related=[{"prefect.resource.id": f"prefect.flow-run.{run_id}", "prefect.resource.role": "flow-run"}],
        payload=payload,
    )


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_TEXT]
