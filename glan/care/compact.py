"""A store of many small objects -> one of few large ones, with the same rows; what was merged, as it goes.

It may run beside runs, readers and a second compaction, and may be killed at any moment: nothing is lost, and the next
one goes on. What it leaves behind is removed by `gc`.
"""

from collections.abc import Collection, Iterator

from glan.care.call_parts import merge_calls
from glan.care.merging import PART_BYTES, Merged
from glan.care.unit_parts import Tools, merge_units
from glan.dataset import View
from glan.errors import StoreError, StoreWeather
from glan.store.store import Store


def compact(
    store: Store, disciplines: Collection[str] | None, tools: Tools, part_bytes: int = PART_BYTES
) -> Iterator[Merged]:
    """Merge units and calls of all or some disciplines (ids or names) into parts of about `part_bytes`.

    Raises:
        InputError: a discipline is unknown.
        StoreError: something is damaged, or the store cannot be written; the other disciplines were merged first.
    """
    troubles = []
    for discipline_id in _chosen(store, disciplines):
        try:
            yield from merge_units(store, discipline_id, tools, part_bytes)
            yield from merge_calls(store.files, discipline_id, part_bytes)
        except StoreWeather:
            raise
        except StoreError as error:
            troubles.append(str(error))
    if troubles:
        raise StoreError(f"{'; '.join(troubles[:3])}; see `glan verify`")


def _chosen(store: Store, disciplines: Collection[str] | None) -> list[str]:
    if disciplines is not None:
        return sorted(View.open(store, "latest", disciplines).disciplines or ())
    return store.disciplines()
