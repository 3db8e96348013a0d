"""What is said after the first answer is judged as the first is; what only a first question must be, a further one need not."""

import pytest
from curation_world import ANSWER, PROSE, QUESTION

from glan.config import Curation
from glan.curation import turns
from glan.curation.benchmarks import Item
from glan.curation.contamination import Contamination
from glan.curation.examples import Example

FIRST = Example(QUESTION, ANSWER, "stop")
FURTHER = "How much syrup is that, if a kilogram of syrup gives the colony half a kilogram of stores?"
SAID = "Twice the missing weight, so 16 kg of syrup, since each kilogram leaves half a kilogram in the combs."
LONG = " ".join(PROSE)


def found(*further: tuple[str, str], first: Example = FIRST, language: str | None = None) -> dict[str, str]:
    """What speaks against the turns after a good pair."""
    conversation = [first, *(Example(question, answer) for question, answer in further)]
    [reasons] = turns.reasons([conversation], Curation(language=language))
    return reasons


def test_good_turns_have_nothing_against_them() -> None:
    assert found() == {}
    assert (
        found((FURTHER, SAID), ("Why?", "Because the water in the syrup evaporates in the warmth of the hive.")) == {}
    )
    assert found(("Is the passage above true of every hive?", "Only of those that are kept in the open.")) == {}


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        (FURTHER, "I'm sorry, but I can't help with that.", "refusal"),
        (FURTHER, "As an AI language model, I don't have personal experience of hives.", "refusal"),
        (FURTHER, f"{LONG} The colony needs more of the", "truncation"),
        (FURTHER, " ".join(["The bees need the syrup in autumn, every year again."] * 8), "repetition"),
        (FURTHER, "N/A", "empty_answer"),
        (FURTHER, FURTHER, "restatement"),
        (f"Question: {FURTHER}", SAID, "question_heading"),
        (f"{FURTHER}\nAnswer: 16 kg.", SAID, "answer_in_question"),
        (FURTHER, f"{SAID} Write to jan.novak@seznam.cz for more.", "personal_data"),
        (FURTHER, f"{SAID} So $$\\frac{{1}}{{2$$ is the share.", "broken_markup"),
    ],
)
def test_each_rule_holds_of_each_turn_and_the_reason_says_which(question: str, answer: str, code: str) -> None:
    reasons = found((FURTHER + " Or less?", "No."), (question, answer))
    assert reasons[f"follow_up_{code}"].startswith("turn 3: ")


def test_a_turn_that_only_says_again_what_was_said_is_told() -> None:
    assert turns.REPEATED in found((QUESTION, SAID))
    assert "turn 3" in found((FURTHER, LONG), ("What else does it need?", LONG))[turns.REPEATED]
    assert found((FURTHER, "8 kg."), ("And the second colony?", "8 kg.")) == {}  # two results may be the same


def test_the_language_is_that_of_every_turn_unless_the_conversation_is_about_languages() -> None:
    german = "Das fehlende Futter wird im Herbst als Sirup gegeben, bevor die ersten Nächte kalt werden und die Bienen ruhen."
    assert found((FURTHER, german), language="en").keys() == {"follow_up_other_language"}
    first = Example("Translate into German: the colony needs food.", "Das Volk braucht Futter.", "stop")
    assert found(("And the next sentence of the letter?", german), first=first, language="en") == {}


def test_a_benchmark_item_is_found_in_whatever_turn_it_stands() -> None:
    item = "Weng earns $12 an hour for babysitting. Yesterday she did 50 minutes of babysitting. How much did she earn?"
    index = Contamination([Item("sums", "7", item)], Curation())
    assert turns.match(index, [FIRST, Example(FURTHER, SAID)]) is None
    match = turns.match(index, [FIRST, Example(FURTHER, SAID), Example(item, "10 dollars.")])
    assert match is not None and (match.item, match.part) == ("7", "question of turn 3")
    first = turns.match(index, [Example(item, ANSWER), Example(FURTHER, SAID)])
    assert first is not None and first.part == "question"
