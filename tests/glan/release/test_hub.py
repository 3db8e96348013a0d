"""A release pushed to a dataset on the Hub, by its own client against a stand-in: whole or not at all, once, tagged."""

from pathlib import Path

import pytest
from hub_server import TOKEN, Dataset, HubServer
from tiny_store import NOON, commit, instruction, new_store, publish, unit

from glan.errors import InputError, StoreError
from glan.release import hub_push
from glan.release.copies import destination
from glan.release.publish import publish as release
from glan.release.releases import MANIFEST, ReleaseManifest, ReleaseOptions
from glan.store.store import Store

URL = "hf://datasets/me/data"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(str(tmp_path / "store"))


def made(
    store: Store, name: str = "first", day: int = 0, formats: tuple[str, ...] = ("parquet", "jsonl")
) -> ReleaseManifest:
    """A release, with two more rows than the one before."""
    one = unit("instructions", "physics", f"{name}.0-20")
    publish(store, commit(store, one, [instruction(f"{name}{n}", one) for n in range(2)]))
    options = ReleaseOptions(test=0, validation=0, formats=formats)  # type: ignore[arg-type]
    return release(store, name, options=options, run_id="run", clock=lambda: NOON.replace(day=NOON.day + day))


def pushed(store: Store, manifest: ReleaseManifest, url: str = URL, public: bool = False) -> int:
    """Push it as a command does."""
    to = destination(url, public)
    to.check()
    return to.copy(store.files, manifest)


def content(store: Store, manifest: ReleaseManifest) -> dict[str, bytes]:
    """Every file of a release."""
    paths = [MANIFEST, *(file.path for file in manifest.files)]
    return {path: store.files.read(f"releases/{manifest.release}/{path}") for path in paths}


def shown(dataset: Dataset, revision: str) -> dict[str, bytes]:
    """Every file that readers of a revision see, without what the Hub puts there."""
    found = dataset.at(revision)
    assert found is not None
    return {path: body for path, body in found.files.items() if path != ".gitattributes"}


def test_a_release_becomes_one_commit_and_a_tag_of_a_private_dataset(store: Store, hub: HubServer) -> None:
    manifest = made(store)
    assert pushed(store, manifest) == len(manifest.files) + 1
    dataset = hub.datasets["me/data"]
    assert dataset.private
    assert shown(dataset, "main") == shown(dataset, "first") == content(store, manifest)
    assert [one.message for one in dataset.commits.values()] == ["initial commit", "Release first"]


def test_a_dataset_can_be_made_for_everybody(store: Store, hub: HubServer) -> None:
    pushed(store, made(store), public=True)
    assert not hub.datasets["me/data"].private
    with pytest.raises(InputError, match="hf://datasets/OWNER/NAME"):
        destination("s3://bucket/folder", public=True)


def test_the_same_release_again_changes_nothing(store: Store, hub: HubServer) -> None:
    manifest = made(store)
    pushed(store, manifest)
    before = hub.counted("PUT"), len(hub.datasets["me/data"].commits)
    assert pushed(store, manifest) == 0
    assert (hub.counted("PUT"), len(hub.datasets["me/data"].commits)) == before


def test_a_push_that_broke_off_shows_nothing_and_is_gone_on_with(
    store: Store, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_push, "AT_A_TIME", 1)  # a file at a time
    manifest = made(store)
    hub.when = lambda asked: 403 if asked.startswith("PUT") and len(hub.large) == 1 else None
    with pytest.raises(StoreError, match=r"broke off.*403.*publish again to go on"):
        pushed(store, manifest)
    assert shown(hub.datasets["me/data"], "main") == {}
    sent = set(hub.large)
    hub.when, hub.asked = lambda asked: None, []
    pushed(store, manifest)
    assert shown(hub.datasets["me/data"], "first") == content(store, manifest)
    assert sent and not any(digest in asked for digest in sent for asked in hub.asked)


def test_a_push_that_broke_off_before_its_tag_is_only_tagged(store: Store, hub: HubServer) -> None:
    manifest = made(store)
    hub.when = lambda asked: 500 if "/tag/" in asked else None
    with pytest.raises(StoreError, match="publish again to go on"):
        pushed(store, manifest)
    assert hub.datasets["me/data"].tags == {}
    hub.when = lambda asked: None
    pushed(store, manifest)
    assert [one.message for one in hub.datasets["me/data"].commits.values()] == ["initial commit", "Release first"]
    assert shown(hub.datasets["me/data"], "first") == content(store, manifest)


def test_a_newer_release_takes_the_place_of_the_older_which_stays_under_its_tag(store: Store, hub: HubServer) -> None:
    first, second = made(store), made(store, "second", day=1, formats=("jsonl",))
    pushed(store, first)
    dataset = hub.datasets["me/data"]
    dataset.add("main", "by hand", {**dataset.commits[dataset.branches["main"]].files, "LICENSE": b"mine"})
    pushed(store, second)
    assert shown(dataset, "main") == shown(dataset, "second") == {**content(store, second), "LICENSE": b"mine"}
    assert shown(dataset, "first") == content(store, first)
    assert pushed(store, first) == 0


def test_what_did_not_change_is_not_sent_again(store: Store, hub: HubServer) -> None:
    pushed(store, made(store))
    hub.asked = []
    second = made(store, "second", day=1)
    pushed(store, second)
    known = hub.datasets["me/data"].tags["first"]
    same = [
        path
        for path, body in content(store, second).items()
        if hub.datasets["me/data"].commits[known].files.get(path) == body
    ]
    assert hub.counted("PUT") == sum(
        file.path.endswith((".parquet", ".png")) for file in second.files if file.path not in same
    )


def test_an_older_release_does_not_take_the_place_of_a_newer(store: Store, hub: HubServer) -> None:
    first, second = made(store), made(store, "second", day=1)
    pushed(store, second)
    with pytest.raises(InputError, match=r"newer release second.*@BRANCH"):
        pushed(store, first)
    pushed(store, first, f"{URL}@older")
    dataset = hub.datasets["me/data"]
    assert shown(dataset, "older") == shown(dataset, "first") == content(store, first)
    assert shown(dataset, "main") == content(store, second)


def test_an_older_release_that_was_never_tagged_is_tagged_before_it_is_replaced(store: Store, hub: HubServer) -> None:
    first, second = made(store), made(store, "second", day=1)
    pushed(store, first)
    hub.datasets["me/data"].tags.clear()
    pushed(store, second)
    assert shown(hub.datasets["me/data"], "first") == content(store, first)


def test_what_is_of_no_release_is_left_alone(store: Store, hub: HubServer) -> None:
    hub.datasets["me/data"] = Dataset(private=True)
    hub.datasets["me/data"].add("main", "mine", {"data/train.csv": b"1"})
    with pytest.raises(InputError, match="not of a release"):
        pushed(store, made(store))
    assert shown(hub.datasets["me/data"], "main") == {"data/train.csv": b"1"}


@pytest.mark.parametrize("left", ["tag", "branch"])
def test_another_release_of_the_same_name_is_left_alone(tmp_path: Path, hub: HubServer, left: str) -> None:
    one, other = (new_store(str(tmp_path / name)) for name in ("one", "other"))
    pushed(one, made(one))
    if left == "branch":
        hub.datasets["me/data"].tags.clear()
    before = dict(hub.datasets["me/data"].branches)
    with pytest.raises(InputError, match="under the name first"):
        pushed(other, made(other, day=1))
    assert hub.datasets["me/data"].branches == before


def test_a_passing_fault_is_waited_out(store: Store, hub: HubServer) -> None:
    struck: list[str] = []

    def once(asked: str) -> int | None:
        kind = next((one for one in ("whoami", "refs", "/commit/") if one in asked), None)
        if kind is None or kind in struck:
            return None
        struck.append(kind)
        return 503

    hub.when = once
    manifest = made(store)
    pushed(store, manifest)
    assert struck == ["whoami", "refs", "/commit/"]
    assert shown(hub.datasets["me/data"], "first") == content(store, manifest)


def test_a_commit_that_another_one_overtakes_is_made_again(store: Store, hub: HubServer) -> None:
    manifest = made(store)
    others: list[str] = []

    def overtaken(asked: str) -> int | None:
        if "/commit/" in asked and not others:
            dataset = hub.datasets["me/data"]
            files = dataset.commits[dataset.branches["main"]].files
            others.append(dataset.add("main", "by hand", {**files, "README.md": b"by hand"}))
        return None

    hub.when = overtaken
    pushed(store, manifest)
    assert shown(hub.datasets["me/data"], "main") == content(store, manifest)


def test_without_a_token_nothing_is_asked(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InputError, match="set HF_TOKEN"):
        destination(URL).check()
    assert hub.asked == []


@pytest.mark.parametrize(
    ("token", "url", "role", "told"),
    [
        ("hf_unknown0123456789", URL, "write", "refuses HF_TOKEN"),
        (TOKEN, "hf://datasets/others/data", "write", "does not belong to others"),
        (TOKEN, URL, "read", "may only read"),
    ],
)
def test_a_token_that_may_not_write_is_told_before_anything_is_made(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, token: str, url: str, role: str, told: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    hub.role = role
    with pytest.raises(InputError, match=told) as refused:
        destination(url).check()
    assert "HF_TOKEN" in str(refused.value) and token not in str(refused.value)
    assert hub.datasets == {}


def test_a_token_that_may_not_write_to_a_dataset_that_is_there_is_told(hub: HubServer) -> None:
    hub.datasets["others/data"] = Dataset(private=False)
    with pytest.raises(InputError, match=r"refuses HF_TOKEN for hf://datasets/others/data \(403"):
        destination("hf://datasets/others/data").check()


@pytest.mark.parametrize("status", [500, 418])
def test_what_the_hub_says_is_told_without_the_token(store: Store, hub: HubServer, status: int) -> None:
    hub.when = lambda asked: status if asked.startswith("POST /api/repos") else None
    with pytest.raises(StoreError, match=f"{status} a fault") as broken:
        pushed(store, made(store))
    assert TOKEN not in str(broken.value)


def test_a_hub_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch, hub: HubServer) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match=f"cannot be asked about {URL}.*nothing was published"):
        destination(URL).check()


@pytest.mark.parametrize(
    "url",
    [
        "hf://me/model",
        "hf://datasets/me",
        "hf://datasets/me/data/folder",
        "hf://spaces/me/app",
        f"{URL}@refs/pr/1",
        "hf://",
    ],
)
def test_an_address_that_is_no_dataset_is_told(url: str) -> None:
    with pytest.raises(InputError, match=r"hf://datasets/OWNER/NAME|no slash"):
        destination(url)
