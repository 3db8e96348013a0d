"""Text from a model or a person -> text that does nothing where Prefect shows it."""

LONGEST_CELL = 300


def plain(text: str, limit: int = LONGEST_CELL) -> str:
    """Text made inert for Markdown and HTML, on one line, at most `limit` characters.

    Character references, because a backslash would leave addresses clickable.
    """
    line = " ".join(text.split())
    shortened = line if len(line) <= limit else f"{line[: limit - 1]}…"
    return "".join(
        sign if sign.isalnum() or sign in " ," or ord(sign) > 127 else f"&#{ord(sign)};" for sign in shortened
    )
