"""Many small parts of the call log -> a few large ones, which name the parts they replace.

Merged parts of a discipline are numbered, and each number is given once: whoever wants to write the next one has seen
all before it. So no two of them replace the same part, and each call is counted once, by whoever reads at any moment.
"""

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa

from glan.care.merging import PART_BYTES, Merged, PartWriter, Piece, in_parts, worth_merging
from glan.errors import StoreError, StoreWeather
from glan.store import calls
from glan.store.files import Files
from glan.store.parquet import conformed, opened
from glan.units import folder_of

_ROWS_PER_GROUP = 512
_RACES = 100


def merge_calls(files: Files, discipline_id: str, part_bytes: int = PART_BYTES) -> Iterator[Merged]:
    """Merge the parts of a discipline's calls.

    Raises:
        StoreError: a merged part is damaged, or the store cannot be written.
    """
    folder = folder_of(calls.FOLDER, discipline_id)
    for _ in range(_RACES):
        entries = {entry.path: entry for entry in files.list(folder)}
        current = calls.objects(files, [discipline_id])
        pieces = [Piece(path, entries[path].size, not calls.is_merged(path)) for path in current if path in entries]
        worth = set(worth_merging(pieces, part_bytes))
        if len(worth) < 2:
            return
        number = max((calls.merged_number(path) for path in entries), default=0)
        whole = True
        for group in in_parts([piece for piece in pieces if piece.thing in worth], part_bytes):
            number += 1
            merged = _merge(files, discipline_id, number, group)
            if merged is None:  # somebody else has written this number meanwhile: look again
                whole = False
                break
            yield merged
        if whole:
            return
    raise StoreWeather(f"{folder}: others merged its parts {_RACES} times meanwhile; try again")


def _merge(files: Files, discipline_id: str, number: int, group: Sequence[Piece[str]]) -> Merged | None:
    """One part; None if its number is taken. What cannot be read is left out and stays."""
    sound = [piece.thing for piece in group if is_sound(files, piece.thing)]
    replaced = sorted({*sound, *calls.replaced(files, sound)})
    writer = PartWriter("calls", _ROWS_PER_GROUP, {"replaces": json.dumps(replaced)})
    for path in sound:
        for rows in _read(files, path):
            writer.add(rows)
    body = writer.body()
    part = calls.merged_path(discipline_id, number)
    if not files.create(part, body):
        return None
    return Merged(
        table="calls",
        discipline_id=discipline_id,
        part=part,
        objects=len(sound),
        rows=writer.rows,
        bytes_before=round(sum(piece.size for piece in group)),
        bytes_after=len(body),
        left=tuple(piece.thing for piece in group if piece.thing not in sound),
    )


def is_sound(files: Files, path: str) -> bool:
    """Whether every row of a part can be read."""
    try:
        for _ in _read(files, path):
            pass
    except StoreWeather:
        raise
    except StoreError:
        return False
    return True


def _read(files: Files, path: str) -> Iterator[pa.Table]:
    with opened(files.open_input(path), path, "calls") as file:
        for batch in file.iter_batches(_ROWS_PER_GROUP):
            yield conformed(pa.Table.from_batches([batch]), "calls")
