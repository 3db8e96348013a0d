"""Text from a model or a person -> text that does nothing where Prefect shows it."""

from glan.names import shown

LONGEST_CELL = 300

_INERT = str.maketrans({"`": "'", "|": "¦"})


def plain(text: str, limit: int = LONGEST_CELL) -> str:
    """Text made inert for Markdown and HTML: a code span on one line, cut at `limit` characters.

    Backslashes would leave addresses clickable, and Prefect's page shows character references as they are written.
    What could end the span, or the cell of a table around it, is replaced.
    """
    line = " ".join(text.split()).translate(_INERT)
    return f"`{shown(line, limit)}`" if line else ""
