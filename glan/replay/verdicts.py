"""The passes of curation on record, one after another, on rebuilt rows: the objects that hold their verdicts on duplicates."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from glan.curation.curate import found_among, rewritten
from glan.curation.overview import Overview
from glan.errors import InputError, StoreError, StoreWeather
from glan.release.releases import held_by_release
from glan.replay.wanted import has_verdicts
from glan.store import manifests, runs
from glan.store.manifests import Manifest
from glan.store.parts import is_part
from glan.store.store import Store
from glan.units import Receipt

Published = Mapping[str, Mapping[str, Receipt]]
"""By discipline and address."""


def generations(store: Store) -> list[Manifest]:
    """All generations of instructions that are kept, in the order in which they were published."""
    paths = [entry.path for entry in store.files.list(f"{manifests.FOLDER}/instructions")]
    kept = [manifests.at(store.files, *manifests.place_of(path)) for path in paths]
    return sorted(kept, key=lambda one: (one.created_at, one.discipline_id, one.generation))


def make_all(store: Store, passes: Sequence[Manifest]) -> None:
    """Make the objects of each pass, as far as they come out under the names that are on record.

    `store` holds the units as they were judged before any pass. What was published in a pass depends on what readers
    saw before it, so the passes are gone through from the first that is kept.
    """
    before: dict[str, dict[str, Receipt]] = {}
    for run_id, some in groupby(passes, key=lambda one: one.run_id):
        after = before | {one.discipline_id: _as_made(one, before.get(one.discipline_id, {})) for one in some}
        _make(store, run_id, before, after)
        before = after


def _make(store: Store, run_id: str, before: Published, after: Published) -> None:
    new = {
        name: {
            unit
            for unit, receipt in some.items()
            if has_verdicts(receipt) and before.get(name, {}).get(unit) != receipt
        }
        for name, some in after.items()
    }
    if not any(new.values()):
        return
    units = {name: [_as_judged(store, one) for _, one in sorted(some.items())] for name, some in after.items()}
    try:
        settings = runs.config_of(store.files, runs.find(store.files, run_id)).curation
        overview = Overview(
            store,
            [unit for some in units.values() for unit in some],
            [unit for some in before.values() for unit in some.values()],
            held_by_release(store.files),
        )
        duplicates = found_among(overview, settings)
        for name, some in units.items():
            for receipt in some:
                if receipt.unit in new[name]:
                    rewritten(store, receipt, duplicates)
    except StoreWeather:
        raise
    except (StoreError, InputError):
        return  # a unit, what readers saw before or the embedding model is not to be had: what is missing is told by path


def _as_made(generation: Manifest, before: Mapping[str, Receipt]) -> dict[str, Receipt]:
    """The units that a generation names; those that were merged since the last one where they were until then."""
    named = {}
    for receipt in generation.units:
        last = before.get(receipt.unit)
        is_the_same = last is not None and (last.key, last.content_digest) == (receipt.key, receipt.content_digest)
        named[receipt.unit] = last if last is not None and is_the_same and is_part(receipt.object) else receipt
    return named


def _as_judged(store: Store, receipt: Receipt) -> Receipt:
    """The unit before any pass; the very unit that is named where that is all there is."""
    own = receipt.own_object
    return store.receipt(own) if store.files.exists(own) else receipt
