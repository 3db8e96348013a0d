"""An answer -> how the programs in it end, all taken together."""

from glan.checking.programs import MOST, obstacle, programs_in
from glan.checking.sandbox import Ran, run


def ran(answer: str) -> Ran | None:
    """How its programs end: `fails` if one does, `runs` if all do; None if it has none.

    Raises:
        InputError: there is no safe place to run them.
    """
    programs = programs_in(answer)
    if not programs:
        return None
    if len(programs) > MOST:
        return Ran("not_checked", f"{len(programs)} programs")
    unclear = None
    for number, program in enumerate(programs, start=1):
        needs = obstacle(program)
        found = Ran("not_checked", needs) if needs else run(program)
        if found.ending == "runs":
            continue
        told = Ran(
            found.ending, f"program {number} of {len(programs)}: {found.detail}" if programs[1:] else found.detail
        )
        if told.ending == "fails":
            return told
        unclear = unclear or told
    return unclear or Ran("runs")
