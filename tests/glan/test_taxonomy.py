"""The taxonomy: what ships, how it is searched, how it grows, and how the store keeps it."""

import re

import pyarrow as pa
import pytest
from taxonomy_world import SMALL, assert_one_sentence, paths

from glan.errors import InputError, StoreError
from glan.records import SCHEMAS
from glan.taxonomy import Taxonomy, added, extended, from_table, read, shipped, to_yaml

# As printed in table 8 of the paper (123 of the 126 rows are known).
OF_THE_PAPER = """
Advertising; Aerospace industry; Agriculture; American history; American politics; Anthropology; Applied mathematics;
Archaeology; Architecture and design; Astronomy; Automotive industry; Biblical studies; Biology; Business;
Chemical Engineering; Chemistry; Civil Engineering; Clinical laboratory sciences; Clinical neuropsychology;
Clinical physiology; Communication studies; Computer science; Cultural industry; Dance; Dentistry; Dermatology;
Divinity; Earth science; Economics; Education; Education industry; Electric power industry; Electrical Engineering;
Emergency medicine; Energy industry; Environmental studies and forestry; Epidemiology; European history; Fashion; Film;
Film industry; Fishing industry; Floral; Food industry; Foreign policy; Geography; Geriatrics; Gynaecology;
Healthcare industry; Hematology; History; Holistic medicine; Hospitality industry; Housing; Industrial robot industry;
Infectious disease; Insurance industry; Intensive care medicine; Internal medicine; Journalism;
Languages and literature; Law; Leisure industry; Library and museum studies; Linguistics; Logic;
Materials Science and Engineering; Mathematics; Mechanical Engineering; Medical toxicology; Medicine;
Military sciences; Mining; Music; Music industry; Nursing; Nutrition; Obstetrics; Ophthalmology; Otolaryngology;
Pathology; Pediatrics; Performing arts; Petroleum industry; Pharmaceutical industry; Pharmaceutical sciences;
Philosophy; Physics; Political science; Prehistory; Preventive medicine; Psychiatry; Psychology;
Public administration; Public health; Public policy; Pulp and paper industry; Radiology; Real estate industry;
Religious Studies; Retail industry; Semiconductor industry; Sexology; Shipbuilding industry; Social work; Sociology;
Steel industry; Surgery; Systems science; Telecommunications industry; Television; Textile industry; Theatre;
Theology; Tobacco industry; Transport industry; Transportation; Urology; Veterinary medicine; Video game industry;
Visual arts; Water industry; Wood industry
"""


# What ships


def test_every_discipline_known_from_the_paper_ships_once_and_spelled_alike() -> None:
    known = [name.strip() for name in OF_THE_PAPER.split(";")]
    shipped_names = [one.discipline for one in shipped()]
    assert len(known) == len(set(known)) == 123
    assert sorted(set(known) & set(shipped_names)) == sorted(known)
    assert len(shipped_names) == len(set(shipped_names))


def test_what_a_reader_would_miss_ships_too() -> None:
    for name in ("Statistics", "Neuroscience", "Accounting", "Ethics", "Plumbing", "Personal finance"):
        assert shipped().find(name).origin == "curated"
    assert 150 <= len(shipped()) <= 200


def test_shipped_counts_are_those_of_the_levels() -> None:
    counts = shipped().counts
    assert counts.fields == len(shipped().tree)
    assert counts.sub_fields == sum(1 for sub_fields in shipped().tree.values() for name in sub_fields if name)
    assert counts.disciplines == len(shipped())


def test_the_shipped_tree_survives_being_written_and_read() -> None:
    assert read(to_yaml(shipped()), origin="curated") == shipped()


# Finding and selecting


def test_a_discipline_is_found_by_id_and_by_name_in_any_case() -> None:
    physics = shipped().find("physics")
    assert physics.path == "Natural sciences > Physical sciences > Physics"
    assert shipped().find("PHYSICS") == shipped().find(" Physics ") == physics
    assert shipped().find("american-history") == shipped().find("american  History")


def test_a_name_that_is_not_there_is_answered_with_what_comes_close() -> None:
    with pytest.raises(InputError, match="did you mean `Physics`"):
        shipped().find("phisics")
    with pytest.raises(InputError, match="there is no discipline 'xyzzy'"):
        shipped().find("xyzzy")


def test_selectors_add_up_in_the_order_of_the_tree() -> None:
    small = read(SMALL)
    assert small.select() == small.disciplines
    chosen = small.select(disciplines=["plumbing"], sub_fields=["life SCIENCES"], patterns=["chem*"])
    assert [one.discipline for one in chosen] == ["Chemistry", "Biology", "Plumbing"]
    assert [one.discipline for one in small.select(fields=["practical skills"])] == ["Carpentry", "Plumbing"]


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ({"disciplines": ["Phsics"]}, "`Physics`"),
        ({"fields": ["Natural science"]}, "`Natural sciences`"),
        ({"sub_fields": ["Lif sciences"]}, "`Life sciences`"),
        ({"sub_fields": [""]}, "no sub-field"),
        ({"patterns": ["zzz*"]}, "no discipline matches 'zzz"),
    ],
)
def test_a_selector_that_names_nothing_is_an_error(selector: dict[str, list[str]], hint: str) -> None:
    with pytest.raises(InputError, match=re.escape(hint)) as caught:
        read(SMALL).select(**selector)
    assert_one_sentence(str(caught.value))


# Growing


def test_new_nodes_join_their_branch_and_leave_the_others_as_they_are() -> None:
    base = read(SMALL, origin="curated")
    grown = extended(base, read("natural sciences:\n  physical Sciences:\n    - Astronomy\nArts:\n  - Dance\n"))
    assert paths(grown)[2] == ("Natural sciences", "Physical sciences", "Astronomy")
    assert paths(grown)[-1] == ("Arts", "", "Dance")
    assert set(base) < set(grown)
    assert [one.discipline for one in grown if one.origin == "user"] == ["Astronomy", "Dance"]


def test_what_is_already_there_is_no_error_and_no_change() -> None:
    base = read(SMALL, origin="curated")
    assert extended(base, read(SMALL.upper().replace("CARPENTRY", "carpentry"))) == base
    assert added(base, "Practical skills", "", "Carpentry") == base


def test_a_discipline_that_stands_elsewhere_is_refused_with_its_place() -> None:
    base = read(SMALL, "base.yaml")
    with pytest.raises(InputError) as caught:
        extended(base, read("Arts:\n  - Physics\n", "mine.yaml"))
    assert str(caught.value).startswith("mine.yaml, line 2: ")
    assert "Natural sciences > Physical sciences > Physics' (base.yaml, line 3)" in str(caught.value)


def test_a_sub_field_that_stands_under_another_field_is_refused() -> None:
    with pytest.raises(InputError, match=r"^mine.yaml, line 3: the sub-field 'Trades' of 'Arts' is already there"):
        extended(read(SMALL), read("Arts:\n  Trades:\n    - Dance\n", "mine.yaml"))


def test_one_discipline_can_be_added_by_its_names() -> None:
    grown = added(read(SMALL), "Natural sciences", "Life sciences", "Genetics")
    assert grown.find("genetics").path == "Natural sciences > Life sciences > Genetics"
    assert added(read(SMALL), "Arts", "", "Dance").find("dance").sub_field == ""


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("", "", "Dance"), "field: a name is empty"),
        (("Arts", "../x", "Dance"), "sub-field: the name '../x' looks like a path"),
        (("Arts", "Stage", "\u202eDance"), "discipline: the name '\\u202eDance' holds the unreadable character U+202E"),
        (("Arts", "Stage", "Physics"), "taxonomy: the discipline 'Physics' is already there as 'Natural sciences >"),
    ],
)
def test_a_wrong_name_to_add_is_told_by_its_level(path: tuple[str, str, str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        added(read(SMALL, "base.yaml"), *path)
    assert str(caught.value).startswith(told)
    assert_one_sentence(str(caught.value))


def test_one_discipline_cannot_be_given_twice() -> None:
    (one,) = read("Arts:\n  - Dance\n")
    with pytest.raises(InputError, match="already there"):
        Taxonomy.of([one, one])


# The table


def stored(taxonomy: Taxonomy) -> pa.Table:
    fields = [SCHEMAS["taxonomy"].field(name) for name in taxonomy.rows(1)[0]]
    return pa.Table.from_pylist(taxonomy.rows(3), schema=pa.schema(fields))


def test_rows_are_those_of_the_taxonomy_table_without_the_common_columns() -> None:
    common = {"unit_key", "edition", "run_id", "created_at"}
    row = read(SMALL).rows(3)[0]
    assert row.keys() == set(SCHEMAS["taxonomy"].names) - common
    assert row["taxonomy_version"] == 3 and row["discipline_id"] == "physics" and row["origin"] == "user"


def test_a_stored_taxonomy_comes_back_as_it_was() -> None:
    grown = added(shipped(), "Arts", "", "Calligraphy")
    assert from_table(stored(grown)) == grown


@pytest.mark.parametrize(
    ("column", "value"),
    [("discipline_id", "../x"), ("discipline_id", "chemistry"), ("origin", "nobody"), ("discipline", None)],
)
def test_a_damaged_table_is_an_error_of_the_store(column: str, value: str | None) -> None:
    table = stored(read(SMALL))
    rows = table.to_pylist()
    rows[0][column] = value
    with pytest.raises(StoreError, match=r"^the stored taxonomy "):
        from_table(pa.Table.from_pylist(rows, schema=table.schema))
    with pytest.raises(StoreError, match="no column origin"):
        from_table(table.drop_columns(["origin"]))
