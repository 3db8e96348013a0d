"""What is merged with what: small things, in order, and no row again and again."""

from glan.care.merging import Piece, in_parts, worth_merging


def test_loose_things_are_merged_with_small_parts_and_large_parts_are_left() -> None:
    pieces = [Piece("unit", 30), Piece("small", 40, loose=False), Piece("large", 60, loose=False)]
    assert worth_merging(pieces, part_bytes=100) == ["unit", "small"]


def test_a_small_part_waits_until_there_is_enough_to_join_it() -> None:
    part = Piece("part", 45, loose=False)
    assert worth_merging([part, Piece("unit", 1)], part_bytes=100) == ["unit"]
    assert worth_merging([part, *(Piece(f"unit{n}", 1) for n in range(12))], part_bytes=100)[-1] == "part"
    assert worth_merging([part], part_bytes=100) == []


def test_parts_are_filled_in_order_and_something_larger_has_one_of_its_own() -> None:
    pieces = [Piece("a", 60), Piece("b", 40), Piece("c", 1), Piece("d", 500), Piece("e", 1)]
    assert [[piece.thing for piece in part] for part in in_parts(pieces, 100)] == [["a", "b"], ["c"], ["d"], ["e"]]
    assert in_parts([], 100) == []
