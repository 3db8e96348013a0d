"""The training recipes of docs/recipes: the paper's figures, and only settings that the trainers know."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Template

ROOT = Path(__file__).parent.parent
RECIPES = ROOT / "docs" / "recipes"
FIELDS = json.loads((ROOT / "tests" / "trainer_fields.json").read_text())


def recipe(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((RECIPES / f"{name}.yaml").read_text())
    return read


def test_every_setting_is_one_that_the_trainer_knows() -> None:
    assert recipe("trl").keys() <= set(FIELDS["trl"])
    assert recipe("axolotl").keys() <= set(FIELDS["axolotl"])
    for dataset in [*recipe("axolotl")["datasets"], *recipe("axolotl")["test_datasets"]]:
        assert dataset.keys() <= set(FIELDS["axolotl_dataset"])


def test_both_train_as_the_paper_did_on_the_response_only() -> None:
    trl, axolotl = recipe("trl"), recipe("axolotl")
    assert trl["per_device_train_batch_size"] * trl["gradient_accumulation_steps"] * 8 == 512
    assert axolotl["micro_batch_size"] * axolotl["gradient_accumulation_steps"] * 8 == 512
    assert (trl["num_train_epochs"], trl["lr_scheduler_type"]) == (axolotl["num_epochs"], axolotl["lr_scheduler"])
    for one in (trl, axolotl):
        assert (one["learning_rate"], one["warmup_steps"]) == (3e-6, 1000)
    assert (trl["num_train_epochs"], trl["lr_scheduler_type"]) == (3, "cosine")
    assert trl["assistant_only_loss"] is True
    assert not axolotl["train_on_inputs"]
    assert axolotl["datasets"][0]["roles_to_train"] == ["assistant"]


def test_the_template_they_name_marks_the_response() -> None:
    for name, field in (("trl", "chat_template_path"), ("axolotl", "chat_template_jinja")):
        text = (ROOT / recipe(name)[field]).read_text()
        assert "{% generation %}{{ message.content + eos_token }}{% endgeneration %}" in text


def test_the_template_marks_every_response_of_a_conversation() -> None:
    text = (RECIPES / "chat.jinja").read_text().replace("{% generation %}", "[").replace("{% endgeneration %}", "]")
    said = [("user", "Why?"), ("assistant", "So."), ("user", "And then?"), ("assistant", "No more.")]
    messages = [{"role": role, "content": content} for role, content in said]
    filled = Template(text).render(messages=messages, eos_token="</s>")
    expected = (
        "### Question:\nWhy?\n\n### Answer:\n[So.</s>]\n### Question:\nAnd then?\n\n### Answer:\n[No more.</s>]\n"
    )
    assert filled == expected


@pytest.mark.soak
def test_trl_takes_the_recipe() -> None:
    trl = pytest.importorskip("trl", reason="needs trl with torch")
    pytest.importorskip("torch")
    known = {field.name for field in dataclasses.fields(trl.SFTConfig)}
    given = {name: value for name, value in recipe("trl").items() if name in known}
    others = (trl.ModelConfig, trl.ScriptArguments)
    assert recipe("trl").keys() - known <= {field.name for one in others for field in dataclasses.fields(one)}
    trl.SFTConfig(**{**given, "bf16": False, "use_cpu": True})  # the machine of the test has no GPU


@pytest.mark.soak
def test_axolotl_takes_the_recipe() -> None:
    schemas = pytest.importorskip("axolotl.utils.schemas.config", reason="needs axolotl with torch")
    checked = schemas.AxolotlInputConfig.model_validate(recipe("axolotl")).model_dump(exclude_none=True)
    assert checked["learning_rate"] == 3e-6
    assert checked["datasets"][0]["roles_to_train"] == ["assistant"]
