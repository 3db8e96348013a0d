"""The rules that an example is judged by, each a pure function of the example and the settings.

To add one: write the function, returning its evidence or None; append it here with a code, version 1 and the
thresholds it reads. Whoever changes what a function returns raises its version: units judged before are judged again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from glan.config import Curation
from glan.curation import contamination
from glan.curation.answers import empty_answer, refusal, restatement
from glan.curation.endings import truncation
from glan.curation.examples import Example, tell_languages
from glan.curation.language import other_language
from glan.curation.lengths import length
from glan.curation.markup import broken_markup
from glan.curation.personal_data import personal_data
from glan.curation.questions import answer_in_question, empty_question, question_heading
from glan.curation.references import not_self_contained
from glan.curation.repetition import repetition
from glan.curation.signatures import SCHEME
from glan.keys import digest

__all__ = ["RULES", "Example", "Rule", "judged", "reasons", "rules_digest"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to be rejected.

    `code` is stored and counted, so it never changes; `check` returns one sentence of evidence, or None for an example
    that it has nothing against; `reads` names the settings that it looks at.
    """

    code: str
    version: int
    check: Callable[[Example, Curation], str | None]
    reads: tuple[str, ...] = ()


RULES: tuple[Rule, ...] = (
    Rule("empty_question", 1, empty_question, ("min_question_words",)),
    Rule("question_heading", 1, question_heading),
    Rule("answer_in_question", 4, answer_in_question),
    Rule("not_self_contained", 4, not_self_contained),
    Rule("empty_answer", 1, empty_answer),
    Rule("refusal", 3, refusal),
    Rule("truncation", 1, truncation),
    Rule("repetition", 1, repetition, ("max_repeated_line_share", "max_top_ngram_share")),
    Rule("restatement", 1, restatement, ("min_restated_share",)),
    Rule("length", 1, length, ("max_question_words", "min_answer_words", "max_answer_words")),
    Rule("other_language", 3, other_language, ("language", "min_language_certainty")),
    Rule("broken_markup", 5, broken_markup),
    Rule("personal_data", 2, personal_data),
)


def reasons(example: Example, settings: Curation) -> dict[str, str]:
    """What speaks against an example by itself: evidence by code, in the order of the rules; empty if nothing does."""
    found = ((rule.code, rule.check(example, settings)) for rule in RULES)
    return {code: evidence for code, evidence in found if evidence is not None}


def judged(examples: Sequence[Example], settings: Curation) -> list[dict[str, str]]:
    """The reasons against each of many examples, found at less cost than one by one."""
    if settings.language is not None:
        tell_languages(examples)
    return [reasons(example, settings) for example in examples]


def rules_digest(settings: Curation) -> str:
    """Digest of all that decides how an example is judged and signed by itself, for the unit_key of its unit.

    Settings that no rule reads, such as the threshold of near-duplicates, are not part of it.
    """
    values = settings.model_dump()
    judged = [[rule.code, rule.version, {name: values[name] for name in rule.reads}] for rule in RULES]
    sought = {"benchmarks": contamination.identity(settings)} if settings.benchmarks else {}
    return digest({"rules": judged, "signature": SCHEME, **sought})
