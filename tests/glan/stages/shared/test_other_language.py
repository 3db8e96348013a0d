"""What is asked for in another language: the language at the end of each prompt, and replies in a third refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from stage_world import PHYSICS, commit_subjects, effects, grow, new_store, publish, recipe, sessions, subject, teacher

from glan.gateway.requests import Message, Request
from glan.models import ModelProfile, Models
from glan.planning.publishing import orphans
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.stages import questions, syllabi
from glan.stages.shared.question_shape import bare, check
from glan.store.store import Store
from glan.units import Receipt

GERMAN = [
    {
        "title": f"Lichtbrechung {n}",
        "description": f"Die Teilnehmer lernen in diesem Teil, wie Licht an {n} Grenzflächen gebrochen wird.",
        "key_concepts": [f"Brechungsindex {n}", f"Grenzwinkel {n}", f"Linse {n}"],
    }
    for n in range(1, 3)
]
QUESTION = "Warum wird das Licht an der Grenze zwischen Glas und Luft gebrochen, und wie groß ist der Winkel dabei?"
ENGLISH_QUESTION = "Why is light refracted at the border between glass and air, and how large is the angle there?"


def german(request: Request) -> str:
    """A teacher who writes in German what is asked for in German."""
    prompt = request.messages[-1]["content"]
    if "in German" not in prompt:
        return str(teacher("Optics")(request))
    if request.stage == "syllabi":
        return json.dumps({"sessions": GERMAN})
    return f"{QUESTION} ({request.sample_index})" if request.stage == "questions" else "Weil es dort langsamer wird."


def made(store: Store, say: Any = german, **changes: Any) -> tuple[dict[str, list[Receipt]], list[Request]]:
    """What follows from one subject in two languages, and what was asked for it."""
    asked: list[Request] = []

    def noted(request: Request) -> Any:
        asked.append(request)
        return say(request)

    receipts: Any = grow(store, recipe(languages=["en", "de"], questions=1, **changes), noted)
    return receipts, asked


def rows(store: Store, receipts: list[Receipt]) -> list[dict[str, Any]]:
    return [row for receipt in receipts for row in store.read(receipt).to_pylist()]


def last(messages: Any) -> str:
    final: Message = messages[-1]
    return final["content"]


def test_a_subject_has_a_branch_for_each_language_and_rows_say_which(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    receipts, _ = made(store)
    for stage in ("syllabi", "questions", "answers", "instructions"):
        found = rows(store, receipts[stage])
        assert [row["language"] for row in found] == [None, "de"]
        assert len({row["subject_id"] for row in found}) == 1
    assert len({row["syllabus_id"] for row in rows(store, receipts["questions"])}) == 2
    assert [receipt.unit.count(".de") for receipt in receipts["answers"]] == [0, 1]
    assert [row["kept"] for row in rows(store, receipts["instructions"])] == [True, True]


def test_every_prompt_of_the_branch_ends_with_its_language_and_no_english_one_names_any(tmp_path: Path) -> None:
    _, asked = made(new_store(tmp_path))
    branch = [request for request in asked if ".de" in request.unit]
    assert [request.stage for request in branch] == ["syllabi", "questions", "answers"]
    assert all(last(request.messages).count("Write everything in German") == 1 for request in branch)
    assert all("German" not in str(request.messages) for request in asked if ".de" not in request.unit)


def test_both_turns_of_a_syllabus_name_it(tmp_path: Path) -> None:
    def say(request: Request) -> Any:
        if request.stage == "syllabi" and request.prompt.name == "syllabus":
            return "Session 1: Lichtbrechung. Die Teilnehmer lernen hier, wie Licht gebrochen wird und warum."
        return json.dumps({"subjects": []}) if request.prompt.name == "subject_list" else german(request)

    store = new_store(tmp_path)
    above, receipt = commit_subjects(store, recipe(two_step=True), subject())
    run = effects(store, say)
    unit = syllabi.plan(subject(), above, receipt, recipe(two_step=True), language="de")
    assert syllabi.run(unit, recipe(two_step=True), run).rows == 1
    asked: list[Request] = run.gateway.asked  # type: ignore[attr-defined]
    assert [request.prompt.name for request in asked] == ["syllabus", "syllabus_structure"]
    assert all("Write everything in German" in last(request.messages) for request in asked)


def test_worked_examples_are_shown_for_english_alone(tmp_path: Path) -> None:
    model = ModelProfile(model="teacher", example=True)
    models = Models(subject=model, syllabus=model, question=model, answer=model)
    _, asked = made(new_store(tmp_path), models=models)
    assert {".de" in request.unit: len(request.messages) for request in asked} == {False: 4, True: 2}


@pytest.mark.parametrize("stage", ["syllabi", "questions"])
def test_a_syllabus_or_question_in_the_wrong_language_is_not_taken(tmp_path: Path, stage: str) -> None:
    def english(request: Request) -> Any:
        if request.stage != stage:
            return german(request)
        if stage == "questions":
            return ENGLISH_QUESTION
        described = "Students learn how light is refracted at the borders of two materials."
        return json.dumps({"sessions": [{**one, "description": described} for one in sessions("Light", "Waves")]})

    store = new_store(tmp_path)
    receipts, _ = made(store, english)
    [wrong] = [receipt for receipt in receipts[stage] if ".de" in receipt.unit]
    assert (wrong.rows, wrong.quarantined) == (0, 1)
    assert store.read_quarantine(wrong)["error_kind"].to_pylist() == ["other_language"]
    assert [receipt.rows for receipt in receipts[stage] if ".de" not in receipt.unit] == [1]


def test_the_same_text_in_two_languages_is_two_rows(tmp_path: Path) -> None:
    def brief(request: Request) -> Any:
        return "pH 7?" if request.stage == "questions" else german(request)

    store = new_store(tmp_path)
    receipts, _ = made(store, brief)
    assert len({row["question_id"] for row in rows(store, receipts["questions"])}) == 2


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "**Aufgabe 3:** Warum ist der Himmel blau?"),
        ("fr", "Exercice 2 : Pourquoi le ciel est-il bleu ?"),
        ("zh", "问题：天空为什么是蓝色的？"),
        ("ja", "問題 1：空はなぜ青いのですか。"),
        ("ar", "السؤال: لماذا السماء زرقاء؟"),
        ("sw", "Question: Kwa nini anga ni buluu?"),
    ],
)
def test_a_heading_before_a_question_is_taken_off_in_any_language(language: str, text: str) -> None:
    assert bare(text, language) == text.replace("：", ":").split(":")[1].strip("* ")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Lors de la Session 3, la lecture du concept de Rousseau a divisé les députés. Pourquoi ?"),
        ("zh", "某工厂检查了247件样品，发现其中百分之九十出现了偏差。这说明什么？"),
        ("th", "เหตุใดท้องฟ้าจึงเป็นสีฟ้าในเวลากลางวัน"),
        ("ar", "لماذا تكون السماء زرقاء في النهار؟ وما دور الغلاف الجوي؟"),
        ("ja", "問題解決の手順を三つ挙げ、それぞれの長所を説明してください。"),
        ("de", "Ein Schüler rechnet 2 + 2. Lösung: 5. Wo steckt der Fehler?"),
    ],
)
def test_a_good_question_of_another_language_is_left_as_it_is(language: str, text: str) -> None:
    assert bare(text, language) == text
    assert check(text, language) is None


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("de", "Warum ist der Himmel blau? \nAntwort: Weil blaues Licht stärker gestreut wird.", "answer_inside"),
        ("zh", "天空为什么是蓝色的？\n答案：因为蓝光散射更强。", "answer_inside"),
        ("de", "Was wurde in der letzten Sitzung über die Streuung von Licht gesagt?", "not_self_contained"),
        ("zh", "根据本节课的内容，天空为什么是蓝色的？", "not_self_contained"),
        ("de", "Aufgabe:", "empty"),
    ],
)
def test_the_commonest_faults_are_seen_in_the_commonest_languages(language: str, text: str, kind: str) -> None:
    problem = check(text, language)
    assert problem is not None and problem.kind == kind


def test_a_round_of_several_questions_to_a_call_is_checked_by_its_language(tmp_path: Path) -> None:
    def say(request: Request) -> Any:
        if request.stage == "questions" and ".de" in request.unit:
            return json.dumps({"questions": [f"Frage: {QUESTION}", f"{QUESTION[:-1]} im zweiten Fall?"]})
        if request.stage == "questions":
            return json.dumps({"questions": [ENGLISH_QUESTION, f"{ENGLISH_QUESTION[:-1]} in this case?"]})
        return german(request)

    store = new_store(tmp_path)
    receipts: Any = grow(store, recipe(languages=["de"], questions=2, questions_per_call=2), say)
    assert [row["text"][:5] for row in rows(store, receipts["questions"])] == ["Warum", "Warum"]
    assert questions.span_of(receipts["questions"][0].unit)[0].endswith(".de")


def test_questions_on_two_subjects_stay_within_a_language(tmp_path: Path) -> None:
    def say(request: Request) -> Any:
        if request.stage == "syllabi" and ".de" in request.unit:
            other = [{**one, "key_concepts": [f"{n} {request.unit}" for n in range(3)]} for one in GERMAN]
            return json.dumps({"sessions": other})
        return german(request) if ".de" in request.unit else teacher("Optics", "Heat", title=request.unit)(request)

    store = new_store(tmp_path)
    made_of = recipe(languages=["en", "de"], questions=1, cross_subject_questions=2)
    receipts: Any = grow(store, made_of, say)
    syllabi_of = {row["syllabus_id"]: row["language"] for row in rows(store, receipts["syllabi"])}
    across = [row for row in rows(store, receipts["questions"]) if row["strategy"] == "cross_subject"]
    assert sorted(str(row["language"]) for row in across) == ["None", "None", "de", "de"]
    for row in across:
        assert {syllabi_of[row["syllabus_id"]], syllabi_of[row["other_syllabus_id"]]} == {row["language"]}
    publish(store, receipts)
    [walk] = walks(store, [PHYSICS], made_of)
    assert survey(walk).complete
    assert not any(orphans(store, walk.shelf.named).values())


def test_follow_ups_are_asked_and_answered_in_the_language_of_their_conversation(tmp_path: Path) -> None:
    asked: list[Request] = []

    def say(request: Request) -> Any:
        asked.append(request)
        if request.stage != "continuations" or ".de" not in request.unit:
            return german(request) if request.stage != "continuations" else f"Why is it so in case {len(asked)}?"
        said = f"Und was geschieht mit dem Winkel, wenn das Glas {len(asked)} Grad wärmer wird?"
        return f"Frage: {said}" if request.prompt.name == "follow_up" else f"Der Winkel wird um {len(asked)} kleiner."

    store = new_store(tmp_path)
    receipts: Any = grow(store, recipe(languages=["en", "de"], questions=1, follow_ups=2), say)
    english, other = rows(store, receipts["continuations"])
    assert (english["language"], other["language"]) == (None, "de")
    assert all(turn["question"].startswith("Und was") for turn in other["turns"])
    requests = [request for request in asked if request.stage == "continuations" and ".de" in request.unit]
    assert len(requests) == 4
    assert all("Write everything in German" in last(request.messages) for request in requests)
    assert [row["reasons"] for row in rows(store, receipts["instructions"]) if row["language"]] == [[]]
