"""Taxonomy -> the choices that a deployment's form offers on a Prefect server, and names of the form's parts."""

import copy
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from glan.taxonomy import Taxonomy

TAG = "glan"
"""Every deployment of this project carries it."""


def readable(schema: Mapping[str, Any], tree: Taxonomy) -> dict[str, Any]:
    """The schema of a flow's parameters with what a selector may be, and each part headed by the name of its field.

    Without that, the UI heads the four model profiles alike, with the name of their class.
    """
    made = copy.deepcopy(dict(schema))
    offered = _offered(tree)
    for definition in made.get("definitions", {}).values():
        for name, field in definition.get("properties", {}).items():
            if field.get("type") == "array" and offered.get(name):
                field["items"] = {"type": "string", "enum": list(offered[name])}
            if "$ref" in field or "anyOf" in field:
                field["title"] = name.replace("_", " ").capitalize()
    return made


def refresh_choices(tree: Taxonomy) -> int:
    """Let the forms of all deployments on the server offer this tree; how many had to be changed."""
    from prefect import get_client
    from prefect.client.schemas.actions import DeploymentUpdate
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags

    changed = 0
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    with get_client(sync_client=True) as client:
        for deployment in client.read_deployments(deployment_filter=ours):
            schema = deployment.parameter_openapi_schema or {}
            wanted = readable(schema, tree)
            if wanted != schema:
                client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=wanted))
                changed += 1
    return changed


def follow(tree: Taxonomy) -> None:
    """Tell the server that is set, if one is, of a new tree. A server that does not answer never stops a publication."""
    from prefect.client.base import ServerType, determine_server_type

    if determine_server_type() is ServerType.EPHEMERAL:
        return
    try:
        refresh_choices(tree)
    except Exception:
        logging.getLogger("glan").warning(
            "the Prefect server does not take the new choices; its forms offer the old ones until it is deployed again",
            exc_info=True,
        )


def _offered(tree: Taxonomy) -> dict[str, Sequence[str]]:
    return {
        "disciplines": [one.discipline_id for one in tree],
        "fields": list(tree.tree),
        "sub_fields": list(dict.fromkeys(one.sub_field for one in tree if one.sub_field)),
    }
