"""Every ingredient of a key changes it, and nothing else does (design: keys)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from glan.config import RunConfig
from glan.gateway.reading import prose, structured
from glan.gateway.requests import Request
from glan.keys import Texts, canonical, digest, distinct, normalised, seed_for, slug, spelt
from glan.models import ModelProfile, Models
from glan.prompts import Prompt, Prompts, PromptStamp
from glan.records import KIND, content_digest
from glan.replies import question_list, subject_list
from glan.stages import answers, instructions, questions, subjects, syllabi
from glan.stages.sampling.decks import Sample
from glan.stages.shared.recipe import Recipe
from glan.taxonomy import Discipline
from glan.units import Receipt, Stage, Unit

MODEL = ModelProfile(model="teacher")
PROMPTS = Prompts.load()
PHYSICS = Discipline("Natural sciences", "Physical sciences", "Physics", "physics", "curated")
SUBJECT: dict[str, Any] = {
    "subject_id": "physics.optics-1",
    "discipline_id": "physics",
    "name": "Optics",
    "level": "introductory",
    "introduction": "Light.",
    "subtopics": ["lenses"],
    "lists_found_in": 3,
    "position": 0,
}


def recipe(**changes: Any) -> Recipe:
    """A recipe whose profiles all name a model."""
    models = Models(subject=MODEL, syllabus=MODEL, question=MODEL, answer=MODEL)
    return Recipe(RunConfig(**{"models": models, **changes}), PROMPTS)


def receipt(stage: Stage, **changes: Any) -> Receipt:
    given = {
        "stage": stage,
        "discipline_id": "physics",
        "unit": "optics-1" if stage == "syllabi" else "optics-1.000000-000020",
        "key": "0" * 64,
        "object": "somewhere.parquet",
        "rows": 20,
        "sha256": "1" * 64,
        "planned": 20,
        "content_digest": "2" * 64,
    }
    return Receipt(**{**given, **changes})


def units(made: Recipe, subject: dict[str, Any] = SUBJECT, language: str = "en", **digests: str) -> dict[Stage, Unit]:
    """One unit of each stage, each below the last."""
    changed = {stage: receipt(stage, content_digest=digests.get(stage, "2" * 64)) for stage in digests}
    first = subjects.plan(PHYSICS, made)
    second = syllabi.plan(subject, first, changed.get("subjects", receipt("subjects")), made, language=language)
    third = questions.plan(subject, (0, 20), second, changed.get("syllabi", receipt("syllabi")), made)
    fourth = answers.plan(third, changed.get("questions", receipt("questions")), made)
    answered = replace(changed.get("answers", receipt("answers")), unit=fourth.address)
    fifth = instructions.plan(fourth, answered, subject, made)
    return {unit.stage: unit for unit in (first, second, third, fourth, fifth)}


def stages_with_another_key(one: dict[Stage, Unit], other: dict[Stage, Unit]) -> set[str]:
    return {stage for stage in one if one[stage].key != other[stage].key}


def profile(role: str, **changes: Any) -> dict[str, Any]:
    roles = dict.fromkeys(("subject", "syllabus", "question", "answer"), MODEL)
    return {"models": Models(**{**roles, role: MODEL.model_copy(update=changes)})}


def spelled(value: Any) -> str:
    """The same in every process, which the order of a set is not."""
    return ",".join(sorted(value)) if isinstance(value, set) else str(value)


STAGE_OF_ROLE = {"subject": "subjects", "syllabus": "syllabi", "question": "questions", "answer": "answers"}
SHAPING = [
    {"model": "another"},
    {"temperature": 0.3},
    {"temperature": None},
    {"top_p": 0.5},
    {"max_tokens": 17},
    {"stop": ["END"]},
    {"extra_body": {"min_p": 0.1}},
    {"example": True},
    {"send_seed": False},
]
NOT_SHAPING = [
    {"base_url": "http://127.0.0.1:1/v1"},
    {"api_key_env": "MY_KEY"},
    {"structure": "text"},
    {"token_limit_name": "max_completion_tokens"},
    {"attempts": 9},
    {"timeout_seconds": 1.0},
]


@pytest.mark.parametrize("role", STAGE_OF_ROLE)
@pytest.mark.parametrize("change", SHAPING, ids=str)
def test_what_shapes_a_reply_changes_the_key_of_its_own_stage_alone(role: str, change: dict[str, Any]) -> None:
    changed = units(recipe(**profile(role, **change)))
    assert stages_with_another_key(units(recipe()), changed) == {STAGE_OF_ROLE[role]}


@pytest.mark.parametrize("role", STAGE_OF_ROLE)
@pytest.mark.parametrize("change", NOT_SHAPING, ids=str)
def test_where_and_how_patiently_a_model_is_asked_changes_no_key(role: str, change: dict[str, Any]) -> None:
    changed = units(recipe(**profile(role, **change)))
    assert stages_with_another_key(units(recipe()), changed) == set()


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"lists": 3}, {"subjects"}),
        ({"subjects_per_list": 9}, {"subjects"}),
        ({"two_step": False}, {"subjects", "syllabi"}),
        ({"min_sessions": 4}, {"syllabi"}),
        ({"max_sessions": 40}, {"syllabi"}),
        ({"concepts_per_session": 3}, {"syllabi"}),
        ({"cross_session_share": 0.2}, {"questions"}),
        ({"syllabus_in_question_prompt": False}, {"questions"}),
        ({"questions_per_call": 4}, {"questions"}),
        ({"question_types": {"open": 0}, "difficulties": {}}, set()),
        ({"difficulties": {"hard": 1}}, {"questions"}),
        ({"question_types": {"open": 1}}, {"questions", "answers", "instructions"}),
        ({"seed": 5}, {"subjects", "syllabi", "questions", "answers"}),
        ({"curation": {"max_repeated_line_share": 0.1}}, {"instructions"}),
        ({"curation": {"near_duplicate_jaccard": 0.7}}, set()),
        ({"subjects": 2}, set()),
        ({"questions": 500}, set()),
        ({"languages": ["de", "en"]}, set()),
        ({"cross_subject_questions": 500}, set()),
        ({"disciplines": ["physics"]}, set()),
    ],
    ids=spelled,
)
def test_a_setting_changes_the_keys_of_the_stages_that_use_it(change: dict[str, Any], stages: set[str]) -> None:
    assert stages_with_another_key(units(recipe()), units(recipe(**change))) == stages


@pytest.mark.parametrize(
    ("column", "stages"),
    [
        ("name", {"syllabi", "questions", "instructions"}),
        ("level", {"syllabi", "questions", "instructions"}),
        ("introduction", {"syllabi"}),
        ("subtopics", {"syllabi"}),
        ("position", set()),
        ("lists_found_in", set()),
    ],
)
def test_a_subject_counts_by_the_columns_that_a_stage_reads(column: str, stages: set[str]) -> None:
    other = {**SUBJECT, column: ["x"] if column == "subtopics" else 9 if isinstance(SUBJECT[column], int) else "other"}
    assert stages_with_another_key(units(recipe()), units(recipe(), other)) == stages


@pytest.mark.parametrize(
    ("parent", "stages"),
    [("syllabi", {"questions"}), ("questions", {"answers", "instructions"}), ("answers", {"instructions"})],
)
def test_rows_that_came_out_different_change_the_keys_below(parent: str, stages: set[str]) -> None:
    assert stages_with_another_key(units(recipe()), units(recipe(), **{parent: "3" * 64})) == stages


def test_a_parent_made_anew_with_the_same_rows_changes_nothing_below() -> None:
    one = syllabi.plan(SUBJECT, subjects.plan(PHYSICS, recipe()), receipt("subjects"), recipe())
    again = receipt("syllabi", key="9" * 64, object="elsewhere.parquet", sha256="8" * 64)
    first = questions.plan(SUBJECT, (0, 20), one, receipt("syllabi"), recipe())
    assert questions.plan(SUBJECT, (0, 20), one, again, recipe()).key == first.key


def test_a_round_and_an_edition_have_keys_of_their_own() -> None:
    above = units(recipe())["syllabi"]
    keys = {
        questions.plan(SUBJECT, span, above, receipt("syllabi"), recipe(), edition).key
        for span in [(0, 20), (20, 50)]
        for edition in (0, 1)
    }
    assert len(keys) == 4


def test_the_place_of_a_discipline_is_part_of_its_subjects_key() -> None:
    elsewhere = Discipline("Arts", "", "Physics", "physics", "curated")
    assert subjects.plan(elsewhere, recipe()).key != subjects.plan(PHYSICS, recipe()).key


def request(**changes: Any) -> Request:
    given: dict[str, Any] = {
        "stage": "questions",
        "discipline_id": "physics",
        "unit": "optics-1.000000-000020",
        "unit_key": "k",
        "node": "physics/optics",
        "prompt": PromptStamp("question", 1, "d"),
        "messages": [{"role": "user", "content": "Ask."}],
        "profile": MODEL,
        "read": prose(),
        "sample_index": 3,
        "edition": 0,
        "seed": 11,
        "schema": subject_list(),
    }
    return Request(**{**given, **changes})


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "Ask!"}]},
        {"messages": [{"role": "system", "content": "Ask."}]},
        {"sample_index": 4},
        {"edition": 1},
        {"seed": 12},
        {"seed": None},
        {"schema": question_list(2)},
        {"schema": None},
        *({"profile": MODEL.model_copy(update=change)} for change in SHAPING[:-2]),
    ],
    ids=str,
)
def test_an_ingredient_of_a_request_changes_its_key(change: dict[str, Any]) -> None:
    assert request(**change).key != request().key


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "elsewhere"},
        {"unit_key": "other"},
        {"node": "elsewhere"},
        {"stage": "answers"},
        {"prompt": PromptStamp("question", 2, "e")},
        {"read": structured(subject_list())},
        *({"profile": MODEL.model_copy(update=change)} for change in NOT_SHAPING),
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_does_not_shape_a_reply_is_not_in_a_request_key(change: dict[str, Any]) -> None:
    assert request(**change).key == request().key


def test_canonical_json_has_one_spelling() -> None:
    assert canonical({"b": 1, "a": ["é"]}) == '{"a":["é"],"b":1}'.encode()
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


@given(st.recursive(st.text(), lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts)))
def test_texts_have_the_same_spelling_the_fast_way(texts: Texts) -> None:
    assert spelt(texts) == canonical(texts)


def test_seeds_fit_signed_32_bits_and_depend_on_every_part() -> None:
    seeds = {seed_for(0, "physics", index) for index in range(500)}
    assert len(seeds) == 500
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_names_are_compared_without_case_width_or_punctuation() -> None:
    assert normalised("  ＭＩＣＲＯ-economics! ") == "micro economics"
    assert distinct(["Entropy", " entropy ", "...", "Heat"]) == ["Entropy", "Heat"]
    assert slug("Théorie des Jeux / 2") == "theorie-des-jeux-2"


def test_words_that_differ_in_a_vowel_sign_or_a_plus_are_compared_as_different() -> None:
    assert normalised("काल") != normalised("कल")
    assert len({normalised(name) for name in ("C", "C++", "C#")}) == 3
    assert normalised("C++: the + sign, & more") == "c++ the sign more"
    assert normalised("E\u0301tude") == normalised("étude")
    assert normalised("__ -- \u0301 ++") == ""


RECORDED = {
    "subjects": "3d01bc8d662b1b3fe735d3fac74c3088e0d9439b722622c266e3cf98b1d4b1c2",
    "syllabi": "50edac73b57a67bf02b23f184c1fd694e1487c71c964b62d44a9d89a660c32ec",
    "questions": "1490f41b6614d5120d454fecec0b1905c2df2f5e07fbcb88017d88ea7ebd1123",
    "answers": "a8fa17bbb3ab8af50db24d8bf3ce4d08fce3628cc0cde4ee09f6bcabc127cfb2",
    "instructions": "849c41796c39cf9be9ed69a60def1bf1b2085f37684b01152331d4269151a612",
}
"""The keys of the default configuration. Only a changed prompt or rule may change them, and that makes stores stale."""


def test_what_is_off_by_default_changes_no_key_of_stores_that_are_there() -> None:
    assert {stage: unit.key for stage, unit in units(recipe()).items()} == RECORDED
    assert request().key == "834dbf43905f01c6776f9d688aaceb5c663faff65a78a08a4328b30ef9029d72"


def test_questions_of_no_kind_count_below_as_they_did_before_there_were_kinds() -> None:
    read = {
        "sample_index": 0,
        "strategy": "single_session",
        "session_indexes": [0],
        "key_concepts": ["a"],
        "text": "Why?",
    }
    row = {**read, **dict.fromkeys(KIND)}
    assert content_digest("questions", [row]) == digest([digest(read)])
    assert content_digest("questions", [{**row, "difficulty": "hard"}]) != content_digest("questions", [row])


def test_a_unit_key_is_the_digest_of_one_object_that_anyone_can_spell_out() -> None:
    made = recipe()
    assert units(made)["answers"].key == digest(
        {
            "stage": "answers",
            "inputs": "2" * 64,
            "prompts": {"answer": PROMPTS["answer"].stamp.digest},
            "profile": MODEL.identity(),
            "parameters": {"seed": made.config.seed},
            "edition": 0,
        }
    )


def test_keys_of_what_is_asked_for_in_english_are_as_they_were_before_there_were_languages() -> None:
    """Recorded then: whoever changes one makes everybody pay again."""
    made = units(recipe())
    assert {stage: unit.key[:16] for stage, unit in made.items()} == {
        "subjects": "3d01bc8d662b1b3f",
        "syllabi": "50edac73b57a67bf",
        "questions": "1490f41b6614d512",
        "answers": "a8fa17bbb3ab8af5",
        "instructions": "849c41796c39cf9b",
    }
    syllabus = {"text": "Session 1", "sessions": [{"title": "Heat", "description": "d", "key_concepts": ["a", "b"]}]}
    sample = Sample(0, "single_session", (0,), ("a",))
    asked = [
        next(syllabi.ask(made["syllabi"], SUBJECT, recipe())),
        next(questions.ask(made["questions"], [(SUBJECT, syllabus)], [sample], recipe())),
        next(answers.ask(made["answers"], {"text": "Why?", "sample_index": 0}, recipe())),
    ]
    assert [one.key[:16] for one in asked] == ["297ebfdf6d595082", "a458ef897b691133", "61cbf395dbbb6b6f"]


def test_a_language_changes_keys_and_addresses_from_the_syllabus_on() -> None:
    english, german, chinese = (units(recipe(), language=code) for code in ("en", "de", "zh"))
    below = {"syllabi", "questions", "answers", "instructions"}
    assert stages_with_another_key(english, german) == stages_with_another_key(german, chinese) == below
    assert german["syllabi"].address == "optics-1.de"
    assert german["answers"].address == "optics-1.de.000000-000020"
    assert {unit.language for unit in german.values()} == {"en", "de"}


def test_the_template_that_names_the_language_counts_for_other_languages_alone() -> None:
    changed = Prompt.parse("language", f"{PROMPTS['language'].text}\nTake care.", "a test")
    other = Recipe(recipe().config, Prompts({name: PROMPTS[name] for name in PROMPTS.names()} | {"language": changed}))
    assert stages_with_another_key(units(recipe()), units(other)) == set()
    asked = stages_with_another_key(units(recipe(), language="de"), units(other, language="de"))
    assert asked == {"syllabi", "questions", "answers"}
