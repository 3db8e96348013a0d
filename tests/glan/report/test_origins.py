"""The way back of a sample: the very prompts that were sent, and the raw replies."""

from pathlib import Path

import pytest
from report_world import grown_store

from glan.dataset import View
from glan.report.origins import Origin, origins
from glan.report.samples import samples
from glan.store import runs
from glan.store.store import Store


def origins_of(store: Store) -> list[Origin]:
    view = View.open(store, "latest")
    found = list(samples(view))
    assert len(found) == 6
    return origins(view, found)


@pytest.mark.parametrize("changes", [{}, {"two_step": True, "lists": 2}, {"questions_per_call": 2}], ids=str)
def test_each_prompt_is_the_one_that_was_sent_with_the_reply_to_it(tmp_path: Path, changes: dict[str, object]) -> None:
    store, _, asked = grown_store(tmp_path, **changes)
    sent = {request.key: list(request.messages) for request in asked}
    for origin in origins_of(store):
        assert origin.syllabus["sessions"] and origin.subject["name"] in ("Optics", "Mechanics")
        for some in (origin.question, origin.answer, origin.syllabus_calls, origin.subject_calls):
            assert some
            for one in some:
                assert list(one.messages) == sent[one.request_key]
                assert [row["request_key"] for row in one.attempts] == [one.request_key]
        steps = 2 if changes.get("two_step") else 1
        assert len(origin.syllabus_calls) == len(origin.subject_calls) == steps


def test_further_turns_lead_back_to_each_question_and_each_answer(tmp_path: Path) -> None:
    store, _, asked = grown_store(tmp_path, follow_ups=2)
    sent = {request.key: list(request.messages) for request in asked if request.stage == "continuations"}
    assert len(sent) == 6 * 4
    for origin in origins_of(store):
        assert [one.prompt for one in origin.further] == ["follow_up 1", "answer 1"] * 2
        assert all(list(one.messages) == sent[one.request_key] and one.attempts for one in origin.further)
        assert len(origin.question) == len(origin.answer) == 1


def test_a_prompt_that_cannot_be_made_again_is_not_shown_and_its_reply_is(tmp_path: Path) -> None:
    store, _, _ = grown_store(tmp_path)
    record = runs.find(store.files, "run")
    store.files.delete(f"_inputs/config/{record.config}.json")
    for origin in origins_of(store):
        [one] = origin.answer
        assert one.messages == () and one.attempts[0]["reply"]


def test_without_calls_on_record_the_prompts_are_still_there(tmp_path: Path) -> None:
    store, _, _ = grown_store(tmp_path)
    for entry in store.files.list("_calls"):
        store.files.delete(entry.path)
    for origin in origins_of(store):
        assert origin.question[0].messages and not origin.question[0].attempts
