"""Rules: what is rejected, and what looks like it and must stay."""

import pytest
from curation_world import ANSWER, PROSE, QUESTION, codes

from glan.config import Curation
from glan.curation.rules import RULES, Example, reasons, rules_digest


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
        "What is 2 + 2?\n\n### Answer\n\n4",
        "What is 2 + 2? (Answer: 4)",
        "Find x if 2x = 4. **Answer: x = 2**",
        "Compute the area of a circle of radius 2. **Solution: 4 pi.**",
        "Compute the area of a circle of radius 2. Answer: 4 pi",
        "What is 2 + 2? The correct answer is 4.",
        "Compute 2 + 2. The answer is 4.",
        "Which one is prime? A) 4 B) 6 C) 7 D) 9 The mean is no matter. The correct answer is C.",
        "What is 2 + 2? A: 4",
        "Q: What is 2 + 2?\n**A:** 4",
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
        "Which is the largest? A: 4, B: 5, C: 6, D: 7",
        "Which is the largest?\nA: 4\nB: 5\nC: 6\nD: 7",
        "A sum gives 2 + 2. Is the answer 4?",
        "Find the least such sum. The answer is an integer.",
        "Find the sum of all such x. The answer is 3 digits long.",
        "Find the sum of all such x. The answer is in the form m/n.",
        "Explain step by step how to find the sum of 2 and 2. The correct answer is 4.",
        "What went wrong? Tom found 5 for 2 + 2. The correct answer is 4.",
        "Why is the sky blue? Answer: in two sentences.",
        "Is 7 prime? Answer: yes or no.",
        "A titration is to be described. Solution: 0.1 M HCl, 50 mL. Calculate the pH.",
        "Calculate the molarity of the following. Solution: 5 g of NaCl in 100 mL of water.",
        "What is the pH? Solution: 0.1 M HCl",
        "Find the missing word. Answer: The ___ is heavy.",
        "Q: What is 2 + 2? A: 4 Q: What is 3 + 3? A:",
        "B: Where are they going? A: To the hives. Name the tense of both lines.",
        "What does the ratio say of both mixtures? A: 1 to 4 and B = 2 to 3",
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
        "**I'm sorry, but I can't help with that.**",
        "As a large language model, I cannot weigh a hive.",
        "I'm sorry, but as an AI I'm not able to weigh a hive.",
        "I am an AI language model and cannot provide that information.",
        "I must respectfully decline to answer this question.",
        "My apologies, but I cannot fulfill this request.",
        "I won't be able to assist you with this.",
        "I don't feel comfortable answering this question.",
    ],
)
def test_a_refusal_at_the_opening_is_a_reason(answer: str) -> None:
    assert codes(answer=answer) == ["refusal"]


@pytest.mark.parametrize(
    "answer",
    [
        "The capital is Paris. As an AI language model, I cannot verify what has changed since.",
        "Great question! As an AI language model, I don\u2019t have personal opinions.",
        "As a language model AI, I do not keep bees.",
        "A hive is heavy, but as a responsible AI language model I cannot say how heavy.",
        f"{ANSWER}\n\n**Note:** As an AI, I can't weigh a hive.",
        f"{ANSWER} I'm just an AI and cannot weigh it.",
        f"{ANSWER} My training data only goes up to 2021, so look it up.",
        f"{ANSWER} My knowledge cutoff lies before that year.",
        'He said "yes". As a helpful and honest AI assistant, I do not know why.',
    ],
)
def test_an_answer_that_speaks_as_a_language_model_is_a_reason_wherever_it_does(answer: str) -> None:
    assert codes(answer=answer) == ["refusal"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (QUESTION, "She began: \u201cAs an AI engineer, I cannot rest,\u201d and sat down."),
        (QUESTION, "Among those who sell hives. As an AI engineer, I do not trust every balance."),
        (QUESTION, 'A chatbot may say "As an AI language model, I cannot weigh hives" and stop.'),
        (QUESTION, "A chatbot may say \u201cAs an AI language model, I can\u2019t weigh hives\u201d and stop."),
        (QUESTION, "A chatbot may say 'As an AI language model, I can't weigh hives' and stop."),
        (QUESTION, "Log it:\n```python\nprint('As an AI language model, I cannot weigh hives')\n```"),
        (QUESTION, "Two lines follow.\n> As an AI language model, I cannot weigh hives.\n\nThat is all."),
        (QUESTION, "Two lines follow.\n\n**Keeper:** How heavy is it?\n\n**Bot:** As an AI, I cannot weigh hives."),
        (
            QUESTION,
            "Well put. As an AI language model does not know its makers, it may be wrong, and I cannot blame it.",
        ),
        (QUESTION, "Known of old: as an AI system, Deep Blue searched. I do not know how deep."),
        (QUESTION, "The data that language models are trained on only goes up to some year; theirs ends in 2021."),
        ("Write a speech of a robot to its hives.", "My bees! As an AI, I do not sleep. Yet I watch you."),
        ("How do I split a time series for a forecast?", "In my case, my training data only goes up to 2021."),
    ],
)
def test_who_quotes_plays_or_explains_a_language_model_stays(question: str, answer: str) -> None:
    assert "refusal" not in codes(question, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot answer for the others, but I left the hives before dawn.",
        "I am an AI researcher, and I cannot do without good data.",
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
