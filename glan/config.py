"""What to make: `RunConfig`, from a TOML file or a flow's parameter, with the paper's values as defaults.

Where to run (endpoints, store, limits) is `settings.Settings`; no secret belongs here.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from glan.benchmark import Benchmark
from glan.checks import BUDGET_ID, Language, ModelName, Strict, explain, toml
from glan.errors import InputError
from glan.judging import Checking, Judging
from glan.languages import ENGLISH
from glan.models import ROLES, ModelProfile, Models, Role
from glan.names import shown
from glan.question_mix import Difficulties, QuestionTypes

_SHORT = 60


class Curation(Strict):
    """Which questions and answers are kept. Every threshold is a setting; rejected rows stay, with reasons."""

    near_duplicate_jaccard: float = Field(
        default=0.8,
        ge=0.5,
        le=1,
        description="word 3-gram Jaccard from which two questions are near-duplicates (common practice: 0.7 to 0.8)",
    )
    embedding_model: ModelName = Field(
        default="",
        description="model of static embeddings that also finds questions which ask the same in other words, within a "
        "discipline: a folder, or a name on the Hugging Face Hub; empty: words alone",
    )
    near_duplicate_cosine: float = Field(
        default=0.9,
        ge=0.5,
        le=0.99,
        description="cosine of embeddings from which two questions ask the same (SemHash's default for such models)",
    )
    embedding_digest: str = Field(
        default="", description="digest of the embedding model's files; filled in by glan, not by you"
    )
    max_repeated_line_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="largest share of an answer's words in lines or sentences said twice before, or in passages said "
        "again at once (Gopher's 0.30 for repeated lines, Rae et al. 2021, table A1, with room for refrains)",
    )
    max_top_ngram_share: float = Field(
        default=0.16,
        ge=0,
        le=1,
        description="largest share of an answer's words in one 4-gram that a sentence repeats (Gopher's 0.16 for "
        "4-grams, Rae et al. 2021, table A1, there of characters)",
    )
    min_question_words: int = Field(
        default=2, ge=1, description="fewest words of a question (own choice: `Define entropy.` is one)"
    )
    min_restated_share: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="share of word 3-grams, of the answer and of each sentence of the question, from which an answer "
        "restates its question (own choice: as for near-duplicates)",
    )
    max_question_words: int = Field(default=1_000, ge=1, description="most words of a question (own choice)")
    min_answer_words: int = Field(default=1, ge=0, description="fewest words of an answer (own choice: `42` is one)")
    max_answer_words: int = Field(default=4_000, ge=1, description="most words of an answer (own choice)")
    min_essay_words: int = Field(
        default=200, ge=0, description="fewest words of an answer to a question of the type `essay` (own choice)"
    )
    language: Language | None = Field(
        default=ENGLISH,
        description="ISO 639 code: what rows from English syllabi have to be in; rows of another of the run's "
        "`languages` have to be in that one; null: any",
    )
    min_language_certainty: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="probability from which a text counts as of another language (own choice: quotations stay)",
    )
    benchmarks: list[Benchmark] = Field(
        default_factory=list, max_length=100, description="what the data must not hold; rows that do are rejected"
    )
    max_benchmark_overlap: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="share of a benchmark item's word 8-grams from which a text holds the item (cosmopedia rejects "
        "from half of an item; the lengths in use are 8 to 13 words)",
    )
    max_benchmark_coverage: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="share of a benchmark item's words, in runs of four and more, from which a text is the item with a "
        "few words changed (Llama 2 calls a text of 80 % dirty, Touvron et al. 2023, A.6)",
    )
    min_question_quality: int | None = Field(
        default=3,
        ge=1,
        le=5,
        description="least score that a judge gives a question which is kept; null: any (own choice: `has a flaw, but can "
        "be answered as meant`)",
    )
    min_correctness: int | None = Field(
        default=4,
        ge=1,
        le=5,
        description="least score that a judge gives an answer which is kept; null: any (own choice: `right in the result`; "
        "AlpaGasus keeps 4.5 and more of 5, Chen et al. 2023)",
    )
    reject_failed_checks: bool = Field(
        default=False,
        description="reject what a check speaks against (`answers_disagree`, `code_fails`); false: flag it only",
    )

    @model_validator(mode="after")
    def _check_lengths(self) -> "Curation":
        for what in ("question", "answer"):
            fewest, most = (getattr(self, f"{bound}_{what}_words") for bound in ("min", "max"))
            if fewest > most:
                raise ValueError(f"min_{what}_words ({fewest}) is larger than max_{what}_words ({most})")
        return self


class Budget(Strict):
    """The most that may be spent, in money, tokens or calls: whatever is reached first ends the run cleanly."""

    usd: float | None = Field(default=None, gt=0, description="US dollars; needs a price for every model; null: no cap")
    tokens: int | None = Field(default=None, ge=1, description="tokens sent and received together; null: no cap")
    calls: int | None = Field(default=None, ge=1, description="calls, repairs included; null: no cap")
    id: str = Field(
        default="",
        pattern=BUDGET_ID,
        max_length=100,
        description="all that is ever spent under one id counts together; empty: a run, and those that go on from it",
    )

    @property
    def limited(self) -> bool:
        """Whether anything is capped."""
        return self.usd is not None or self.tokens is not None or self.calls is not None


class Selection(Strict):
    """Disciplines by name or by their place in the tree: all that any of the four names."""

    disciplines: list[str] = Field(
        default_factory=list,
        description="ids or names; with no discipline, field, sub-field or pattern: every discipline of the taxonomy",
    )
    fields: list[str] = Field(default_factory=list, description="all disciplines of these fields")
    sub_fields: list[str] = Field(default_factory=list, description="all disciplines of these sub-fields")
    patterns: list[str] = Field(
        default_factory=list, description="all disciplines whose id or name fits, as in a shell: *industry, bio*"
    )

    def selectors(self) -> dict[str, list[str]]:
        """The four, as `Taxonomy.select` takes them."""
        return {name: getattr(self, name) for name in Selection.model_fields}

    @property
    def selected(self) -> str:
        """What is selected, in few words: for the names of runs."""
        names = [name for selector in Selection.model_fields for name in getattr(self, selector)]
        listed = shown(", ".join(names), _SHORT)
        if not names:
            return "all disciplines"
        return listed if len(names) < 2 or len(listed) <= _SHORT else f"{shown(names[0])} and {len(names) - 1} more"


class RunConfig(Selection):
    """What a run makes. Subjects, questions and languages are limits: more adds work, less removes nothing."""

    subjects: int | None = Field(default=None, ge=1, description="the first n subjects of each discipline; null: all")
    questions: int = Field(default=20, ge=0, le=100_000, description="sample indices per subject: questions 0..n-1")
    languages: list[Language] = Field(
        default=[ENGLISH],
        min_length=1,
        description="ISO 639 codes: each subject gets a syllabus, and what follows from it, in each of them",
    )
    lists: int = Field(default=10, ge=1, le=100, description="independent subject lists per discipline (paper: 10)")
    subjects_per_list: int = Field(
        default=60,
        ge=1,
        le=200,
        description="most subjects of one list; only an endpoint that enforces schemas is held to it",
    )
    two_step: bool = Field(
        default=True, description="free text first, then structure (paper); false: one structured call"
    )
    min_sessions: int = Field(default=10, ge=1, le=100, description="fewest class sessions of a syllabus (paper: 10)")
    max_sessions: int = Field(default=30, ge=1, le=100, description="most class sessions of a syllabus (paper: 30)")
    concepts_per_session: int = Field(
        default=5, ge=1, le=20, description="key concepts asked for per session (paper: about 5)"
    )
    cross_session_share: float = Field(default=0.5, ge=0, le=1, description="share of questions that span two sessions")
    cross_subject_questions: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="further questions per subject that span it and an earlier subject of its discipline",
    )
    syllabus_in_question_prompt: bool = Field(
        default=True, description="show the whole syllabus to the question writer (paper)"
    )
    questions_per_call: int = Field(
        default=1, ge=1, le=20, description="questions asked for in one call, each of its own concepts"
    )
    follow_ups: int = Field(
        default=0, ge=0, le=5, description="further turns of each conversation: what the student asks next, answered"
    )
    difficulties: Difficulties = Difficulties()
    question_types: QuestionTypes = QuestionTypes()
    models: Models = Models()
    judging: Judging = Judging()
    checking: Checking = Checking()
    curation: Curation = Curation()
    budget: Budget = Budget()
    on_busy: Literal["wait", "skip", "share"] = Field(
        default="wait",
        description="when another run works on a discipline: wait for it, skip the discipline, or work beside it",
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="root of all sampling")

    @field_validator("languages")
    @classmethod
    def _name_each_once(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value))

    @model_validator(mode="after")
    def _check_sessions(self) -> "RunConfig":
        if self.min_sessions > self.max_sessions:
            raise ValueError(f"min_sessions ({self.min_sessions}) is larger than max_sessions ({self.max_sessions})")
        return self

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that models are asked in."""
        return tuple(role for role in ROLES if role != "judge" or self.judging.rubric)

    @classmethod
    def from_file(cls, path: Path) -> "RunConfig":
        """Read a TOML file.

        Raises:
            InputError: the file is missing, not TOML, or has an unknown or wrong field; names file, field and fix.
        """
        return cls.checked(toml(path, "run file"), source=shown(str(path), 200))

    @classmethod
    def checked(cls, given: dict[str, Any], source: str) -> "RunConfig":
        """Validate a mapping; `source` names where it came from in the error.

        Raises:
            InputError: the first wrong field, with what it may be.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise InputError(f"{source}: {explain(error, _NAMES)}") from error


_NAMES = [
    name
    for model in (
        *(RunConfig, Difficulties, QuestionTypes, Models, ModelProfile),
        *(Judging, Checking, Curation, Benchmark, Budget),
    )
    for name in model.model_fields
]
