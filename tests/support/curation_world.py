"""A good example and what the rules have against one, for tests of the rules."""

from glan.config import Curation
from glan.curation.rules import Example, reasons

QUESTION = "A hive weighs 28 kg, of which 10 kg are food. How much food is missing if the colony needs 18 kg?"
ANSWER = "The hive holds 10 kg of food and needs 18 kg, so 18 kg - 10 kg = 8 kg are missing."
PROSE = [
    "Bees store honey in the comb above the brood nest.",
    "In autumn the beekeeper weighs every hive once a week.",
    "A colony in a cold valley needs more food than one near the sea.",
    "Syrup is fed in the evening so that robbers do not come.",
    "The entrance is made small before the first frost arrives.",
]


def codes(question: str = QUESTION, answer: str = ANSWER, finish_reason: str | None = "stop") -> list[str]:
    """The reasons against an example, in whatever language it is."""
    return list(reasons(Example(question, answer, finish_reason), Curation(language=None)))
