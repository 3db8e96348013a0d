"""Settings and model profiles -> where calls go, how they go, and what they cost. Imports no Prefect: `glan plan` asks."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from glan.clock import now
from glan.errors import InputError
from glan.gateway.prices import Cost, Prices
from glan.gateway.public_prices import public_prices
from glan.gateway.terms import Endpoint
from glan.models import ModelProfile
from glan.settings import Settings


def endpoint_of(settings: Settings) -> Callable[[ModelProfile], Endpoint]:
    """Where the calls of a profile go: its own endpoint if it names one, else the environment's."""

    def endpoint(profile: ModelProfile) -> Endpoint:
        base_url = profile.base_url or settings.openai_base_url
        name = profile.api_key_env or "OPENAI_API_KEY"
        if profile.api_key_env:
            key = os.environ.get(name, "").strip()
        else:
            key = settings.openai_api_key.get_secret_value().strip() if settings.openai_api_key else ""
        if not key and (base_url is None or profile.api_key_env):
            raise InputError(
                f"environment: {name} is not set, and model {profile.model} needs it; set it and run again"
            )
        if not re.fullmatch(r"[!#-&(-~]*", key):
            raise InputError(
                f"environment: {name} holds a space, a line break, a quotation mark or a letter beyond ASCII, which no "
                "key has; copy the key again"
            )
        return Endpoint(base_url=base_url, api_key=key or "none", batch=goes_by_batch(profile, settings))

    return endpoint


def goes_by_batch(profile: ModelProfile, settings: Settings) -> bool:
    """Whether the calls of a profile go by its endpoint's Batch API."""
    return (profile.mode or settings.mode) == "batch"


def prices_of(settings: Settings, profiles: Iterable[ModelProfile] = ()) -> Prices:
    """What calls cost: by the person's own table, else by the public prices at the endpoints of these profiles.

    Models of no profile here are priced as at the environment's own endpoint.

    Raises:
        InputError: the table is wrong.
    """
    otherwise = Endpoint(settings.openai_base_url).url
    addresses: defaultdict[str, set[str]] = defaultdict(set)
    for profile in profiles:
        addresses[profile.model].add(profile.base_url or otherwise)
    return Prices.load(settings.prices, public_prices(addresses, otherwise, now))


def prices_ahead(settings: Settings, profiles: Collection[ModelProfile]) -> tuple[Prices, Cost]:
    """The prices of these profiles, and what calls will cost by them.

    Of a model that is called in both modes, the price of calls made at once, which is the higher.
    """
    prices = prices_of(settings, profiles)
    at_once = {profile.model for profile in profiles if not goes_by_batch(profile, settings)}

    def cost(model: str, prompt_tokens: float, cached_tokens: float, completion_tokens: float) -> float | None:
        priced = prices.cost if model in at_once else prices.batch_cost
        return priced(model, prompt_tokens, cached_tokens, completion_tokens)

    return prices, cost
