"""A copy of a release elsewhere: whole, finished by its manifest, gone on with after a break, never over another."""

from pathlib import Path

import fsspec
import pytest
from tiny_store import clock, commit, instruction, new_store, publish, unit

from glan.errors import InputError, StoreError
from glan.release.copies import Folder, destination
from glan.release.publish import publish as release
from glan.release.releases import MANIFEST, ReleaseManifest, ReleaseOptions
from glan.store.store import Store


def made(store: Store, name: str = "first") -> ReleaseManifest:
    """A release of two rows."""
    one = unit("instructions", "physics", f"{name}.0-20")
    publish(store, commit(store, one, [instruction(f"{name}{n}", one) for n in range(2)]))
    options = ReleaseOptions(test=0, validation=0)
    return release(store, name, options=options, run_id="run", clock=clock)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(str(tmp_path / "store"))


@pytest.mark.parametrize("where", ["folder", "memory"])
def test_a_copy_is_the_release_byte_for_byte(store: Store, tmp_path: Path, where: str) -> None:
    manifest = made(store)
    to = Folder.of(f"{tmp_path}/copy" if where == "folder" else f"memory://{tmp_path.name}/copy/")
    assert to.copy(store.files, manifest) == len(manifest.files) + 1
    for path in [MANIFEST, *(file.path for file in manifest.files)]:
        assert to.system.cat_file(f"{to.root}/{path}") == store.files.read(f"releases/first/{path}")
    assert to.copy(store.files, manifest) == 0


def test_a_copy_to_a_bucket(store: Store, s3_url: str) -> None:
    manifest = made(store)
    to = Folder.of(f"{s3_url}/elsewhere/first")
    to.copy(store.files, manifest)
    assert to.system.cat_file(f"{to.root}/{MANIFEST}") == store.files.read(f"releases/first/{MANIFEST}")


def test_a_copy_that_broke_off_is_finished_and_what_was_cut_is_written_again(store: Store, tmp_path: Path) -> None:
    manifest, to = made(store), Folder.of(str(tmp_path / "copy"))
    to.copy(store.files, manifest)
    (tmp_path / "copy" / MANIFEST).unlink()
    cut = tmp_path / "copy" / manifest.files[0].path
    cut.write_bytes(cut.read_bytes()[:10])
    assert to.copy(store.files, manifest) == 2
    assert cut.read_bytes() == store.files.read(f"releases/first/{manifest.files[0].path}")


def test_a_folder_that_holds_another_release_is_left_alone(store: Store, tmp_path: Path) -> None:
    first, to = made(store), Folder.of(str(tmp_path / "copy"))
    to.copy(store.files, first)
    before = (tmp_path / "copy" / MANIFEST).read_bytes()
    with pytest.raises(InputError, match="another release"):
        to.copy(store.files, made(store, "second"))
    assert (tmp_path / "copy" / MANIFEST).read_bytes() == before


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftq://host/folder", "ftq"),
        ("s3://key:secret@bucket/folder", "no user or password"),
        ("memory://", "names no folder"),
    ],
)
def test_an_address_that_cannot_be_written_to_is_told(url: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        destination(url)
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


def test_what_breaks_off_is_told_with_what_to_do(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("a file in the way")
    with pytest.raises(StoreError, match="publish again to go on"):
        Folder.of(str(tmp_path / "copy")).copy(store.files, made(store))
    assert fsspec.filesystem("file").isfile(str(tmp_path / "copy"))
