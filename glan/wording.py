"""Numbers as they stand in sentences for people."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 discipline`, `2 disciplines`; `many`: the plural that is not made with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
