"""Regular expressions that most texts are spared."""

import re


class Guarded:
    """A pattern, by default whatever the case of letters, that is tried only on a text with one of some words.

    `words` are in lower case, and without one of them the pattern cannot match. A look for a fixed word is a hundred
    times faster than one for a pattern of alternatives, and nearly all texts have none of the words.
    """

    def __init__(self, words: tuple[str, ...], pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> None:
        self._words = words
        self._pattern = re.compile(pattern, flags)

    def search(self, text: str) -> re.Match[str] | None:
        """The first match in a text; None if there is none."""
        lower = _lower(text)
        return self._pattern.search(text) if any(word in lower for word in self._words) else None


def _lower(text: str) -> str:
    """Lower case as `re.IGNORECASE` has it, which takes these three for the ASCII letters they descend from."""
    if not text.isascii():
        text = text.replace("\u0130", "i").replace("\u0131", "i").replace("\u017f", "s")
    return text.lower()
