"""Which answers state a result that another can be held against, and what it is."""

import pytest

from glan.checking.results import result_of


@pytest.mark.parametrize(
    ("answer", "value", "unit"),
    [
        ("The force adds up.\n\nSo it is \\boxed{42}.", "42", ""),
        ("First \\boxed{1}, but checked again \\boxed{\\frac{\\sqrt{3}}{2}}.", "\\frac{\\sqrt{3}}{2}", ""),
        ("Multiply.\n\nThe answer is 42.", "42", ""),
        ("Thus $x = \\frac{1}{2}$.", "\\frac{1}{2}", ""),
        ("**Final answer:** 9.81 m/s²", "9.81", "m/s²"),
        ("v = 3.0 \\times 10^8 \\text{ m/s}", "3.0\\times 10^8", "m/s"),
        ("Total = $1,234.50", "1234.50", ""),
        ("The concentration is found.\nThe result is about 1.5e-3 mol/L", "1.5\\times 10^{-3}", "mol/L"),
        ("so the share is p = 12%", "12\\%", ""),
        ("x = \u22123", "-3", ""),
        ("\\[\ny = 2x + 3\n\\]", "2x + 3", ""),
        ("F = ma = 12 N", "12", "N"),
        ("The answer is (1, 2).", "(1, 2)", ""),
        ("Integrating gives F(x) = sin(x) + C", "sin(x) + C", ""),
        ("answer: 12 working days", "12", "working days"),
    ],
)
def test_the_result_is_what_an_answer_ends_with(answer: str, value: str, unit: str) -> None:
    found = result_of(answer)
    assert found is not None
    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize(
    "answer",
    [
        "It works since light bends.",
        "Therefore, the answer is **yes**.",
        "Final answer: 345 gauges are needed, because the slope bounds the rest at 2.3.",
        "The result is 12.3: the concept holds",
        "The answer is \\boxed{\\text{B}}.",
        "The solutions are x = 2 and x = 3",
        "In 1905 he published four papers.\nNobody had asked for 4 of them.",
        "x = 5\n\nThis shows how the method works.",
        "```python\nx = 5\n```",
        "The answer is " + "1" * 500,
        "\\boxed{" * 5000,
        "= " * 20_000,
        "",
    ],
)
def test_prose_several_results_and_wrecks_state_none(answer: str) -> None:
    assert result_of(answer) is None
