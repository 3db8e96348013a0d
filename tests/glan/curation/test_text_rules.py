"""Rules on language, length, references, markup and personal data: what is rejected, and what looks like it and must stay."""

import pytest
from curation_world import ANSWER, QUESTION

from glan.config import Curation
from glan.curation.rules import Example, judged, reasons

SPANISH = "Las abejas recogen néctar en los prados y lo guardan como miel, de la que viven todo el invierno."


def codes(question: str = QUESTION, answer: str = ANSWER, **settings: object) -> list[str]:
    return list(reasons(Example(question, answer, "stop"), Curation(**settings)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("¿Cómo sobreviven las abejas al invierno y qué comen durante todos esos meses de frío?", ANSWER),
        (QUESTION, SPANISH),
        (
            QUESTION,
            f"Here is the full answer to your question on the food of a colony that weighs too little. {SPANISH} En otoño el "
            "apicultor pesa la colmena, calcula cuánto alimento falta y prepara un jarabe de azúcar para los meses fríos.",
        ),
        (
            QUESTION,
            "蜜蜂在草地上采集花蜜，并把它储存成蜂蜜，整个冬天都靠它生活。工蜂照顾幼虫，蜂王每天产下两千个卵，雄蜂在秋天被赶出蜂巢。",
        ),
    ],
)
def test_another_language_than_the_one_asked_for_is_a_reason(question: str, answer: str) -> None:
    assert codes(question, answer) == ["other_language"]
    assert codes(question, answer, language=None) == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Translate into Spanish: Bees gather nectar in the meadows and store it as honey.", SPANISH),
        ("Write a short poem on bees as Lorca might have written it.", SPANISH),
        (QUESTION, "F = ma, E = mc², pV = nRT, U = RI, P = UI, v = s/t, a = v/t, W = Fs, T = 1/f"),
        (
            QUESTION,
            "Taraxacum officinale, Urtica dioica, Cirsium arvense, Rumex obtusifolius, Stellaria media, Poa annua, Elymus repens",
        ),
        (
            QUESTION,
            "Apis mellifera, Apis cerana, Bombus terrestris, Osmia bicornis, Megachile rotundata, Xylocopa violacea",
        ),
        (QUESTION, "Garçon, crème brûlée, s'il vous plaît!"),
        (QUESTION, f"{ANSWER} In Spanish sources one reads: «Las abejas recogen néctar en los prados.»"),
    ],
)
def test_quotations_formulas_and_questions_on_languages_stay(question: str, answer: str) -> None:
    assert codes(question, answer) == []


def test_data_in_another_language_is_judged_by_that_language() -> None:
    spanish = "¿Cómo sobreviven las abejas al invierno y qué comen durante todos esos meses de frío?"
    assert codes(spanish, SPANISH, language="es") == []
    assert codes(QUESTION, ANSWER, language="es") == ["other_language"]


def test_examples_judged_together_are_judged_as_each_by_itself() -> None:
    texts = [QUESTION, ANSWER, SPANISH, "", "42", "蜜蜂在草地上采集花蜜，并把它储存成蜂蜜，整个冬天都靠它生活。"]
    examples = [Example(question, answer) for question in texts for answer in texts]
    for language in ("en", "es", None):
        settings = Curation(language=language)
        together = judged(examples, settings)
        assert together == [reasons(Example(one.question, one.answer), settings) for one in examples]


def test_lengths_are_settings() -> None:
    assert codes(QUESTION, "42") == []
    assert codes(QUESTION, "42", min_answer_words=2) == ["length"]
    assert codes(QUESTION, ANSWER, max_answer_words=5) == ["length"]
    assert codes(QUESTION, ANSWER, max_question_words=5) == ["length"]


@pytest.mark.parametrize(
    "question",
    [
        "Using the ideas discussed in the session, explain how bees find their way home.",
        "Based on what was covered in class, compare two kinds of hives.",
        "In today's lecture we saw two kinds of hives. Which of them is the older one?",
        "According to the syllabus, which hive is the oldest?",
        "How do the key concepts listed relate to each other?",
        "Explain why the hive in the figure below has two entrances.",
        "Read the above passage and name three kinds of bees.",
        "Summarise the passage above in two sentences.",
        "Which of the topics in this class session matters most to a beekeeper, and why?",
        "What are the forces in the circuit shown above?",
        "The graph below shows the weight of a hive. When is it heaviest?",
        "Look at the following image: which part of the hive is marked with an arrow?",
        "In Class Session 2 we saw three kinds of hives. Which are they?",
        "Compare the topics of Session 4 and Session 7.",
        "Using the techniques covered in Session 3, design a hive for a cold valley.",
        "In Session 3 we learned about entropy. How does it change when ice melts?",
        "In session 2, the concept of entropy was introduced. How does it change when ice melts?",
        "During session 2 you learned about entropy. How does it change when ice melts?",
        "Recall from the last lecture that drones die in autumn. Why is that?",
        "Based on Session 5: Entropy, explain why ice melts in a warm room.",
        "As we saw in the last lecture, drones die in autumn. Why is that?",
        "As we saw during our previous class, drones die in autumn. Why is that?",
        "Building on last session, compare two kinds of hives.",
        "Building on the previous lecture's example, compare two kinds of hives.",
        "Based on the above, which hive is the heaviest?",
        "Using the information provided above, name three kinds of bees.",
        "Explain how bees find their way home, using the information given above.",
        "Using the concepts covered in this session, explain why students' test scores vary from year to year.",
        "Explain why students' test scores vary, using the concepts covered in this session.",
        "As described in the syllabus, what should a student learn about bees?",
        "What should a student know of bees according to the syllabus?",
        "How could teachers apply the principles discussed in the session to a class of beginners?",
        "Using the methods covered in class, design a lesson plan on bees for ten-year-olds.",
    ],
)
def test_a_question_that_points_outside_itself_is_a_reason(question: str) -> None:
    assert codes(question) == ["not_self_contained"]


@pytest.mark.parametrize(
    "question",
    [
        "In the course of a year, how many eggs does a queen lay?",
        "How is the session key of TLS derived?",
        "How does a web server tell two sessions of one user apart?",
        "A congress meets in two sessions a year. How many sessions does it hold in a decade?",
        "A teacher wants to review what was covered in the previous class with her students. How could she begin?",
        "Design a syllabus for a course on beekeeping.",
        "Design a syllabus for a course on beekeeping. How would you find out whether the syllabus is too full?",
        "Design a lesson on bees that builds on what was covered in the previous class.",
        "Plan a lesson on bees. By what would you know that this lesson has reached its aim?",
        "A professor sees that the topics described in the syllabus take longer than planned. What could she leave out?",
        "A student has missed what was covered in the last lecture. How can he catch up?",
        "What should the syllabus of a first course in beekeeping contain?",
        "Ms Lee tells her class: in today's lesson we build a hive. What should she have prepared?",
        "Session 1 holds a lock on a row. In session 2, the concept of a deadlock was met. How?",
        "In session 2 of an experiment, subjects recalled fewer words than in session 1. Why?",
        "In Session 2, each patient named three fears. Which therapy works so?",
        "A patient has had two sessions. Based on session 1, how would you go on?",
        "According to the Syllabus of Errors of 1864, which views are condemned?",
        "In a long trial, the jury was split, based on the last session. Why?",
        "Given the above, below and side lengths of a box, how is its volume found?",
        "A browser restores its tabs based on the last session token. How is such a token stored?",
        "Based on The Last Lecture, how did Randy Pausch see failure?",
        "A hive weighs 28 kg. Based on the above, how much is that in grams?",
        "A = 3 and B = 4\nBased on the above, what is A + B?",
        "Given the above-average rainfall of 2021, how much honey was lost?",
        "How is information above the fold read on a page?",
        "Which birds can be told from above?",
        "How do radars use the information given above the horizon?",
        "Oxalic acid kills mites. How does this class of compounds act on them?",
        "The Python class Hive has a list of combs. Add a method to this class that counts them.",
        "How does a shell keep a variable for the current session alone?",
        "What is the value of __name__ in the current module when it is run as a script?",
        "Show that the given module over the integers is not free: Z/6.",
        "A browser opens a session with a shop. How does the server know what belongs to this session?",
        "How large is the area of the graph below the x-axis?",
        "Consider the following diagram of a food chain: clover, bee, spider, thrush, hawk. Which link is missing?",
        "Which class of problems can be solved in polynomial time?",
        "Explain Figure 2 of Darwin's notebook B and what it shows of his thinking.",
        "Draw a diagram of a hive in ASCII and name its parts.",
        "What lies above the tree line, and what below it?",
        f"{'The hive stands in a meadow near a river and is kept by two sisters who sell its honey. ' * 2}What does the passage above leave out?",
        "| kind | eggs |\n|---|---|\n| queen | 2000 |\n\nWhat does the table above say of queens?",
    ],
)
def test_a_question_that_stands_by_itself_stays(question: str) -> None:
    assert "not_self_contained" not in codes(question)


@pytest.mark.parametrize(
    "text",
    [
        "Compute \\(a + b and then c.",
        "It is \\[ \\frac{1}{2 \\] in all, as was to be shown.",
        "So $$\\frac{1}{2$$ is the share of drones.",
        "So $\\frac{1}{2$ is the share of drones.",
        "So $\\frac{1}{2} is the share of drones.",
        "The number is $x^2 + 1 for a hive of $x$ drones.",
        "There are $2^10 of them, at a price of $5 each.",
        "We have \\(\\left( a + b \\) here, and nothing else.",
        "The matrix \\begin{pmatrix} 1 & 2 \\end{bmatrix} is square.",
        "| kind | eggs | drones |\n|---|---|\n| queen | 2000 |\n\nThat is the table.",
        "This is **bold without end.",
        "A **queen** lays eggs, and **8 kg are missing.",
        "**Note: the hive is closed.\n\nThe **queen** is not in it.",
    ],
)
def test_broken_markup_is_a_reason(text: str) -> None:
    assert codes(answer=f"{ANSWER} {text}" if "|" not in text else f"{ANSWER}\n\n{text}") == ["broken_markup"]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 today and $7 tomorrow, so $2 more.",
        "It costs $5, which is less than US$7; a share of $\\frac{1}{2}$ is paid in 2^3 parts.",
        "The sum is $x^2 + 1\n+ 3x$ in all, over two lines.",
        "There are $2^10$ of them; $5x^2 + 1$ is more, at \\$3 or $10^3$ cents, and $\\{x\\}$ is a set.",
        "The pattern ^\\d+$ fits digits, and $HOME holds the folder.",
        "The interval is [0, 1) and the set is {1, 2}.",
        "We have \\(\\left\\{ x \\mid x > 0 \\right.\\) as the set.",
        "In LaTeX one writes `\\begin{align}` to begin.",
        "```latex\n\\begin{align}\n```\nThat is how it begins.",
        "| kind | eggs |\n|:---|---:|\n| queen | 2000 |\n\nThat is the table.",
        "The arrow \\leftarrow points to the left and \\rightarrow to the right; \\leftarrow again.",
        "Line one \\\\[2pt] line two.",
        "There are 2**3 hives, or a ** b of them, and **many** more.",
        "The files are named by **/*.py and src/**/*.md.",
        "A hive costs 90 euros** without bees.\n\n** Prices of May.",
        "A hive costs 90 euros** without bees.\n**Prices of May.",
        "A hive costs 90 euros** without bees.\n\n**Prices of May.",
        "The effects were 0.3* and 0.5** (*p < .05, **p < .01).",
        "Bees take **kwargs as well, and nothing else.",
        "It is called by f(**options) or with **more, too.",
        "It ends in char **argv for the main hive.",
        "The **bold*** and **more** of it.",
        "The kanji of the hive are 巣**箱**の, as **anyone** sees.",
        "The **un**known and the **`code`** with 2**3 in it.",
        "It is **$x^2$** and **the `code`** of them, a ** b.",
        "A star \\*\\* is not **bold**, f**k.",
        "- **nectar**\n- **pollen**\n* * *\n** a list",
        "**Two lines\nare bold** here, and **`this`**.",
    ],
)
def test_sound_markup_stays(text: str) -> None:
    assert codes(answer=f"{ANSWER}\n\n{text}") == []


@pytest.mark.parametrize(
    "text",
    [
        "Write to marta.keller82@gmail.com for details.",
        "Her card 4532 0151 1283 0366 was charged.",
        "Pay to DE89 3704 0044 0532 0130 00 please.",
        "His social security number is 536-22-8145.",
        "Call me at +49 30 9017 8432 after six.",
        "Call Mr Jones at (415) 867-2309 after six.",
    ],
)
def test_what_looks_like_a_real_persons_data_is_a_reason_and_is_not_repeated(text: str) -> None:
    found = reasons(Example(QUESTION, f"{ANSWER} {text}", "stop"), Curation())
    assert list(found) == ["personal_data"]
    assert not any(digit in found["personal_data"] for digit in "0123456789@")


def test_a_question_on_how_account_numbers_are_checked_may_hold_one() -> None:
    question = "Check by the Luhn algorithm whether 4532 0151 1283 0366 is a valid number."
    assert "personal_data" not in codes(question)


@pytest.mark.parametrize(
    "text",
    [
        "Write to info@example.com or jane.doe@mail.example.org.",
        "The decorator @property and the handle @beekeeper are no addresses.",
        "The speed of light is 299 792 458 m/s, and pi is 3.14159265358979323846.",
        "The ISBN 978-3-16-148410-0 stands on the back; 4111 1111 1111 1111 is a test number.",
        "Call +1 555 555 0123 in the film, or (212) 555-0147.",
        "The remote is git@github.com:bees/hive.git; log in by `ssh kim@hive.com`.",
        "Connect to postgresql://app:secret@db.beekeepers.com:5432/hives and mail support@beekeepers.com.",
        "The pattern 123-45-6789 shows how the number is written.",
        "The answer +12 345 678 901 is larger than the other sum.",
    ],
)
def test_examples_and_plain_numbers_stay(text: str) -> None:
    assert codes(answer=f"{ANSWER} {text}") == []
