"""Verdict columns: kept if nothing speaks against a row."""

import pyarrow as pa

from glan.config import Curation
from glan.curation.rules import RULES, Example, reasons
from glan.curation.verdicts import Duplicate, own_reasons, verdict
from glan.records import SCHEMAS


def test_a_row_with_nothing_against_it_is_kept() -> None:
    assert verdict([], duplicate=None) == {
        "kept": True,
        "reasons": [],
        "duplicate_of": None,
    }


def test_a_row_is_rejected_with_the_codes_of_its_reasons() -> None:
    found = reasons(Example("Define entropy.", "I'm sorry, I can't help with that.", "length"), Curation())
    judged = verdict(found, duplicate=None)
    assert judged["reasons"] == ["refusal", "truncation"]
    assert not judged["kept"]


def test_a_duplicate_names_what_stays_in_its_place() -> None:
    judged = verdict([], duplicate=Duplicate("q1"))
    assert (judged["kept"], judged["reasons"], judged["duplicate_of"]) == (False, ["duplicate"], "q1")


def test_a_later_pass_starts_from_what_a_row_has_against_it_by_itself() -> None:
    before = verdict(["truncation"], duplicate=Duplicate("q1"))
    assert own_reasons(before["reasons"]) == ["truncation"]
    after = verdict(before["reasons"], duplicate=None)
    assert (after["reasons"], after["duplicate_of"]) == (["truncation"], None)


def test_no_rule_takes_the_code_of_duplicates() -> None:
    assert own_reasons(rule.code for rule in RULES) == [rule.code for rule in RULES]


def test_the_columns_fit_the_schema_of_instructions() -> None:
    rows = [verdict([], None), verdict(["truncation"], Duplicate("q1"))]
    schema = SCHEMAS["instructions"]
    table = pa.Table.from_pylist(rows, schema=pa.schema([schema.field(name) for name in rows[0]]))
    assert table["kept"].to_pylist() == [True, False]
