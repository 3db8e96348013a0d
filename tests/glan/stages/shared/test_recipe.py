"""A small model that copies the worked example is asked again; nobody else is."""

from glan.gateway.reading import prose
from glan.gateway.requests import Problem, Understood
from glan.prompts import Prompts
from glan.stages.shared.recipe import unlike_example

MESSAGES = Prompts.load()["question"].render(
    {
        "discipline": "Nutrition",
        "subject": "Vitamins",
        "level": "introductory",
        "syllabus": None,
        "samples": [{"strategy": "single_session", "sessions": [], "key_concepts": ["vitamin D"]}],
    },
    example=True,
)
READ = unlike_example(prose(), MESSAGES)


def test_a_reply_about_the_worked_example_is_asked_again() -> None:
    found = READ("Why does a beekeeper use sugar syrup in winter?", "stop")
    assert isinstance(found, Problem)
    assert found.kind == "copied_example"


def test_a_reply_about_what_was_asked_is_taken() -> None:
    question = (
        "What happens to the bones of a person who gets too little vitamin D, and which foods, say sugar, help not?"
    )
    assert READ(question, "stop") == Understood(question)


def test_what_the_reader_finds_goes_before() -> None:
    assert isinstance(READ("Why does a beekeeper use sugar syrup", "length"), Problem)
