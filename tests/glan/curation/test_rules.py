"""Rules: what is rejected, and what looks like it and must stay."""

import pytest

from glan.config import Curation
from glan.curation.rules import RULES, Example, reasons, rules_digest

QUESTION = "A hive weighs 28 kg, of which 10 kg are food. How much food is missing if the colony needs 18 kg?"
ANSWER = "The hive holds 10 kg of food and needs 18 kg, so 18 kg - 10 kg = 8 kg are missing."


def codes(question: str = QUESTION, answer: str = ANSWER, finish_reason: str | None = "stop") -> list[str]:
    return list(reasons(Example(question, answer, finish_reason), Curation(language=None)))


def test_a_good_example_has_nothing_against_it() -> None:
    assert codes() == []


@pytest.mark.parametrize("finish_reason", ["stop", "", None, "tool_calls", "eos"])
def test_a_finish_reason_that_says_nothing_of_a_cut_is_no_reason(finish_reason: str | None) -> None:
    assert codes(finish_reason=finish_reason) == []


def test_evidence_is_one_line() -> None:
    found = reasons(Example("Problem:\nName\nit", "As an AI, I\ncannot say\nof the", "length"), Curation())
    assert {"question_heading", "refusal", "truncation"} <= found.keys()
    assert not any("\n" in evidence for evidence in found.values())


# Questions


@pytest.mark.parametrize("question", ["", "  \n", "?", "...", "**", "Why?"])
def test_a_question_of_no_or_one_word_is_empty(question: str) -> None:
    assert "empty_question" in codes(question)


@pytest.mark.parametrize("question", ["Define entropy.", "什么是熵？", "Solve x = 3 + y."])
def test_a_short_question_stays(question: str) -> None:
    assert codes(question) == []


@pytest.mark.parametrize(
    "question",
    [
        "Homework question: Why is the sky blue?",
        "**Homework Question:** Why is the sky blue?",
        "### Question 3\n\nWhy is the sky blue?",
        "Problem statement: Why is the sky blue?",
        "Practice Problem 2: Why is the sky blue?",
        "Exercise\nWhy is the sky blue?",
    ],
)
def test_a_heading_before_the_question_is_a_reason(question: str) -> None:
    assert codes(question) == ["question_heading"]


@pytest.mark.parametrize(
    "question",
    [
        "Question everything: how did Descartes arrive at this maxim?",
        "Problem solving needs heuristics: which ones does Polya name?",
        "Exercise raises the heart rate. How does the body regulate this?",
        "Questions of law are for judges. Why?  Explain with two cases.",
        "Homework is given in many schools: does it help pupils?",
        "Problems arise when two threads write to one variable. Which ones?",
    ],
)
def test_a_question_that_begins_with_such_a_word_stays(question: str) -> None:
    assert codes(question) == []


@pytest.mark.parametrize(
    "question",
    [
        "What is 2 + 2?\n\nAnswer: 4",
        "What is 2 + 2?\n**Answer:** 4",
        "Calculate the mean of 2 and 4.\n\n## Solution:\nThe mean is (2 + 4) / 2 = 3.",
        "Why is the sky blue?\nModel answer: Rayleigh scattering.",
        "What is 2 + 2?\n- Correct answer: 4",
        "What is 2 + 2?\nAnswer key: 4",
        "Find x and evaluate the integral of x.\nSolution: x = 3, and the integral is 4.5.",
    ],
)
def test_an_answer_inside_the_question_is_a_reason(question: str) -> None:
    assert codes(question) == ["answer_in_question"]


@pytest.mark.parametrize(
    "question",
    [
        "Find the mistake in the following.\n\nSolution: x = 3, since 2x = 5.",
        "What is wrong here? A student writes:\nAnswer: all primes are odd.",
        "A titration uses the following.\nSolution: 0.1 M HCl, 50 mL\nCalculate the pH.",
        "Write your answer in this form. What is 2 + 2?\nAnswer: ____",
        "What is 2 + 2?\nAnswer:",
        "Explain your view and evaluate this proof.\nSolution: 1 = 2 by division.",
        "Explain what a solution: a homogeneous mixture, is made of.",
        "Which answer is right?\nAnswer A: the sum is even.\nAnswer B: the sum is odd.",
        "Solution A holds 5 g of salt. What is its concentration in 100 mL?",
    ],
)
def test_a_solution_to_judge_or_a_blank_to_fill_stays(question: str) -> None:
    assert codes(question) == []


# Empty, refused, restated


@pytest.mark.parametrize("answer", ["", " \n ", "...", "—", "N/A", "[Insert answer here]", "```\n```", "**", "TODO."])
def test_an_answer_that_says_nothing_is_empty(answer: str) -> None:
    assert "empty_answer" in codes(answer=answer)


@pytest.mark.parametrize(
    "answer",
    ["8", "8 kg", "-8", "Yes.", "B", "None", "π", "∅", "[]", "{}", "x", "42.", "√2", "八公斤", "`7`", "$8$", "(c)"],
)
def test_a_short_answer_stays(answer: str) -> None:
    assert codes(answer=answer) == []


@pytest.mark.parametrize(
    "answer",
    [
        "As an AI language model, I don't have access to hives. " + ANSWER,
        "As an AI, I cannot weigh hives.",
        "I'm sorry, but as an AI assistant, I am unable to weigh a hive.",
        "As an artificial intelligence, I do not have opinions, but here are some. " + ANSWER * 10,
        "I'm sorry, but I can't assist with that request.",
        "I\u2019m sorry, I can\u2019t help with that.",
        "I cannot help with questions about bees.",
        "I can't help you with that. However, here are some resources. " + ANSWER * 10,
        "Unfortunately, I cannot provide an answer to this question.",
        "I am unable to answer this question.",
    ],
)
def test_a_refusal_at_the_opening_is_a_reason(answer: str) -> None:
    assert codes(answer=answer) == ["refusal"]


@pytest.mark.parametrize(
    "answer",
    [
        "As an AI researcher, you would first look at the data.",
        "As an AI system, Deep Blue searched many positions a second.",
        "As an AI, the chatbot ELIZA had no understanding of its own.",
        "I cannot help but notice the irony in the second stanza.",
        "An assistant that says \u201cI'm sorry, I can't help with that\u201d has refused.",
        "\u201cI cannot help with that,\u201d said the clerk, and closed the window.",
        "The right reply is: I'm sorry, but I can't assist with that request.",
        "Dear Ms Lee,\n\nI'm sorry, but I can't help with the move on Friday.\n\nBest regards,\nTom",
        "I cannot provide one number, because the mass is not given. " + ANSWER * 5,
        "Sorry is the English word for regret; it comes from Old English sarig.",
        "Unfortunately, the colony will starve unless it is fed. " + ANSWER,
    ],
)
def test_an_answer_that_talks_about_refusals_stays(answer: str) -> None:
    assert codes(answer=answer) == []


@pytest.mark.parametrize(
    "answer",
    [
        QUESTION,
        QUESTION.upper(),
        f"The question is: {QUESTION}",
        QUESTION.replace("?", "."),
    ],
)
def test_an_answer_that_is_the_question_again_is_a_reason(answer: str) -> None:
    assert codes(answer=answer) == ["restatement"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (QUESTION, f"{QUESTION}\n\n{ANSWER}"),
        (
            "Which is right?\nA) The sum of two odd numbers is even.\nB) The sum is odd.",
            "The sum of two odd numbers is even.",
        ),
        (
            "Correct the spelling: The bees collects the nectar from the flowers and they bring it back to the hive, where "
            "it is turned into honey by many workers over the course of several days in summer.",
            "The bees collect the nectar from the flowers and they bring it back to the hive, where "
            "it is turned into honey by many workers over the course of several days in summer.",
        ),
        (
            "Copy this line exactly: the quick brown fox jumps over the lazy dog",
            "the quick brown fox jumps over the lazy dog",
        ),
        ("Is the set of even numbers closed under addition?", "The set of even numbers is closed under addition."),
        ("Compute 5 + 3.", "5 + 3 = 8"),
    ],
)
def test_an_answer_that_quotes_or_corrects_the_question_stays(question: str, answer: str) -> None:
    assert codes(question, answer) == []


# Truncation


@pytest.mark.parametrize("finish_reason", ["length", "content_filter"])
def test_an_answer_whose_finish_reason_says_so_is_cut(finish_reason: str) -> None:
    assert codes(finish_reason=finish_reason) == ["truncation"]


@pytest.mark.parametrize(
    "ending",
    [
        "The colony then moves the",
        "It needs this because",
        "The workers bring nectar, pollen and",
        "This is a question of food, which",
        "It depends on the weather, the flowers,",
        "It is calculated by the following formula:",
        "- Winter bees live longer, because of the",
        "The hive cools down. Now the winter cluster begins to move towards",
        "**Step 2**: the bees warm the brood with their",
        "```python\nprint(18 - 10)",
        "1. Run this:\n   ```python\n   print(18 - 10)",
        "~~~\nfood = 18",
        "$$\nx = 18 - 10",
        "\\[\nx = 18 - 10",
        "\\begin{align}\nx &= 18 - 10 \\\\",
        "蜂群需要食物，",
    ],
)
def test_an_answer_that_stops_in_the_middle_is_cut(ending: str) -> None:
    assert codes(answer=f"{ANSWER}\n\n{ending}") == ["truncation"]


@pytest.mark.parametrize(
    "ending",
    [
        "Final answer: 8 kg",
        "**8 kg**",
        "So the missing food is 8 kg",
        "The rest follows at once. Therefore the colony needs eight kilograms more food",
        "The missing food is 18 - 10. It is known. Final answer: eight kilograms of food are missing here",
        "8",
        "x = 8",
        "$x = 8$",
        "$$\nx = 8\n$$",
        "\\[ x = 8 \\]",
        "\\begin{align}\nx &= 8\n\\end{align}",
        "$$a$$ and then\n$$\nb\n$$",
        "```python\nprint(18 - 10)\n```",
        "````markdown\n```python\nprint(8)\n```\n````",
        "1. Run this:\n   ```python\n   print(8)\n   ```",
        "~~~\nprint(8)\n~~~",
        "Use `echo $$` to see the process and `\\[` to escape a bracket",
        "- nectar\n- pollen\n- water",
        "1. Weigh the hive\n2. Feed the bees\n3. Close the hive",
        "| month | food |\n|---|---|\n| May | 8 |",
        "| month | food\n| --- | ---\n| May | the rest of",
        "> Nothing will come of nothing",
        "Best regards,",
        "Sincerely yours,\nTom",
        "And never lifted up a single stone;\nThe woods decay, the woods decay and fall",
        "Because I could not stop for Death \u2013\nHe kindly stopped for me \u2013",
        "所以还缺八公斤食物。",
        "所以还缺八公斤食物",
        "इसलिए आठ किलोग्राम भोजन कम है।",
        "لذلك ينقص ثمانية كيلوغرامات؟",
        "See \u201cThe Life of Bees\u201d (Maeterlinck, 1901)",
        "The correct order is C, B and A",
        "Is that not enough?",
        "Q.E.D. \u25a1",
        "The word needed is **the**",
        "Good luck with the bees! \U0001f41d",
    ],
)
def test_an_answer_that_ends_without_a_full_stop_stays(ending: str) -> None:
    assert codes(answer=f"{ANSWER}\n\n{ending}") == []


def test_a_bare_result_may_end_in_any_word() -> None:
    assert codes(answer="The article is: the") == []


# Repetition

PROSE = [
    "Bees store honey in the comb above the brood nest.",
    "In autumn the beekeeper weighs every hive once a week.",
    "A colony in a cold valley needs more food than one near the sea.",
    "Syrup is fed in the evening so that robbers do not come.",
    "The entrance is made small before the first frost arrives.",
]


@pytest.mark.parametrize(
    "answer",
    [
        " ".join(PROSE[:1] * 12),
        "\n".join(PROSE[:1] * 12),
        "\n".join(f"{number}. {PROSE[0]}" for number in range(1, 13)),
        " ".join([*PROSE, *PROSE[:2] * 6]),
        " ".join(PROSE * 4),
        " ".join(PROSE * 2),
        "\n\n".join(["\n".join(PROSE)] * 2),
        " ".join([*PROSE, *PROSE[3:4] * 6]),
        "The bees go " + "to the hive of the bees that go " * 12 + ".",
        "A good answer begins here and explains the matter at some length. Then it is "
        + "the cost of the product of " * 9,
        "蜜蜂把花蜜带回蜂箱。" * 12,
    ],
)
def test_an_answer_that_goes_round_in_circles_is_a_reason(answer: str) -> None:
    assert "repetition" in codes(answer=answer)


STANZAS = [
    [f"In the {place} of the {thing} I walk alone tonight," for thing in ("river", "mountain")]
    for place in ("valley", "shadow", "morning", "silence", "garden", "memory")
]
REFRAINS = ("The hive is silent when the winter comes,", "And all the summer sleeps inside its comb.")
VILLANELLE = "\n".join(
    [REFRAINS[0], STANZAS[0][0], REFRAINS[1], "", *STANZAS[1], REFRAINS[0], "", *STANZAS[2], REFRAINS[1], "",
     *STANZAS[3], REFRAINS[0], "", *STANZAS[4], REFRAINS[1], "", *STANZAS[5], *REFRAINS]
)  # fmt: skip
PANTOUM_LINES = [
    f"{opening} bees return to their old hive"
    for opening in (
        "The golden",
        "At dusk the",
        "Before rain",
        "In spring tired",
        "So many",
        "How few",
        "Again the",
        "Still some",
    )
]
PANTOUM = "\n".join(
    PANTOUM_LINES[place % 8] for start in range(0, 8, 2) for place in (start, start + 1, start + 2, start + 3)
)
SONG = "\n\n".join(
    "\n".join([*(f"Verse {number} line {line} tells of the bees" for line in range(4)),
               "Come home, come home, the evening falls", "The lamps are lit along the walls",
               "Come home, come home, the day is done", "And sleep until the morning sun"])
    for number in range(4)
)  # fmt: skip
DICE = "\n".join(f"- The probability of getting a sum of {total} is {6 - abs(7 - total)}/36." for total in range(2, 13))
BUBBLE = "\n".join(
    f"Compare {left} and {left + 2}. {'No swap is needed here.' if left % 2 else f'Swap them, since {left + 2} belongs first.'}"
    for left in range(14)
)
TABLE = "| hive | state | food |\n|---|---|---|\n" + "\n".join(
    "| small hive | in good state | enough food |" for _ in range(20)
)
CODE = "Use this:\n\n```python\n" + "for bee in hive: print(bee, 'flies home')\n" * 20 + "```\n\nIt prints every bee."
UNFENCED = "".join(
    f"void f{n}(int n) {{\n  for (int i = 0; i < n; i++) {{\n    total += hive[i] * {n};\n  }}\n}}\n" for n in range(8)
)
MATRIX = "The identity matrix has ones on its diagonal:\n\n" + "\n".join(
    " ".join("1" if row == column else "0" for column in range(8)) for row in range(8)
)
POLYNOMIAL = "We expand: $" + " + ".join("x^2 y^2" for _ in range(20)) + "$, which is the sum of twenty equal terms."
SPEECH = " ".join(
    f"I have a dream that one day the {word} will be open to all people."
    for word in ("door", "school", "court", "market", "library", "harbour")
)
PROOF = " ".join(
    f"By the induction hypothesis, the claim holds for {n}. Hence it holds for {n + 1}." for n in range(10)
)
CHINESE = "蜜蜂采集花蜜。工蜂照顾幼虫。蜂王产卵。雄蜂与蜂王交配。秋天养蜂人喂糖浆。冬天蜂群抱成一团取暖。春天蜂群重新壮大。夏天蜂蜜成熟。"
SUMMARY = " ".join([*PROSE, "In short, this is what counts.", *PROSE[:1]])


@pytest.mark.parametrize(
    "answer",
    [
        VILLANELLE,
        PANTOUM,
        SONG,
        DICE,
        BUBBLE,
        TABLE,
        CODE,
        UNFENCED,
        MATRIX,
        POLYNOMIAL,
        SPEECH,
        PROOF,
        CHINESE,
        SUMMARY,
    ],
    ids=lambda answer: answer[:24],
)
def test_refrains_tables_code_and_lists_that_begin_alike_stay(answer: str) -> None:
    assert codes(answer=answer) == []


def test_a_hostile_text_is_judged_in_time_that_follows_its_length() -> None:
    for unit in [
        "\n",
        " ",
        "_",
        "...",
        "`",
        "```\n",
        "$",
        "$$",
        "\\[",
        "\\(",
        "\\begin{a}\n",
        "*x",
        "(",
        "> ",
        "Again and again. ",
    ]:
        for text in (unit * (60_000 // len(unit)), "What?\nAnswer:" + unit * (60_000 // len(unit)) + "x"):
            codes(answer=text)
            codes(question=text)


# The registry


def test_codes_are_unique_and_every_setting_that_is_read_exists() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert {name for rule in RULES for name in rule.reads} <= set(Curation.model_fields)


@pytest.mark.parametrize("name", sorted({name for rule in RULES for name in rule.reads}))
def test_another_threshold_is_another_digest(name: str) -> None:
    value = {"language": "de"}.get(name, 3 if name.endswith("_words") else 0.5)
    assert rules_digest(Curation(**{name: value})) != rules_digest(Curation())


def test_a_setting_that_no_rule_reads_changes_no_digest() -> None:
    assert rules_digest(Curation(near_duplicate_jaccard=0.7)) == rules_digest(Curation())


def test_thresholds_are_obeyed() -> None:
    example = Example("Define entropy.", " ".join([*PROSE, *PROSE[:1] * 3]), None)
    assert not reasons(example, Curation())
    assert "empty_question" in reasons(example, Curation(min_question_words=3))
    assert "repetition" in reasons(example, Curation(max_repeated_line_share=0.1))
