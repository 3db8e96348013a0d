"""Addresses of supplements: units that ask again what another unit has left in quarantine.

The original unit stays as it is. A supplement lies beside it at `<address>.<stage><number>`, such as
`optics-1a2b3c4d.000000-000020.questions1`, where `number` is that of the retry which made it; what follows from its
rows is addressed below it, as with a further round.
"""

import re

from msgspec.structs import replace

from glan.keys import digest
from glan.units import ASKING, Receipt, Unit

_SUFFIX = re.compile(rf"(?<=.)\.(?:{'|'.join(ASKING)})\d+\Z")


def supplement_of(unit: Unit, receipt: Receipt, number: int) -> Unit:
    """The unit by which the retry of this number asks again what a unit has left in quarantine."""
    original, _ = split(unit.stage, unit.address)
    return replace(
        unit,
        address=address(original, unit.stage, number),
        key=digest(["supplement", number, receipt.key]),
        edition=receipt.edition,
        parent_digest=receipt.parent_digest,
        retries=(*unit.retries, receipt),
    )


def address(original: str, stage: str, number: int) -> str:
    """The address of the supplement that a retry makes for the unit of this address."""
    return f"{original}.{stage}{number}"


def split(stage: str, unit_address: str) -> tuple[str, int]:
    """The address of the original, and the number of the retry; 0 if it is no supplement of this stage."""
    original, _, number = unit_address.rpartition(f".{stage}")
    return (original, int(number)) if number.isdecimal() and original else (unit_address, 0)


def number(stage: str, unit_address: str) -> int:
    """The number of the retry that made the unit; 0 if it is no supplement of this stage."""
    return split(stage, unit_address)[1]


def follows_from_one(unit_address: str) -> bool:
    """Whether the address is that of a supplement of any stage, or of what lies directly below one."""
    return _SUFFIX.search(unit_address) is not None


def bare(unit_address: str) -> str:
    """The address without what supplements have added at its end."""
    while match := _SUFFIX.search(unit_address):
        unit_address = unit_address[: match.start()]
    return unit_address
