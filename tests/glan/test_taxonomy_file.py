"""Files of a taxonomy: what a person may write, what every mistake is told, and what is written is read the same."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from taxonomy_world import SMALL, assert_one_sentence, paths

from glan import names, taxonomy_file
from glan.errors import InputError
from glan.taxonomy import Discipline, Taxonomy, read, to_yaml


def test_a_discipline_stands_under_a_sub_field_or_directly_under_a_field() -> None:
    assert paths(read(SMALL)) == [
        ("Natural sciences", "Physical sciences", "Physics"),
        ("Natural sciences", "Physical sciences", "Chemistry"),
        ("Natural sciences", "Life sciences", "Biology"),
        ("Practical skills", "", "Carpentry"),
        ("Practical skills", "Trades", "Plumbing"),
    ]


def test_json_is_read_as_yaml() -> None:
    assert paths(read('{"Arts": {"Stage": ["Dance", "Theatre"]}}')) == [
        ("Arts", "Stage", "Dance"),
        ("Arts", "Stage", "Theatre"),
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert paths(read(path)) == paths(read(SMALL))


@pytest.mark.parametrize(
    ("name", "discipline_id"),
    [
        ("Naïve Bayes", "naive-bayes"),
        ("C++ programming", "c-programming"),
        ("中文", "d-72726d8818f6"),
        ("زبان\u200cشناسی", None),
        ("\uff30hysics", "physics"),
    ],
)
def test_names_of_any_script_get_an_id_fit_for_a_path(name: str, discipline_id: str | None) -> None:
    (one,) = read(f"Field:\n  - {name}\n")
    assert one.discipline == name
    assert re.fullmatch(r"[a-z0-9-]+", one.discipline_id)
    assert discipline_id in (None, one.discipline_id)


def test_spaces_around_and_within_a_name_are_tidied() -> None:
    (one,) = read('Field:\n  - "  Computer \u00a0 science "\n')
    assert one.discipline == "Computer science"


def test_a_decomposed_name_is_the_composed_one() -> None:
    assert read("Field:\n  - Nai\u0308ve Bayes\n") == read("Field:\n  - Na\u00efve Bayes\n")


# Mistakes: what is written, the line that is named, a word that the sentence holds.

BAD_TEXTS = {
    "duplicate discipline": ("A:\n  - Physics\n  - Physics\n", 3, "line 2"),
    "duplicate in another branch": ("A:\n  B:\n    - Physics\nC:\n  D:\n    - Physics\n", 6, "A > B > Physics"),
    "duplicate in other case": ("A:\n  - Physics\n  - PHYSICS\n", 3, "already there"),
    "duplicate in other width": ("A:\n  - Physics\n  - \uff30hysics\n", 3, "already there"),
    "duplicate in other spaces": ("A:\n  - Earth science\n  - Earth   science\n", 3, "already there"),
    "duplicate by a joiner": ("A:\n  - زبانشناسی\n  - زبان\u200cشناسی\n", 3, "already there"),
    "two names of one id": ("A:\n  - C\n  - C++\n", 3, "share the id `c`"),
    "field twice": ("A:\n  - Physics\na:\n  - Law\n", 3, "line 1"),
    "sub-field twice": ("A:\n  B:\n    - Physics\n  B:\n    - Law\n", 4, "line 2"),
    "sub-field in two fields": ("A:\n  B:\n    - Physics\nC:\n  b:\n    - Law\n", 5, "line 2"),
    "sub-field twice in a list": ("A:\n  - B: [Physics]\n  - B: [Law]\n", 3, "line 2"),
    "key twice on one line": ('{"A": ["Physics"], "A": ["Law"]}', 1, "stands already"),
    "empty field": ("A:\n  - Physics\nB:\n", 3, "no disciplines"),
    "empty sub-field": ("A:\n  B:\n  C:\n    - Physics\n", 2, "'B' has no disciplines"),
    "field with an empty list": ("A: []\n", 1, "no disciplines"),
    "field with an empty mapping": ("A: {}\n", 1, "no disciplines"),
    "empty item": ("A:\n  - Physics\n  -\n  - Law\n", 3, "is missing"),
    "empty quoted name": ('A:\n  - ""\n', 2, "empty"),
    "blank name": ('A:\n  - " \u3000 "\n', 2, "empty"),
    "empty key": ("? \n: - Physics\n", 1, "is missing"),
    "empty mapping as an item": ("A:\n  - {}\n", 2, "not a list or a mapping"),
    "cycle": ("A: &a\n  - Physics\n  - B: *a\n", 1, "anchors"),
    "recursive alias": ("&a A:\n  B: [*a]\n", 1, "anchors"),
    "billion laughs": ('a: &a ["x"]\nb: &b [*a, *a]\nc: &c [*b, *b]\n', 1, "anchors"),
    "unknown alias": ("A:\n  - *nowhere\n", 2, "aliases"),
    "merge key": ("A:\n  <<: [Physics]\n", 2, "quotes"),
    "python tag": ("A:\n  - !!python/object/apply:os.system ['true']\n", 2, "tag"),
    "own tag": ("A:\n  - !mine Physics\n", 2, "tag"),
    "control character": ("A:\n  - Phy\x07sics\n", 2, "U+0007"),
    "NUL": ("A:\n  - Physics\n  - L\0aw\n", 3, "U+0000"),
    "newline in a name": ('A:\n  - "Phy\\nsics"\n', 2, "U+000A"),
    "tab in a name": ('A:\n  - "Phy\\tsics"\n', 2, "U+0009"),
    "line separator": ("A:\n  - Phy\u2028sics\n", 2, "U+2028"),
    "right-to-left override": ("A:\n  - \u202escisyhP\n", 2, "U+202E"),
    "zero-width space": ("A:\n  - Phy\u200bsics\n", 2, "U+200B"),
    "joiner in Latin": ("A:\n  - Phy\u200csics\n", 2, "U+200C"),
    "soft hyphen": ("A:\n  - Phy\u00adsics\n", 2, "U+00AD"),
    "Hangul filler": ("A:\n  - \u3164\n", 2, "U+3164"),
    "byte order mark within": ("A:\n  - Phy\ufeffsics\n", 2, "U+FEFF"),
    "lost character": ("A:\n  - Na\ufffdve\n", 2, "U+FFFD"),
    "lone surrogate": ("A:\n  - Phy\ud800sics\n", 2, "UTF-8"),
    "path": ("A:\n  - ../../etc/passwd\n", 2, "path"),
    "double dot": ("A:\n  - a..b\n", 2, "path"),
    "backslash": ("A:\n  - C:\\Windows\n", 2, "path"),
    "slash in a field": ("A/B:\n  - Physics\n", 1, "path"),
    "wide slash": ("A:\n  - a\uff0fb\n", 2, "path"),
    "no letter": ("A:\n  - '---'\n", 2, "no letter"),
    "digits only": ("A:\n  - '2024'\n", 2, "no letter"),
    "long name": (f"A:\n  - {'x' * 1000}\n", 2, "1000 characters"),
    "long field": (f"{'x' * 201}:\n  - Physics\n", 1, "201 characters"),
    "discipline with keys": ("A:\n  B:\n    - Physics\n    - name: Law\n      description: x\n", 4, "`name:`"),
    "keys where disciplines belong": ("A:\n  B:\n    description: x\n", 3, "`description:`"),
    "text where a list belongs": ("A:\n  B: Physics\n", 2, "`Physics`"),
    "version on top": ("version: 2\nA:\n  - Physics\n", 1, "'version'"),
    "boolean": ("A:\n  - No\n", 2, "yes/no"),
    "number": ("A:\n  - 2024\n", 2, "a number"),
    "date": ("A:\n  - 2024-01-01\n", 2, "a date"),
    "null by name": ("A:\n  - null\n", 2, "quotes"),
    "boolean as a field": ("A:\n  - Law\nOn:\n  - Physics\n", 3, "yes/no"),
    "list in a list": ("A:\n  B:\n    - [Physics]\n", 3, "name of a discipline"),
    "list as a key": ("? [A]\n: - Physics\n", 1, "name of a field"),
    "list on top": ("- Physics\n", 1, "name of a field"),
    "text on top": ("Physics\n", 1, "name of a field"),
    "forgotten dash": ("A:\n  - Physics\n    Chemistry\n", 2, "several lines"),
    "block text": ("A:\n  - |\n    Physics\n", 2, "several lines"),
    "one level too many": ("A:\n  B:\n    C:\n      - Physics\n", 3, "`C:`"),
    "many levels too many": ("A:\n  " + "- " * 5000 + "Physics\n", 2, "nested"),
    "deep brackets": ("A: " + "[" * 100_000, 1, "nested"),
    "broken YAML": ("A:\n  - Physics\n B: x\n", 3, "valid YAML"),
    "tab as indentation": ("A:\n\t- Physics\n", 2, "valid YAML"),
    "unclosed quote": ('A:\n  - "Physics\n', 3, "valid YAML"),
    "second document": ("A:\n  - Physics\n---\nB:\n  - Law\n", 3, "second"),
    "lone carriage returns": ("A:\r  - Physics\r  - 7\r", 3, "a number"),
}


@pytest.mark.parametrize("mistake", BAD_TEXTS)
def test_a_mistake_is_told_in_one_sentence_with_file_and_line(mistake: str, tmp_path: Path) -> None:
    text, line, hint = BAD_TEXTS[mistake]
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    told = told_of(path)
    assert told.startswith(f"{path}, line {line}: "), told
    assert hint in told
    assert_one_sentence(told.removeprefix(str(path)))


BAD_FILES = {
    "empty": (b"", "is empty"),
    "only comments": (b"# nothing yet\n", "is empty"),
    "UTF-16 with a mark": (SMALL.encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (SMALL.encode("utf-16-le"), "UTF-16"),
    "UTF-32": (SMALL.encode("utf-32"), "UTF-32"),
    "too big": (b"#" * 1_000_001, "larger than 1,000,000 bytes"),
}


@pytest.mark.parametrize("mistake", BAD_FILES)
def test_a_file_wrong_as_a_whole_is_told_without_a_line(mistake: str, tmp_path: Path) -> None:
    data, hint = BAD_FILES[mistake]
    path = tmp_path / "mine.yaml"
    path.write_bytes(data)
    told = told_of(path)
    assert told.startswith(f"{path}: ") and hint in told
    assert_one_sentence(told.removeprefix(str(path)))


def test_text_in_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("Arts:\n  - Dance\n  - Théâtre\n".encode("latin-1"))
    assert told_of(path).startswith(f"{path}, line 3: ")


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "cannot be read" in told_of(tmp_path / "none.yaml")
    assert "cannot be read" in told_of(tmp_path)


def test_more_disciplines_than_are_read_are_told_with_the_line() -> None:
    text = "A:\n" + "".join(f"  - discipline {n}\n" for n in range(taxonomy_file.MAX_DISCIPLINES + 1))
    with pytest.raises(InputError, match=r"^big, line 20002: .*20,000"):
        read(text, "big")


# Round trip and robustness

LOOKS_LIKE_YAML = [
    "No",
    "null",
    "a: b",
    "a #b",
    "- x",
    "? x",
    "!x",
    "&x",
    "*x",
    "{x}",
    "[x]",
    "'x'",
    '"x"',
    "%x",
    "@x",
    "x:",
]
MARKS = "A:-[]{}&*!|>'\"%#?,\\ \n\t\0\ud800\u2028"


def usable(text: str) -> bool:
    try:
        return names.clean(text) == text
    except ValueError:
        return False


any_name = st.one_of(
    st.text(min_size=1, max_size=30),
    st.sampled_from(LOOKS_LIKE_YAML),
    st.text(alphabet="aé中- :#'\"[]{}&*!%,?|>", min_size=1, max_size=200),
).filter(usable)


@st.composite
def taxonomies(draw: st.DrawFn) -> Taxonomy:
    unique = draw(st.lists(any_name, min_size=3, max_size=14, unique_by=names.same))
    fields, sub_fields, leaves = unique[:2], ["", *unique[2:5]], unique
    home = {sub_field: draw(st.sampled_from(fields)) for sub_field in sub_fields if sub_field}
    disciplines = []
    for number, leaf in enumerate(leaves):
        sub_field = draw(st.sampled_from(sub_fields))
        field = home.get(sub_field) or draw(st.sampled_from(fields))
        disciplines.append(Discipline(field, sub_field, leaf, f"d-{number}", "user"))
    return Taxonomy.of(disciplines)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(taxonomies())
def test_a_written_taxonomy_reads_as_the_same_tree(taxonomy: Taxonomy) -> None:
    written = to_yaml(taxonomy)
    try:
        assert paths(read(written)) == paths(taxonomy)
    except InputError as error:
        assert "share the id" in str(error)  # made-up names may; that is told, never merged


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from(MARKS), st.characters()), max_size=60))
def test_whatever_is_written_is_a_taxonomy_or_one_sentence(text: str) -> None:
    try:
        assert len(read(text, "mine")) > 0
    except InputError as error:
        assert str(error).startswith("mine")
        assert_one_sentence(str(error))


def told_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    return str(caught.value)
