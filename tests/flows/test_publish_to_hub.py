"""`glan publish --to hf://…`: what a person is told, the code, and that no token is said or left."""

import json
import sys
from pathlib import Path

import pytest
from hub_server import TOKEN, HubServer
from terminal_world import listing, settle_in, typed
from tiny_store import commit, instruction, new_store, publish, unit

LINE = ("publish", "first", "--test", "0", "--validation", "0", "--to", "hf://datasets/me/data")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a store of one row."""
    settle_in(tmp_path, monkeypatch)
    store = new_store("store")
    one = unit("instructions", "physics", "optics.0-1")
    publish(store, commit(store, one, [instruction("q1", one)]))
    return tmp_path


def test_a_release_is_pushed_and_then_there_is_nothing_to_do(hub: HubServer, place: Path) -> None:
    said = typed(*LINE, "--public")
    assert said.code == 0, said.stderr
    assert "Copied to hf://datasets/me/data" in said.stdout
    dataset = hub.datasets["me/data"]
    assert "first" in dataset.tags and not dataset.private
    again = typed(*LINE)
    assert (again.code, "Nothing to copy" in again.stdout) == (0, True)
    assert json.loads(typed(*LINE, "--json").stdout)["files_copied"] == 0
    assert TOKEN not in "".join((said.stdout, said.stderr, again.stdout, again.stderr))
    assert not any(TOKEN.encode() in (body or b"") for body in listing(place).values())


@pytest.mark.parametrize("token", ["", "hf_unknown0123456789"])
def test_without_a_token_that_counts_nothing_is_published(
    hub: HubServer, place: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    before = listing(place)
    said = typed(*LINE)
    assert (said.code, "HF_TOKEN" in said.stderr, said.stderr.count("glan: ")) == (2, True, 1)
    assert not token or token not in said.stderr
    assert (listing(place), hub.datasets) == (before, {})


def test_a_hub_that_answers_nothing_is_told_and_nothing_is_published(hub: HubServer, place: Path) -> None:
    hub.when = lambda asked: 503
    before = listing(place)
    said = typed(*LINE)
    assert (said.code, "503" in said.stderr, "nothing was published" in said.stderr) == (1, True, True)
    assert listing(place) == before


def test_a_push_that_broke_off_is_told_and_gone_on_with(hub: HubServer) -> None:
    hub.when = lambda asked: 500 if "/commit/" in asked else None
    said = typed(*LINE)
    assert (said.code, "publish again to go on" in said.stderr) == (1, True)
    hub.when = lambda asked: None
    assert typed(*LINE).code == 0
    assert "first" in hub.datasets["me/data"].tags


def test_a_run_of_the_deployment_pushes_it_and_says_so(hub: HubServer, prefect_server: None) -> None:
    from flows.parameters import PublishConfig
    from flows.publish import publish_release

    form = PublishConfig.model_validate(
        {"release": "first", "options": {"test": 0, "validation": 0}, "to": "hf://datasets/me/data"}
    )
    once, again = (publish_release(form, return_state=True) for _ in range(2))
    assert "first" in hub.datasets["me/data"].tags
    assert (once.name, "; copied to hf://datasets/me/data" in str(once.message)) == ("Completed", True)
    assert "; nothing to copy to hf://datasets/me/data" in str(again.message)


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    said = typed(*LINE)
    assert (said.code, "pip install 'glan[hub]'" in said.stderr) == (2, True)
