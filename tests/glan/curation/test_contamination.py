"""Planted benchmark items are found whatever was done to them; what only looks like one stays."""

import pytest

from glan.config import Curation
from glan.curation.benchmarks import Item
from glan.curation.contamination import Contamination, Match
from glan.curation.examples import Example

BAKERY = (
    "Weng earns $12 an hour for babysitting. Yesterday, she just did 50 minutes of babysitting. Later she walked two "
    "dogs for her neighbour for 35 minutes and was paid 9 dollars for it. How much did she earn yesterday in all?"
)
SOLUTION = (
    "Weng earns 12/60 = $0.2 per minute. Working 50 minutes, she earned 0.2 x 50 = $10. With the dogs that makes "
    "10 + 9 = $19 that she took home on that day, which is the answer."
)
TRAIN = "A train with 240 people stops 12 times; 6 get off and 30 get on each time. How many are left?"
ATOMS = "Which particle of an atom carries a positive charge and sits inside its nucleus?"
SHORT = "What is mitosis?"
CAPITAL = "What is the capital of Australia?"
MARKED = (
    "Half of the hives are 100 / 2 = <<100/2=50>>50. With 30 kg in each they hold 50 * 30 = <<50*30=1500>>1500 kg, and "
    "a third of it is 1500 / 3 = <<1500/3=500>>500 kg.\n#### 500"
)
UNMARKED = (
    "Half of the hives are 100 / 2 = 50. With 30 kg in each they hold 50 * 30 = 1500 kg, and a third of it is 1500 / 3 "
    "= 500 kg."
)
GAS = "Which gas makes up most of the air?"
CORRECT = "Which one of the following statements is correct?"
CHOICES = "Which of the following is true?"
BENCHMARKS = [
    Item("sums", "test/7", BAKERY, answer=SOLUTION),
    Item("sums", "test/8", TRAIN),
    Item("exam", "12", ATOMS, choices="A proton\nAn electron\nA neutron\nA photon"),
    Item("exam", "13", SHORT),
    Item("exam", "15", CAPITAL, choices="Sydney\nCanberra\nMelbourne\nPerth"),
    Item("exam", "16", "Which statement is true?", choices="I only\nII only\nBoth I and II\nNeither I nor II"),
    Item("exam", "14", CHOICES, choices="Water boils at 90 degrees at sea level\nIce floats because it is less dense"),
    Item("exam", "17", GAS, choices="Oxygen\nNitrogen\nArgon\nHelium"),
    Item("exam", "18", "Which is prime?", choices="4\n6\n7"),
    Item("exam", "19", CORRECT, choices="Bees have four wings\nBees have two wings\nBees have no wings at all"),
    Item("sums", "test/9", "How much honey is a third of what half of the hives in the valley hold?", answer=MARKED),
    Item("functions", "Task/11", "Write a function to find the sum of an array.", signature="find_sum(arr,n)"),
    Item("functions", "Task/12", "Locate the left insertion point for a value.", signature="binary_search(arr,x)"),
    Item(
        "functions",
        "Task/3",
        "Check if in given list of numbers, are any two numbers closer to each other than given threshold.",
        signature="has_close_elements(numbers,threshold)",
    ),
    Item(
        "functions", "Task/9", "Return true if a given number is prime, and false otherwise.", signature="is_prime(n)"
    ),
]
INDEX = Contamination(BENCHMARKS, Curation())
FILLER = "Here is a task for our seminar on everyday arithmetic, taken from the notes of the third week. "
CLEAN_ANSWER = "Add the two amounts and compare the sum with what was asked; the units have to agree."


def found(question: str, answer: str = CLEAN_ANSWER) -> Match | None:
    return INDEX.match(Example(question, answer))


@pytest.mark.parametrize(
    ("question", "match"),
    [
        (BAKERY, "verbatim"),
        (BAKERY.upper().replace(",", " ,").replace(". ", ".\n\n"), "verbatim"),
        (f"{FILLER}{BAKERY} {FILLER}", "verbatim"),
        (BAKERY[: len(BAKERY) * 2 // 3], "verbatim"),
        (" ".join(BAKERY.split()[:16]), "verbatim"),
        (
            "Weng earns $12 an hour for tutoring. Yesterday, she only did 50 minutes of tutoring. Later she walked two "
            "cats for her neighbour for 35 minutes and was paid 9 dollars for it. How much did she earn yesterday in all?",
            "reworded",
        ),
        (TRAIN.replace("240", "1,030").replace("12", "17.5").replace("6", "9").replace("30", "41"), "template"),
        (f"{FILLER}{TRAIN.replace('240', '300').replace('12', '8').replace('6', '4').replace('30', '25')}", "template"),
        (ATOMS.replace("carries", "bears"), "reworded"),
        (SHORT.lower(), "exact"),
        (f"{CHOICES} {BENCHMARKS[6].choices}", "verbatim"),
        (f"{CAPITAL}\nA) Sydney\nB) Canberra\nC) Melbourne\nD) Perth", "verbatim"),
        (f"{CAPITAL} A) Sydney B) Canberra C) Melbourne D) Perth", "verbatim"),
        (f"{CAPITAL} Sydney, Canberra, Melbourne, Perth", "verbatim"),
        (f"{GAS} A) Oxygen B) Nitrogen C) Argon D) Helium", "verbatim"),
        (f"{GAS}\n(a) Oxygen\n(b) Nitrogen\n(c) Argon\n(d) Helium", "verbatim"),
        (f"{GAS} (a) Oxygen, (b) Nitrogen, (c) Argon, (d) Helium", "verbatim"),
        (f"{GAS} **A.** Oxygen **B.** Nitrogen **C.** Argon **D.** Helium", "verbatim"),
        ("Which is prime? A) 4 B) 6 C) 7", "exact"),
        ("Which is prime?\n4\n6\n7", "exact"),
        (f"{CORRECT}\na) Bees have four wings\nb) Bees have two wings\nc) Bees have no wings at all", "verbatim"),
    ],
)
def test_a_planted_item_is_found_in_a_question(question: str, match: str) -> None:
    seen = found(question)

    assert seen is not None and seen.part == "question"
    assert seen.benchmark in ("sums", "exam") and 0 < seen.overlap <= 1 and seen.ngrams
    assert seen.match == match


@pytest.mark.parametrize("answer", [f"{FILLER}{BAKERY}", SOLUTION, f"Let us see. {SOLUTION}"])
def test_a_planted_item_or_its_solution_is_found_in_an_answer(answer: str) -> None:
    seen = found("How are wages worked out from hours?", answer)

    assert seen is not None and (seen.part, seen.item) == ("answer", "test/7")


@pytest.mark.parametrize("answer", [MARKED, UNMARKED, f"{UNMARKED}\n#### 500"])
def test_a_solution_is_found_with_and_without_the_marks_of_a_calculator(answer: str) -> None:
    seen = found("How is it worked out?", answer)

    assert seen is not None and (seen.item, seen.overlap) == ("test/9", 1.0)


@pytest.mark.parametrize(
    "answer",
    [
        "```python\ndef has_close_elements(numbers: list[float], threshold: float = 0.5) -> bool:\n    return False\n```",
        "def has_close_elements( numbers ,threshold ):\n    ...",
        "```python\ndef is_prime(n: int) -> bool:\n    '''Return true if a given number is prime, and false else.'''\n```",
    ],
)
def test_a_function_of_a_benchmark_is_found_however_it_is_written(answer: str) -> None:
    seen = found("Write a Python function for this.", answer)

    assert seen is not None and seen.benchmark == "functions"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "Lena earns money by babysitting and by walking dogs. If she earns 11 euros an hour with children and 6 "
            "with dogs, after how many hours of each has she earned 100 euros?",
            "Let x be the hours with children and y those with dogs: 11x + 6y = 100.",
        ),
        ("Which particle of an atom is the lightest, and how was its charge first measured?", CLEAN_ANSWER),
        ("What is mitosis, and how does it differ from meiosis?", CLEAN_ANSWER),
        ("What is meiosis?", CLEAN_ANSWER),
        ("Which of the following is true of prices in a monopoly: they are high, or they are low?", CLEAN_ANSWER),
        (
            "How fast can one check that a number is prime?",
            "def is_prime(n):\n    return all(n % d for d in range(2, n))",
        ),
        ("How is a list added up?", "def find_sum(arr, n):\n    return sum(arr[:n])"),
        ("How is a sorted list searched?", "def binary_search(arr, x):\n    return bisect(arr, x)"),
        ("What is 15% of 80 plus 3?", "It is 15."),
        (CAPITAL, "Canberra."),
        (GAS, "Nitrogen."),
        (CORRECT, "The first."),
        (f"{CORRECT} A) Ants are insects. B) Ants are worms. C) Ants are birds. D) Ants are fungi.", "A"),
        (f"{CORRECT}\na) Bees have four legs\nb) Ants have two wings\nc) Wasps have no stings at all", "b"),
        ("Which is prime? A) 4 B) 6 C) 11", "C"),
        ("Print `x << 2 == 4 >> y`.", "cout << a << 1; x >> y;"),
        ("What is the capital of Austria?\nA) Graz\nB) Vienna\nC) Linz\nD) Salzburg", "B"),
        (
            "Bees sting (I) and fly (II). Which is right?\nA) I only\nB) II only\nC) Both I and II\nD) Neither I nor II",
            "C",
        ),
        ("", ""),
    ],
)
def test_a_look_alike_stays(question: str, answer: str) -> None:
    assert found(question, answer) is None


def test_the_thresholds_are_settings() -> None:
    strict = Contamination(BENCHMARKS, Curation(max_benchmark_overlap=1, max_benchmark_coverage=1))

    assert strict.match(Example(BAKERY[: len(BAKERY) * 2 // 3] + " " + FILLER, CLEAN_ANSWER)) is None
    assert strict.match(Example(BAKERY, CLEAN_ANSWER)) is not None


def test_without_benchmarks_everything_is_clean() -> None:
    assert Contamination((), Curation()).match(Example(BAKERY, SOLUTION)) is None
