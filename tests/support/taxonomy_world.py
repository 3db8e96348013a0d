"""A small taxonomy, and what its tests share."""

import re

from glan.taxonomy import Taxonomy

SMALL = """\
Natural sciences:
  Physical sciences:
    - Physics
    - Chemistry
  Life sciences:
    - Biology
Practical skills:
  - Carpentry
  - Trades:
      - Plumbing
"""


def paths(taxonomy: Taxonomy) -> list[tuple[str, str, str]]:
    """Field, sub-field and discipline of each leaf."""
    return [(one.field, one.sub_field, one.discipline) for one in taxonomy]


def assert_one_sentence(told: str) -> None:
    """Whether a message is short, on one line, and a single sentence."""
    assert told.isprintable(), repr(told)
    assert not re.search(r"[.!?] [A-Z]", told), told
    assert len(told) < 400
