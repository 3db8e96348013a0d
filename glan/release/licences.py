"""Licences as the Hugging Face Hub wants them: by a name that it knows, or as one of your own with a name and a link."""

import re
from difflib import get_close_matches

from glan.errors import InputError
from glan.names import shown

HUB_LICENCES = frozenset(
    [
        "apache-2.0",
        "mit",
        "openrail",
        "bigscience-openrail-m",
        "creativeml-openrail-m",
        "bigscience-bloom-rail-1.0",
        "bigcode-openrail-m",
        "afl-3.0",
        "artistic-2.0",
        "bsl-1.0",
        "bsd",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd-3-clause-clear",
        "c-uda",
        "cc",
        "cc0-1.0",
        "cc-by-2.0",
        "cc-by-2.5",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc-by-nc-2.0",
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nd-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
        "cdla-sharing-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "wtfpl",
        "ecl-2.0",
        "epl-1.0",
        "epl-2.0",
        "etalab-2.0",
        "eupl-1.1",
        "eupl-1.2",
        "agpl-3.0",
        "gfdl",
        "gpl",
        "gpl-2.0",
        "gpl-3.0",
        "lgpl",
        "lgpl-2.1",
        "lgpl-3.0",
        "isc",
        "h-research",
        "intel-research",
        "lppl-1.3c",
        "ms-pl",
        "apple-ascl",
        "apple-amlr",
        "mpl-2.0",
        "odc-by",
        "odbl",
        "openmdw-1.0",
        "openrail++",
        "osl-3.0",
        "postgresql",
        "ofl-1.1",
        "ncsa",
        "unlicense",
        "zlib",
        "pddl",
        "lgpl-lr",
        "deepfloyd-if-license",
        "fair-noncommercial-research-license",
        "llama2",
        "llama3",
        "llama3.1",
        "llama3.2",
        "llama3.3",
        "llama4",
        "grok2-community",
        "gemma",
        "unknown",
    ]
)
"""What the Hub takes in `license`, apart from `other`; it refuses a card with any further one (seen in May 2026)."""


def check(licence: str, link: str) -> None:
    """See that the Hub will take a licence.

    Raises:
        InputError: it does not know the name, and no link to the licence's text is given; or there is a link alone.
    """
    if link and not licence:
        raise InputError("license_link: a link needs the name of its licence in `license` (--license)")
    if link or not licence or licence.lower() in HUB_LICENCES:
        return
    close = get_close_matches(licence.lower(), sorted(HUB_LICENCES), n=3)
    meant = f" (did you mean {' or '.join(f'`{name}`' for name in close)}?)" if close else ""
    raise InputError(
        f"license: the Hub knows no licence '{shown(licence)}'{meant}; one of your own needs the address of its text too, "
        "in `license_link` (--license-link)"
    )


def fields(licence: str, link: str) -> dict[str, str]:
    """The fields of a data card."""
    if not licence:
        return {"license": "unknown"}
    known = licence.lower() in HUB_LICENCES
    named = {"license": licence.lower()} if known else {"license": "other", "license_name": _id(licence)}
    return named | ({"license_link": link} if link else {})


def _id(name: str) -> str:
    """The name of a licence as an id: `House rules 2` is `house-rules-2`."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")
