"""Answers that go round in circles, and texts that say the same again for a reason."""

import pytest
from curation_world import PROSE, codes


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
