"""Automations of a Prefect server: who is told when a run fails, dies, spends its budget or meets trouble.

    python -m deployments.automations        # with PREFECT_API_URL, and GLAN_NOTIFY for the notifications

Each is known by its name: deploying again changes it, and never makes a second one.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from flows.server import lasting_server
from glan.errors import GlanError, InputError
from glan.settings import Settings
from tasks import telling

JOBS = [
    "generate",
    "pilot",
    "expand",
    "backfill",
    "retry-quarantine",
    "fan-out",
    "review-taxonomy",
    "curate",
    "publish",
]
"""Flows that a person or a schedule starts; the others are parts of them, and told of with them."""
PARTS = ["discipline", "expand-pass"]

ENDS = [
    "Completed",
    "PartiallyCompleted",
    "BudgetSpent",
    "Failed",
    "TimedOut",
    "Crashed",
    "Cancelled",
    "Suspended",
    "Drafted",
    "Rejected",
]
"""States after which a run gives no further sign of life."""
MISSED_HEARTBEATS = 3
USUAL_HEARTBEAT_SECONDS = 180
PATIENCE_WITH_ENDPOINT = timedelta(minutes=10)

# An endpoint or a model may have had a say in a state's message: shortened, escaped, and nothing in it to click on.
REASON = '{{ flow_run.state.message|truncate(300)|e|replace("://", ": //")|replace("[", "(")|replace("]", ")") }}'
RUN = "{{ flow.name }}: {{ flow_run.name|truncate(100)|e }}"
LINK = "{{ (flow_run|ui_url) or flow_run.id }}"
END = f"{RUN}\n{{{{ flow_run.state.name }}}}: {REASON}\n{LINK}"
PLACE = f"{RUN}\n{LINK}"


def deploy_automations(notify: str | None, endpoint_patience: timedelta = PATIENCE_WITH_ENDPOINT) -> list[str]:
    """Create the automations, or bring those of the same names up to date; their names.

    `notify` is a Prefect notification block as `<block type>/<name>`. Without it only the automation that marks dead
    runs as Crashed is deployed; those that an earlier deployment made stay as they are.

    Raises:
        InputError: no server is set or it does not answer, or it has no such block.
    """
    lasting_server()
    with get_client(sync_client=True) as client:
        automations = [_dead_run()]
        if notify:
            automations += _notifications(_block(client, notify), endpoint_patience)
        for automation in automations:
            _deploy(client, automation)
    return [automation.name for automation in automations]


def main() -> int:
    """Deploy as the settings say; the exit code."""
    try:
        names = deploy_automations(Settings.load().notify or None)
    except GlanError as error:
        sys.stderr.write(f"glan: {error}\n")
        return 2 if isinstance(error, InputError) else 1
    sys.stdout.write("".join(f"{name}\n" for name in names))
    return 0


def _dead_run() -> AutomationCore:
    """A killed process says nothing more: its run is marked Crashed, which the automation for crashed runs tells."""
    beat = "prefect.flow-run.heartbeat"
    seconds = get_current_settings().flows.heartbeat_frequency or USUAL_HEARTBEAT_SECONDS
    return AutomationCore(
        name="glan: dead run",
        description=f"No sign of life for {MISSED_HEARTBEATS} heartbeats: the run is marked as Crashed.",
        trigger=EventTrigger(
            after={beat},
            expect={beat, *(f"prefect.flow-run.{state}" for state in ENDS)},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related=_of_flows([*JOBS, *PARTS]),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=MISSED_HEARTBEATS * seconds),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name="Crashed",
                message=f"no sign of life for {MISSED_HEARTBEATS} heartbeats; what is committed stays, run it again",
            )
        ],
    )


def _notifications(block_id: UUID, endpoint_patience: timedelta) -> Iterator[AutomationCore]:
    def told(name: str, description: str, trigger: EventTrigger, body: str) -> AutomationCore:
        action = SendNotification(block_document_id=block_id, subject=name, body=body)
        actions: list[ActionTypes] = [action]
        return AutomationCore(name=name, description=description, trigger=trigger, actions=actions)

    yield told("glan: failed run", "A run has failed.", _on_end("Failed", "TimedOut"), END)
    yield told("glan: crashed run", "A run has crashed, or is dead.", _on_end("Crashed"), END)
    yield told(
        "glan: budget spent",
        "A run has ended because its budget is spent; what was committed before stays.",
        _on_end("BudgetSpent"),
        END,
    )
    yield told(
        "glan: units failed",
        "A run has ended with units or whole disciplines failed, the rest of its work done.",
        _on_event(telling.UNITS_FAILED),
        "units failed: {{ event.payload.units }}, disciplines not completed: {{ event.payload.disciplines }}; "
        f"the next run tries again\n{PLACE}",
    )
    yield told(
        "glan: endpoint down",
        f"An endpoint has been down for {endpoint_patience}.",
        _on_silence_of_endpoint(endpoint_patience),
        f"{{{{ event.payload.host|e }}}} has been down for {endpoint_patience}\n{PLACE}",
    )
    yield told(
        "glan: quarantine high",
        "More rows of a run are in quarantine than GLAN_QUARANTINE_ALARM bears.",
        _on_event(telling.QUARANTINE_HIGH),
        "{{ event.payload.quarantined }} of {{ event.payload.planned }} rows ({{ event.payload.share }}) are in "
        f"quarantine\n{PLACE}",
    )


def _on_end(*states: str) -> EventTrigger:
    return EventTrigger(
        expect={f"prefect.flow-run.{state}" for state in states},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=_of_flows(JOBS),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )


def _on_event(event: str) -> EventTrigger:
    return EventTrigger(
        expect={event},
        match={"prefect.resource.id": "glan.run.*"},
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )


def _on_silence_of_endpoint(patience: timedelta) -> EventTrigger:
    return EventTrigger(
        after={telling.ENDPOINT_DOWN},
        expect={telling.ENDPOINT_BACK, telling.ENDPOINT_LEFT},
        match={"prefect.resource.id": "glan.run.*"},
        for_each={"prefect.resource.id", telling.ENDPOINT},
        posture=Posture.Proactive,
        threshold=1,
        within=patience,
    )


def _of_flows(names: list[str]) -> dict[str, str | list[str]]:
    return {"prefect.resource.role": "flow", "prefect.resource.name": names}


def _block(client: SyncPrefectClient, notify: str) -> UUID:
    """The block's id on this server."""
    block_type, _, name = notify.partition("/")
    try:
        block = client.read_block_document_by_name(name, block_type_slug=block_type, include_secrets=False)
    except ObjectNotFound:
        raise InputError(
            f"GLAN_NOTIFY: the Prefect server has no block {notify}; make it in the UI under Blocks, or correct the name"
        ) from None
    if block.block_schema is None or "notify" not in block.block_schema.capabilities:
        raise InputError(f"GLAN_NOTIFY: {notify} sends no notifications; name a notification block")
    return block.id


def _deploy(client: SyncPrefectClient, automation: AutomationCore) -> None:
    known = client.read_automations_by_name(automation.name)
    if not known:
        client.create_automation(automation)
        return
    # One that a person has switched off stays so. Dumped, because the client leaves out what counts as unset.
    changed = automation.model_dump(exclude={"owner_resource"}) | {"enabled": known[0].enabled}
    client.update_automation(known[0].id, AutomationCore(**changed))


if __name__ == "__main__":
    sys.exit(main())
