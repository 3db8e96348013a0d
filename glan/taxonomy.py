"""The taxonomy: field -> sub-field -> discipline, the tree that everything else is made from (paper, section 2.1).

A discipline may stand directly under a field; its sub-field is then the empty string.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import pyarrow as pa

from glan.errors import InputError, StoreError
from glan.keys import slug
from glan.names import clean, look_alike, same, shown
from glan.taxonomy_file import entries, written

Origin = Literal["curated", "model", "user"]

_COLUMNS = ("field", "sub_field", "discipline", "discipline_id", "origin")
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Discipline:
    """A leaf of the tree: what gets subjects, syllabi, questions and answers of its own."""

    field: str
    sub_field: str
    discipline: str
    discipline_id: str
    origin: Origin
    where: str = dataclasses.field(default="", compare=False, repr=False)
    """File and line it was read from, for messages; empty if it came from elsewhere."""

    @property
    def path(self) -> str:
        """The way to it, for people: `Natural sciences > Physical sciences > Physics`."""
        return " > ".join(part for part in (self.field, self.sub_field, self.discipline) if part)


class Counts(NamedTuple):
    """How many nodes each level has."""

    fields: int
    sub_fields: int
    disciplines: int


@dataclasses.dataclass(frozen=True)
class Taxonomy:
    """All disciplines in the order of the tree. Build it with `of`, which keeps names and ids unique."""

    disciplines: tuple[Discipline, ...]

    @classmethod
    def of(cls, disciplines: Iterable[Discipline]) -> "Taxonomy":
        """The tree of these disciplines: fields, sub-fields and disciplines each in order of first appearance.

        Raises:
            InputError: a discipline or an id stands twice, or a sub-field under two fields.
        """
        given = tuple(disciplines)
        _refuse_doubles(given)
        branches = _tree(given).values()
        return cls(tuple(leaf for sub_fields in branches for leaves in sub_fields.values() for leaf in leaves))

    def __iter__(self) -> Iterator[Discipline]:
        return iter(self.disciplines)

    def __len__(self) -> int:
        return len(self.disciplines)

    @property
    def tree(self) -> dict[str, dict[str, list[Discipline]]]:
        """Field -> sub-field -> disciplines, in order; the sub-field "" holds those directly under the field."""
        return _tree(self.disciplines)

    @property
    def counts(self) -> Counts:
        """Nodes per level."""
        sub_fields = {one.sub_field for one in self if one.sub_field}
        return Counts(len(self.tree), len(sub_fields), len(self))

    def find(self, wanted: str) -> Discipline:
        """The discipline of that id or name, however the name is cased or spaced.

        Raises:
            InputError: there is none; names those that come close.
        """
        found = self._by_name.get(same(wanted))
        if found is None:
            names = {key: one.discipline for key, one in self._by_name.items()}
            raise _unknown("discipline", wanted, names, self._level_of(wanted))
        return found

    def select(
        self,
        disciplines: Sequence[str] = (),
        fields: Sequence[str] = (),
        sub_fields: Sequence[str] = (),
        patterns: Sequence[str] = (),
    ) -> tuple[Discipline, ...]:
        """All that any selector names, in the order of the tree; everything if there is no selector.

        Patterns are those of a shell (`*industry`, `bio*`), over names and ids, whatever their case.

        Raises:
            InputError: a selector names nothing.
        """
        if not (disciplines or fields or sub_fields or patterns):
            return self.disciplines
        chosen = {self.find(wanted).discipline_id for wanted in disciplines}
        chosen |= self._under("field", fields)
        chosen |= self._under("sub_field", sub_fields)
        for pattern in patterns:
            chosen |= self._matching(pattern)
        return tuple(one for one in self if one.discipline_id in chosen)

    def rows(self, version: int) -> list[dict[str, Any]]:
        """The rows of the `taxonomy` table, without the columns that all tables share."""
        return [{name: getattr(one, name) for name in _COLUMNS} | {"taxonomy_version": version} for one in self]

    @cached_property
    def _by_name(self) -> Mapping[str, Discipline]:
        return {one.discipline_id: one for one in self} | {same(one.discipline): one for one in self}

    def _under(self, level: Literal["field", "sub_field"], wanted: Sequence[str]) -> set[str]:
        ids: dict[str, set[str]] = {}
        for one in self:
            ids.setdefault(getattr(one, level), set()).add(one.discipline_id)
        names = {same(name): name for name in ids if name}
        for name in wanted:
            if same(name) not in names:
                raise _unknown(level.replace("_", "-"), name, names, self._level_of(name))
        return set().union(*(ids[names[same(name)]] for name in wanted))

    def _level_of(self, wanted: str) -> str:
        """The level at which this name stands; empty: at none."""
        for level in ("field", "sub_field", "discipline"):
            if any(same(getattr(one, level)) == same(wanted) for one in self if getattr(one, level)):
                return level.replace("_", "-")
        return ""

    def _matching(self, pattern: str) -> set[str]:
        wanted = same(pattern)
        found = {
            one.discipline_id
            for one in self
            if fnmatchcase(same(one.discipline), wanted) or fnmatchcase(one.discipline_id, wanted)
        }
        if not found:
            raise InputError(f"no discipline matches '{shown(pattern)}' (`glan taxonomy show` lists them all)")
        return found


@cache
def shipped() -> Taxonomy:
    """The curated taxonomy that comes with the project."""
    return read(Path(__file__).with_name("taxonomy.yaml"), "glan/taxonomy.yaml", origin="curated")


def read(source: Path | str, name: str = "", origin: Origin = "user") -> Taxonomy:
    """A taxonomy from a YAML or JSON file (a `Path`) or from its text (a `str`); `name` stands in errors.

    Raises:
        InputError: the first thing wrong, with file and line.
    """
    name = name or (str(source) if isinstance(source, Path) else "taxonomy")
    return Taxonomy.of(
        _discipline(entry.field, entry.sub_field, entry.discipline, origin, f"{name}, line {entry.line}")
        for entry in entries(source, name)
    )


def extended(base: Taxonomy, addition: Taxonomy) -> Taxonomy:
    """`base` with the new disciplines of `addition` at the end of their branches; what is already there stays as it is.

    Raises:
        InputError: a discipline or sub-field of `addition` already stands elsewhere in `base`; says where.
    """
    fields = {same(one.field): one.field for one in base}
    sub_fields = {same(one.sub_field): one.sub_field for one in base}
    known = {same(one.discipline): one for one in base}
    new = []
    for one in addition:
        placed = dataclasses.replace(
            one,
            field=fields.get(same(one.field), one.field),
            sub_field=sub_fields.get(same(one.sub_field), one.sub_field),
        )
        there = known.get(same(one.discipline))
        if there is None or (there.field, there.sub_field) != (placed.field, placed.sub_field):
            new.append(placed)
    return Taxonomy.of([*base, *new])


def added(base: Taxonomy, field: str, sub_field: str, discipline: str, origin: Origin = "user") -> Taxonomy:
    """`base` with one more discipline; `sub_field` is empty for one directly under its field.

    Raises:
        InputError: a name is no name, or the discipline already stands elsewhere.
    """
    names = {"field": field, "sub-field": sub_field, "discipline": discipline}
    for kind, name in names.items():
        try:
            names[kind] = clean(name) if name or kind != "sub-field" else ""
        except ValueError as error:
            raise InputError(f"{kind}: {error}") from None
    one = _discipline(names["field"], names["sub-field"], names["discipline"], origin)
    return extended(base, Taxonomy.of([one]))


def from_table(table: pa.Table) -> Taxonomy:
    """The taxonomy of a stored table, with its ids as they are.

    Raises:
        StoreError: the table is damaged.
    """
    missing = sorted(set(_COLUMNS) - set(table.column_names))
    if missing:
        raise StoreError(f"the stored taxonomy has no column {', '.join(missing)}")
    rows = table.select(list(_COLUMNS)).to_pylist()
    for row in rows:
        if any(not isinstance(value, str) for value in row.values()) or not _ID.fullmatch(row["discipline_id"]):
            raise StoreError(f"the stored taxonomy has a damaged row ({shown(str(row['discipline']))})")
        if row["origin"] not in get_args(Origin):
            raise StoreError(f"the stored taxonomy has a row of unknown origin ({shown(row['origin'])})")
    try:
        return Taxonomy.of(Discipline(**row) for row in rows)
    except InputError as error:
        raise StoreError(f"the stored taxonomy contradicts itself: {error}") from error


def to_yaml(taxonomy: Taxonomy) -> str:
    """The tree as a file a person can edit; `read` makes the same tree of it (origins are not written)."""
    return written(
        {
            field: {sub_field: [one.discipline for one in leaves] for sub_field, leaves in sub_fields.items()}
            for field, sub_fields in taxonomy.tree.items()
        }
    )


def _discipline(field: str, sub_field: str, discipline: str, origin: Origin, where: str = "") -> Discipline:
    return Discipline(field, sub_field, discipline, _id_of(discipline), origin, where)


def _id_of(discipline: str) -> str:
    """The slug of the name; for a name that leaves none, such as one in Chinese, a digest of it."""
    return slug(discipline) or "d-" + sha256(same(discipline).encode()).hexdigest()[:12]


def _tree(disciplines: Iterable[Discipline]) -> dict[str, dict[str, list[Discipline]]]:
    tree: dict[str, dict[str, list[Discipline]]] = {}
    for one in disciplines:
        tree.setdefault(one.field, {}).setdefault(one.sub_field, []).append(one)
    return tree


def _refuse_doubles(disciplines: Iterable[Discipline]) -> None:
    by_name: dict[str, Discipline] = {}
    by_id: dict[str, Discipline] = {}
    by_sub_field: dict[str, Discipline] = {}
    for one in disciplines:
        if first := by_name.get(same(one.discipline)):
            clash = f"the discipline '{shown(one.discipline)}' is already there as"
            raise _double(one, clash, first, "keep one of the two")
        if first := by_id.get(one.discipline_id):
            clash = f"the discipline '{shown(one.discipline)}' would share the id `{one.discipline_id}` with"
            raise _double(one, clash, first, "rename one of the two")
        first = by_sub_field.get(same(one.sub_field)) if one.sub_field else None
        if first and (first.field, first.sub_field) != (one.field, one.sub_field):
            clash = f"the sub-field '{shown(one.sub_field)}' of '{shown(one.field)}' is already there, above"
            raise _double(one, clash, first, "give one of the two sub-fields another name")
        by_name[same(one.discipline)] = by_id[one.discipline_id] = by_sub_field[same(one.sub_field)] = one


def _double(one: Discipline, clash: str, first: Discipline, fix: str) -> InputError:
    place = f" ({first.where})" if first.where else ""
    return InputError(f"{one.where or 'taxonomy'}: {clash} '{shown(first.path, 120)}'{place}; {fix}")


def _unknown(kind: str, wanted: str, names: Mapping[str, str], level: str) -> InputError:
    """`names`: what is shown of each, by what it is compared with; `level`: where the name stands, if anywhere."""
    if level:
        setting = f"{level.replace('-', '_')}s"
        return InputError(
            f"there is no {kind} '{shown(wanted)}': that is a {level}; choose it by --{level}, or `{setting}` in a run file"
        )
    key = same(wanted)
    last = key.rpartition(">")[2].strip()  # of a path, as the tree is shown
    holding = [other for other in names if len(last) > 2 and last in other]
    close = [*get_close_matches(key, names, n=3, cutoff=0.7), *holding]
    suggestions = [f"`{name}`" for name in dict.fromkeys(names[other] for other in close)][:3]
    hint = f"did you mean {' or '.join(suggestions)}?" if suggestions else "nothing comes close"
    if stranger := look_alike(wanted):
        hint += f" {stranger}"
    return InputError(f"there is no {kind} '{shown(wanted)}': {hint} (`glan taxonomy show` lists them all)")
