"""A run file that is wrong is refused by one sentence that names file, field and fix."""

from pathlib import Path
from typing import Any

import pytest

from glan.config import RunConfig
from glan.errors import InputError
from glan.models import ROLES, ModelProfile, Models


def from_text(tmp_path: Path, text: str | bytes) -> RunConfig:
    path = tmp_path / "run.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return RunConfig.from_file(path)


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        from_text(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "run.toml") in message
    return message


def test_an_empty_file_is_a_run_with_the_values_of_the_paper(tmp_path: Path) -> None:
    config = from_text(tmp_path, "")
    assert config == RunConfig()
    assert (config.lists, config.min_sessions, config.max_sessions, config.two_step) == (10, 10, 30, True)
    assert {(config.models.subject.temperature, config.models.subject.top_p)} == {(1.0, 0.95)}
    assert (config.models.answer.temperature, config.models.answer.top_p) == (0.7, 0.95)


def test_none_in_a_run_file_is_null_wherever_null_may_stand(tmp_path: Path) -> None:
    text = 'curation.language = "none"\ncuration.min_correctness = "none"\n[models.answer]\ntemperature = "none"\ntop_p = "none"'
    config = from_text(tmp_path, text)
    assert (config.curation.language, config.curation.min_correctness) == (None, None)
    assert (config.models.answer.temperature, config.models.answer.top_p) == (None, None)
    assert "`lists`" in refusal(tmp_path, 'lists = "none"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subjects = 0", "`subjects`"),
        ("questions = -1", "`questions`"),
        ("questions = 'many'", "`questions`"),
        ("lists = 101", "`lists`"),
        ("seed = -1", "`seed`"),
        ("seed = 2147483648", "`seed`"),
        ("cross_session_share = 1.5", "`cross_session_share`"),
        ("cross_session_share = nan", "`cross_session_share`"),
        ("disciplines = 'physics'", "`disciplines`"),
        ("disciplines = [1]", "`disciplines.0`"),
        ("models = 3", "`models`"),
        ("models.answer = 'gpt'", "`models.answer`"),
        ("models.answer.temperature = 3", "`models.answer.temperature`"),
        ("models.answer.temperature = inf", "`models.answer.temperature`"),
        ("models.answer.top_p = 0", "`models.answer.top_p`"),
        ("models.answer.structure = 'xml'", "`models.answer.structure`"),
        ("models.answer.attempts = 0", "`models.answer.attempts`"),
        ("models.answer.api_key_env = 'sk-123'", "`models.answer.api_key_env`"),
        ("models.answer.extra_body = { since = 2020-01-01 }", "`models.answer.extra_body`"),
        ("models.answer.extra_body = { min_p = nan }", "`models.answer.extra_body`"),
        ("models.answer.extra_body = { temperature = 1 }", "`models.answer.extra_body`: may not set temperature"),
        ("curation.near_duplicate_jaccard = 0.1", "`curation.near_duplicate_jaccard`"),
        ("min_sessions = 20\nmax_sessions = 10", "min_sessions (20) is larger than max_sessions (10)"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_by_its_field(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("qestions = 3", "`qestions` is not a known setting; did you mean `questions`?"),
        (
            "[models.answer]\ntemprature = 1",
            "`models.answer.temprature` is not a known setting; did you mean `models.answer.temperature`?",
        ),
        ("[models.anwser]", "`models.anwser` is not a known setting; did you mean `models.answer`?"),
        ("colour = 'red'", "`colour` is not a known setting; remove it or correct its spelling"),
        ("store = 's3://bucket'", "`store` is not a known setting"),
    ],
    ids=str,
)
def test_an_unknown_setting_is_refused_with_the_nearest_known_one(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


@pytest.mark.parametrize("text", ["questions = ", "a b c", b"\xff\xfe\x00", "questions = 1\nquestions = 2"], ids=repr)
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str | bytes) -> None:
    assert "cannot be read as a TOML run file" in refusal(tmp_path, text)


@pytest.mark.parametrize("path", ["missing.toml", "."])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        RunConfig.from_file(tmp_path / path)


def test_an_error_in_a_long_name_stays_one_short_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, f'"{"x" * 5_000}\\u001b[31m" = 1')
    assert len(message) < 400 + len(str(tmp_path))
    assert "\x1b" not in message


@pytest.mark.parametrize("role", ROLES)
def test_a_table_that_sets_one_field_keeps_the_other_defaults_of_its_role(tmp_path: Path, role: str) -> None:
    config = from_text(tmp_path, f"[models.{role}]\nmodel = 'teacher'")
    default: ModelProfile = getattr(Models(), role)
    assert getattr(config.models, role) == default.model_copy(update={"model": "teacher"})
    others = [other for other in ROLES if other != role]
    assert all(getattr(config.models, other) == getattr(Models(), other) for other in others)


def test_a_field_set_to_what_a_plain_profile_has_is_set(tmp_path: Path) -> None:
    assert from_text(tmp_path, "[models.answer]\ntemperature = 1.0").models.answer.temperature == 1.0


def test_a_configuration_comes_back_from_its_json_as_it_was() -> None:
    given: dict[str, Any] = {
        "disciplines": ["physics"],
        "models": {"answer": {"model": "a", "extra_body": {"min_p": 0.1, "dry_sequence_breakers": ["\n"]}}},
        "curation": {"max_top_ngram_share": 0.5},
    }
    config = RunConfig.model_validate(given)
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_a_flow_parameter_is_named_as_the_source_of_its_error() -> None:
    with pytest.raises(InputError, match="parameter `config`: `lists`"):
        RunConfig.checked({"lists": "x"}, source="parameter `config`")


def test_a_configuration_cannot_be_changed_once_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        RunConfig().lists = 3
