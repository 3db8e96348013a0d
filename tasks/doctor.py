"""Recipe -> findings, before a run spends money: one tiny call to each endpoint and model, and whether answers can be checked."""

import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

from glan.errors import Cancelled, EndpointRefused, GlanError, InputError
from glan.gateway.requests import Call, Conversation, Request, Understood
from glan.models import ModelProfile, Role
from glan.prompts import PromptStamp
from glan.settings import Settings
from glan.stages.shared.recipe import Recipe
from tasks import checking, wiring
from tasks.checking import Finding
from tasks.endpoints import endpoint_of, goes_by_batch
from tasks.wiring import Order

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def examine_profiles(recipe: Recipe, settings: Settings) -> list[Finding]:
    """Ask every endpoint and model once; a finding for each: `what, where, fine, remark`."""
    found = [_examined(roles, profile, host) for roles, profile, host in _distinct(recipe, settings)]
    return [*found, *_batch_apis(recipe, settings), *checking.examine(recipe.config)]


def examine_before_paying(recipe: Recipe) -> None:
    """The same for endpoints that are not on this machine.

    Raises:
        EndpointRefused: one of them does not answer as it should; nothing else was asked.
        Cancelled: the run was told to stop.
    """
    for roles, profile, host in _distinct(recipe, Settings.load()):
        if urlsplit(f"//{host}").hostname not in _LOOPBACK:
            found = _examined(roles, profile, host)
            if not found["fine"]:
                raise EndpointRefused(str(found["remark"]))


def _batch_apis(recipe: Recipe, settings: Settings) -> Iterator[Finding]:
    """A finding where any calls are to go by a Batch API."""
    hosts = {profile.base_url: profile for profile in recipe.models().values() if goes_by_batch(profile, settings)}
    if not hosts:
        return
    finding: Finding = {
        "what": "Batch API",
        "where": ", ".join(sorted(endpoint_of(settings)(profile).host for profile in hosts.values())),
    }
    try:
        wiring.check_batch_apis(recipe, settings)
    except InputError as error:
        yield {**finding, "fine": False, "remark": str(error)}
        return
    yield {**finding, "fine": True, "remark": "is there"}


def _distinct(recipe: Recipe, settings: Settings) -> Iterator[tuple[list[Role], ModelProfile, str]]:
    endpoint = endpoint_of(settings)
    seen: dict[tuple[str, str], tuple[list[Role], ModelProfile, str]] = {}
    for role, profile in recipe.models().items():
        place = endpoint(profile)
        roles, _, _ = seen.setdefault((place.url, profile.model), ([], profile, place.host))
        roles.append(role)
    yield from seen.values()


def _examined(roles: list[Role], profile: ModelProfile, host: str) -> Finding:
    order = Order(run_id=f"doctor-{secrets.token_hex(8)}", config_digest="")
    finding: Finding = {"what": f"model for {', '.join(roles)}", "where": f"{profile.model} at {host}"}
    try:
        [outcome] = wiring.effects(order, [profile]).gateway.run([_greeting(profile)])
    except Cancelled:
        raise
    except GlanError as error:
        return {**finding, "fine": False, "remark": str(error)}
    finally:
        wiring.close(order)
    if outcome.failure:
        return {**finding, "fine": False, "remark": outcome.failure.message}
    return {**finding, "fine": True, "remark": "answers"}


def _greeting(profile: ModelProfile) -> Conversation:
    answer: Call = yield Request(
        stage="doctor",
        discipline_id="doctor",
        unit="doctor",
        unit_key="",
        node="doctor",
        prompt=PromptStamp("doctor", 1, ""),
        messages=[{"role": "user", "content": "Reply with the single word: ready"}],
        profile=profile.model_copy(update={"max_tokens": 16, "attempts": 1, "mode": "realtime"}),
        read=lambda text, finish_reason: Understood(text),
    )
    return answer.value
