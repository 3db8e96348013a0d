"""Units of work in the store: commit one, find one, read its rows."""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import ValidationError, convert
from msgspec.json import encode
from msgspec.structs import asdict, replace

from glan.errors import InputError, StoreError, Unreadable
from glan.names import shown
from glan.records import SCHEMAS, table
from glan.store import calls, manifests
from glan.store.files import Files
from glan.store.parquet import conformed, encoded, known, opened, rows_at
from glan.units import Receipt, Stage, Unit, discipline_of, folder_of

_OBJECT = re.compile(r"[\w./=-]+-[0-9a-f]{16}\.parquet", re.ASCII)
REMADE = "remove the object and run again: its units are made anew from the calls on record"
_LAYOUT_LINE = "glan store, layout v1"
_README = f"""{_LAYOUT_LINE}

Do not read this folder by listing it: it holds old and new versions of the same rows side by side.
What is current is said by files, never by names:
  _snapshots/<n>.json           the highest n: for each discipline and stage, the generation to read
  _manifests/<stage>/<discipline_id>/<generation>.json    the objects of one generation, with rows and SHA-256
  releases/<release>/           plain folders, made for any reader
From Python: glan.load("instructions", store=...); from a shell: glan files instructions.
No row is ever overwritten; remove what nothing names any more with `glan gc` only.
"""


class Store:
    """The objects of all units, each created once and never changed. Safe to use from many threads."""

    def __init__(self, files: Files) -> None:
        self.files = files

    @classmethod
    def open(cls, url: str) -> "Store":
        """A store by its address (see `Files.open`); nothing is read or written yet."""
        return cls(Files.open(url))

    @classmethod
    def existing(cls, url: str) -> "Store":
        """The store at an address.

        Raises:
            InputError: there is none yet.
            StoreError: there is something else, or another layout.
        """
        store = cls.open(url)
        if not store.begun():
            place = shown(store.files.url, 200)
            raise InputError(f"there is no store at {place}: name another in GLAN_STORE, or make it with `glan run`")
        return store

    def start(self) -> None:
        """Make sure that the store can be relied on, before anything is paid for.

        Raises:
            StoreError: it does not honour create-only writes, cannot be written, or has another layout.
        """
        begun = self.begun()
        self.files.probe()
        if not begun and not self.files.create("README.txt", _README.encode()):
            self.begun()

    def begun(self) -> bool:
        """Whether there is a store at this address; nothing is written.

        Raises:
            StoreError: there is something else, or another layout.
        """
        if not self.files.exists("README.txt"):
            return False
        first_line = self.files.read("README.txt").decode(errors="replace").partition("\n")[0].strip()
        if first_line != _LAYOUT_LINE:
            if re.fullmatch(r"glan store, layout v\d{1,4}", first_line):
                raise StoreError(f"{self.files.url} is a {first_line}; use the version of glan that made it")
            raise StoreError(
                f"{self.files.url} holds something else: v1/README.txt does not begin `{_LAYOUT_LINE}`; go elsewhere"
            )
        return True

    def find(self, unit: Unit) -> Receipt | None:
        """The receipt of a unit that is committed under exactly its own name; None if it is not.

        Raises:
            Unreadable: the object is damaged or belongs to something else.
        """
        try:
            found = self._read_back(unit.object)
        except FileNotFoundError:
            return None
        return _expect(found, unit)

    def commit(
        self,
        unit: Unit,
        rows: pa.Table,
        *,
        planned: int,
        content_digest: str,
        quarantine: pa.Table | None = None,
        capacity: int | None = None,
        calls: int = 0,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cost_usd: float | None = None,
        object: str | None = None,
    ) -> Receipt:
        """Write a unit's quarantine rows, if any, then its object (`object`: under another name than its own).

        Whoever comes second adopts what is there, so every caller returns the same receipt.

        Raises:
            StoreError: rows do not fit the schema or are of another unit; or the name is taken by something else.
        """
        if set(rows["unit_key"].unique().to_pylist()) - {unit.key}:
            raise StoreError(f"{unit.object}: its rows carry another unit_key than the unit")
        receipt = unit.receipt(
            object=object or unit.object,
            rows=rows.num_rows,
            sha256="",
            planned=planned,
            quarantined=quarantine.num_rows if quarantine is not None else 0,
            content_digest=content_digest,
            capacity=capacity,
            calls=calls,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost_usd=cost_usd,
        )
        body = encoded(unit.stage, rows, {"glan": _noted(receipt)})
        if quarantine is not None and quarantine.num_rows:
            self._commit_quarantine(receipt, quarantine)
        if self.files.create(receipt.object, body):
            return replace(receipt, sha256=hashlib.sha256(body).hexdigest())
        return _expect(self.receipt(receipt.object), unit)

    def read(self, receipt: Receipt, columns: list[str] | None = None) -> pa.Table:
        """The rows of exactly this unit, from its own object or from a merged part that names many.

        Raises:
            Unreadable: the object is gone, damaged, foreign, or has not the rows of the receipt.
        """
        wanted = columns or SCHEMAS[receipt.stage].names
        with self.opened(receipt.object) as file:
            there, first = known(file, wanted), receipt.first_row
            rows = file.read(there) if first is None else rows_at(file, first, receipt.rows, there)
            rows = conformed(rows, receipt.stage, wanted)
        if rows.num_rows != receipt.rows:
            count = f"{rows.num_rows} rows of {receipt.unit} instead of {receipt.rows}"
            raise Unreadable(f"{receipt.object} holds {count}; {REMADE}")
        return rows

    @contextlib.contextmanager
    def opened(self, object: str) -> Iterator[pq.ParquetFile]:
        """The object that holds the rows of a unit, maybe among those of others.

        Raises:
            Unreadable: the object is gone, damaged or foreign.
        """
        try:
            source = self.files.open_input(object)
        except FileNotFoundError as error:
            raise Unreadable(f"{object} is named by a receipt but is not in {self.files.url}") from error
        with _opened_unit(source, object) as file:
            yield file

    def read_quarantine(self, of: Unit | Receipt) -> pa.Table:
        """The requests of a committed unit that failed for good; empty if none did or the unit is not committed."""
        receipt = self.find(of) if isinstance(of, Unit) else of
        if receipt is None or not receipt.quarantined:
            return table("quarantine", [])
        path = self.quarantine_object(receipt)
        with opened(self.files.open_input(path), path, "quarantine") as file:
            return conformed(file.read(), "quarantine")

    def quarantine_object(self, receipt: Receipt) -> str:
        """The path of a committed unit's quarantine rows.

        Raises:
            StoreError: there are none.
        """
        for path in reversed(quarantine_paths(receipt)):
            if self.files.exists(path):
                return path
        raise StoreError(f"the quarantine rows of {receipt.object} are not in {self.files.url}")

    def disciplines(self) -> list[str]:
        """Every discipline of which there are generations or calls."""
        published = {path.split("/")[2] for path in self.files.names(manifests.FOLDER)}
        called = {discipline_of(path) for path in self.files.names(calls.FOLDER)}
        return sorted(published | called)

    def objects(self, stage: Stage, discipline_id: str) -> set[str]:
        """The paths of all objects of one stage and discipline, current or not, by one listing.

        Files that are not named as an object is, such as someone's backup copy, are passed over.
        """
        names = self.files.names(folder_of(stage, discipline_id))
        return {path for path in names if _OBJECT.fullmatch(path)}

    def receipt(self, object: str) -> Receipt:
        """The receipt of a unit's object, read back from the object itself.

        Raises:
            Unreadable: there is none, or it is damaged or foreign.
        """
        try:
            return self._read_back(object)
        except FileNotFoundError as error:
            raise Unreadable(f"{object} is not in {self.files.url}") from error

    def _read_back(self, object: str) -> Receipt:
        body = self.files.read(object)
        with _opened_unit(pa.BufferReader(body), object) as file:
            noted = (file.schema_arrow.metadata or {}).get(b"glan", b"{}")
        try:
            return convert({**json.loads(noted), "sha256": hashlib.sha256(body).hexdigest()}, Receipt)
        except (ValidationError, ValueError) as error:
            raise Unreadable(f"{object} carries no receipt, so it is not the object of one unit; {REMADE}") from error

    def _commit_quarantine(self, receipt: Receipt, quarantine: pa.Table) -> None:
        """Create the rows under the unit's own name, or under a second one if a maker that died failed elsewhere."""
        usual, special = quarantine_paths(receipt)
        if self.files.create(usual, encoded("quarantine", quarantine)):
            return
        with opened(self.files.open_input(usual), usual, "quarantine") as file:
            there = file.read(["request_key"])["request_key"].to_pylist()
        if sorted(there) != sorted(quarantine["request_key"].to_pylist()):
            self.files.create(special, encoded("quarantine", quarantine))


@contextlib.contextmanager
def _opened_unit(source: pa.NativeFile, object: str) -> Iterator[pq.ParquetFile]:
    """See `opened`; what goes wrong also says what to do about it."""
    try:
        with opened(source, object, object.partition("/")[0]) as file:
            yield file
    except Unreadable as error:
        raise Unreadable(f"{error}; {REMADE}") from error


def quarantine_paths(receipt: Receipt) -> tuple[str, str]:
    """The usual name and the one that holds only for these very rows; a unit is committed with one content only."""
    stem = f"{folder_of('quarantine', receipt.discipline_id)}/{receipt.stage}.{receipt.unit}-{receipt.key[:16]}"
    return f"{stem}.parquet", f"{stem}.{receipt.content_digest[:16]}.parquet"


def _noted(receipt: Receipt) -> str:
    """What an object says of its unit: all but what depends on its own bytes, and on where it lies later."""
    return encode(
        {name: value for name, value in asdict(receipt).items() if name not in ("sha256", "first_row")}
    ).decode()


def _expect(found: Receipt, unit: Unit) -> Receipt:
    if found.key != unit.key:
        belongs = f"belongs to another unit ({found.unit}, {found.key[:16]}) than {unit.address}"
        raise Unreadable(f"{found.object} {belongs}; {REMADE}")
    return found
