"""Where to run comes from the environment, then `.env`, then `glan.toml`; what is wrong there is named, never shown."""

import os
import traceback
from pathlib import Path

import pytest

from glan.config import RunConfig
from glan.errors import InputError
from glan.judging import Judging
from glan.models import ROLES, ModelProfile, Models
from glan.settings import Settings

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and an environment without our variables."""
    for name in os.environ:
        if name.upper().startswith(("GLAN_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal() -> str:
    with pytest.raises(InputError) as caught:
        Settings.load()
    message = str(caught.value)
    assert "\n" not in message
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return message


def test_with_nothing_set_the_store_is_a_local_folder_and_no_model_is_named() -> None:
    settings = Settings.load()
    assert (settings.store, settings.model, settings.openai_api_key, settings.prices) == ("data", "", None, None)


def test_the_environment_wins_over_dotenv_and_that_over_the_toml_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "glan.toml").write_text('model = "toml"\nstore = "toml"\nmax_concurrency = 3\n')
    (folder / ".env").write_text("GLAN_MODEL=dotenv\nGLAN_STORE=dotenv\n")
    monkeypatch.setenv("GLAN_MODEL", "environment")
    settings = Settings.load()
    assert (settings.model, settings.store, settings.max_concurrency) == ("environment", "dotenv", 3)


def test_an_empty_variable_counts_as_not_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("OPENAI_BASE_URL=http://127.0.0.1:8000/v1\nGLAN_PRICES=\n")
    for name in ("OPENAI_BASE_URL", "GLAN_REQUESTS_PER_MINUTE", "GLAN_MODEL"):
        monkeypatch.setenv(name, "")
    settings = Settings.load()
    assert settings.openai_base_url == "http://127.0.0.1:8000/v1"
    assert (settings.prices, settings.requests_per_minute) == (None, None)


@pytest.mark.parametrize("place", ["environment", ".env", "glan.toml"])
def test_the_key_and_address_of_the_endpoint_go_by_their_usual_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "environment":
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        monkeypatch.setenv("OPENAI_BASE_URL", "http://here/v1")
    elif place == ".env":
        (folder / ".env").write_text(f"OPENAI_API_KEY={SECRET}\nOPENAI_BASE_URL=http://here/v1\n")
    else:
        (folder / "glan.toml").write_text(f'openai_api_key = "{SECRET}"\nopenai_base_url = "http://here/v1"\n')
    settings = Settings.load()
    assert settings.openai_api_key is not None and settings.openai_api_key.get_secret_value() == SECRET
    assert settings.openai_base_url == "http://here/v1"
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GLAN_MAX_CONCURRENCY", "many"),
        ("GLAN_MAX_CONCURRENCY", "0"),
        ("GLAN_REQUESTS_PER_MINUTE", "0"),
        ("GLAN_FLUSH_SECONDS", "0"),
        ("GLAN_PATIENCE_SECONDS", "-1"),
        ("GLAN_STORE", "gs://bucket/prefix"),
        ("GLAN_STORE", "s3://"),
        ("GLAN_STORE", "   "),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert name in refusal()


def test_a_wrong_value_in_the_toml_file_is_named_too(folder: Path) -> None:
    (folder / "glan.toml").write_text("max_concurrency = 'many'\n")
    assert "`max_concurrency` in glan.toml" in refusal()


@pytest.mark.parametrize(
    ("place", "text", "said"),
    [
        ("glan.toml", 'stroe = "data"', "glan.toml: `stroe` is not a known setting; did you mean `store`?"),
        ("glan.toml", 'GLAN_STORE = "data"', "glan.toml: `GLAN_STORE` is not a known setting"),
        (
            "glan.toml",
            "[models.answer]\nmodel = 'x'",
            "glan.toml: `models` is not a known setting; did you mean `model`?",
        ),
        (".env", "GLAN_STROE=data", ".env: `GLAN_STROE` is not a known setting; did you mean `GLAN_STORE`?"),
        (".env", "glan_stroe=data", ".env: `GLAN_STROE` is not a known setting; did you mean `GLAN_STORE`?"),
        (".env", "GLAN_ANSWERS_MODEL=x", "did you mean `GLAN_ANSWER_MODEL`?"),
        (".env", f"GLAN_OPENAI_API_KEY={SECRET}", "did you mean `OPENAI_API_KEY`?"),
        (".env", f"GLAN_ZZZ={SECRET}", "`GLAN_ZZZ` is not a known setting; remove it or correct its spelling"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(folder: Path, place: str, text: str, said: str) -> None:
    (folder / place).write_text(text)
    assert said in refusal()


def test_an_unknown_variable_is_refused_like_an_unknown_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLAN_MAX_CONCURENCY", SECRET)
    assert (
        "environment: `GLAN_MAX_CONCURENCY` is not a known setting; did you mean `GLAN_MAX_CONCURRENCY`?" in refusal()
    )


def test_the_variables_of_other_programs_are_none_of_our_business(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("AWS_REGION=x\nOPENAI_ORGANIZATION=y\nPREFECT_API_URL=z\nSTORE=w\n")
    monkeypatch.setenv("STORE", "elsewhere")
    assert Settings.load().store == "data"


@pytest.mark.parametrize("text", [b"store = ", b"\xff\xfe", b"store = 1\nstore = 2"], ids=repr)
def test_a_toml_file_that_cannot_be_read_is_refused(folder: Path, text: bytes) -> None:
    (folder / "glan.toml").write_bytes(text)
    assert "cannot be read" in refusal()


def test_a_dotenv_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / ".env").write_bytes(b"GLAN_MODEL=\xff\xfe\n")
    assert "cannot be read" in refusal()


@pytest.mark.parametrize("text", [f"openai_api_key = ['{SECRET}']", f"max_concurrency = '{SECRET}'"])
def test_a_secret_in_the_wrong_place_or_form_is_not_in_the_message(folder: Path, text: str) -> None:
    (folder / "glan.toml").write_text(text)
    refusal()


@pytest.mark.parametrize(
    ("given", "kept"),
    [("s3://bucket/prefix/", "s3://bucket/prefix"), ("data/", "data"), ("/", "/"), ("s3://b", "s3://b")],
)
def test_the_address_of_the_store_has_one_spelling(monkeypatch: pytest.MonkeyPatch, given: str, kept: str) -> None:
    monkeypatch.setenv("GLAN_STORE", given)
    assert Settings.load().store == kept


def test_one_model_serves_all_profiles_and_a_role_may_have_its_own() -> None:
    settings = Settings(model="all", answer_model="cheap")
    models = settings.resolved(RunConfig()).models
    assert {role: getattr(models, role).model for role in ROLES} == {
        "subject": "all",
        "syllabus": "all",
        "question": "all",
        "answer": "cheap",
        "judge": "",
    }


def test_a_model_of_the_judge_is_asked_for_only_where_there_is_one_to_ask() -> None:
    judging = RunConfig(judging=Judging(rubric=True))
    roles = {f"{role}_model": "given" for role in ROLES if role != "judge"}
    assert Settings(**roles).resolved(RunConfig()).models.answer.model == "given"
    with pytest.raises(InputError, match=r"models\.judge"):
        Settings(**roles).resolved(judging)
    assert Settings(**roles, judge_model="strict").resolved(judging).models.judge.model == "strict"


def test_a_model_that_the_run_names_wins_over_every_setting() -> None:
    config = RunConfig(models=Models(answer=ModelProfile(model="mine", temperature=0.1)))
    answer = Settings(model="all", answer_model="cheap").resolved(config).models.answer
    assert (answer.model, answer.temperature) == ("mine", 0.1)


def test_filling_in_models_changes_nothing_else() -> None:
    config = RunConfig(lists=3, seed=7)
    resolved = Settings(model="all").resolved(config)
    assert resolved.model_copy(update={"models": config.models}) == config
    assert resolved.models.answer.temperature == 0.7


def test_a_role_without_any_model_is_refused_with_what_to_set() -> None:
    with pytest.raises(InputError, match=r"`models\.syllabus`; set GLAN_MODEL"):
        Settings(subject_model="one").resolved(RunConfig())
