"""Runs side by side, each with its own pass over the store: in the end no duplicate of another's is kept."""

from pathlib import Path

from msgspec.structs import replace
from tiny_store import Interrupted, commit, instruction, new_store, publish, unit

from glan.config import Curation
from glan.curation.signatures import signature
from glan.store import manifests
from glan.store.store import Store
from tasks.curation import curated_together

SAME = "Why does the price of bread rise in a dry year when the harvest of wheat is smaller than the year before?"


def publish_kept(store: Store, discipline_id: str, question_id: str, question: str = SAME) -> None:
    """As a run leaves it whose pass could not see the others."""
    above = commit(store, unit("answers", discipline_id, question_id), [{"question_id": question_id}])
    one = replace(unit("instructions", discipline_id, question_id), parent_digest=above.content_digest)
    row = instruction(question_id, one, question=question, signature=signature(question))
    publish(store, above, commit(store, one, [row]))


def kept(store: Store) -> list[str]:
    named = manifests.all_current(store.files, "instructions").values()
    rows = [row for manifest in named for receipt in manifest.units for row in store.read(receipt).to_pylist()]
    return sorted(row["question_id"] for row in rows if row["kept"])


def test_what_passes_at_the_same_time_have_missed_of_each_other_is_found_once(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    publish_kept(store, "economics", "a")
    publish_kept(store, "law", "b")
    curated_together(store, Curation(), "run")
    assert len(kept(store)) == 1
    before = store.files.list("")
    curated_together(store, Curation(), "run")
    assert store.files.list("") == before


def test_a_pass_during_which_others_publish_is_not_taken_for_one_over_all(tmp_path: Path) -> None:
    store = new_store(str(tmp_path))
    publish_kept(store, "economics", "a")
    publish_kept(store, "economics", "b")  # so that the pass has something to publish

    def publish_another() -> None:
        publish_kept(store, "law", "c")

    interrupted = Interrupted(str(tmp_path), "_manifests/instructions/economics", publish_another)
    curated_together(Store(interrupted), Curation(), "run")
    assert len(kept(store)) == 2
    curated_together(store, Curation(), "run")
    assert len(kept(store)) == 1
