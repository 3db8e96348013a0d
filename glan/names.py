"""Names as people write them: tidied, checked, compared.

A name ends up in prompts, in folders and in other people's terminals, so it is text one can see and nothing else.
"""

import json
import re
import unicodedata

MAX_LENGTH = 200

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Fillers and variation selectors: nothing to see, though Unicode counts them as letters, marks or symbols.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_LOST = "\ufffd"  # what decoders put where they could not read
_JOINERS = "\u200c\u200d"
_UNPRINTED = re.compile(r"[^\n\t -~]")
_WORD = re.compile(r"[^\W\d_]+")
_PATH_TRICK = re.compile(r"[/\\]|\.\.")


def clean(text: str) -> str:
    """The name in NFC with single spaces.

    Raises:
        ValueError: it cannot serve as a name; the message says why, without naming a place.
    """
    if not text.strip():
        raise ValueError("a name is empty")
    odd = _unseen(text)
    if odd is not None:
        raise ValueError(f"the name '{shown(text)}' holds the unreadable character U+{ord(odd):04X}; remove it")
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if len(name) > MAX_LENGTH:
        raise ValueError(f"the name '{shown(name)}' has {len(name)} characters; {MAX_LENGTH} are the most")
    if _PATH_TRICK.search(unicodedata.normalize("NFKC", name)):
        raise ValueError(f"the name '{shown(name)}' looks like a path; write it without slashes and double dots")
    if not any(unicodedata.category(character).startswith("L") for character in name):
        raise ValueError(f"the name '{shown(name)}' has no letter in it")
    if stranger := look_alike(name):
        raise ValueError(f"the name '{shown(name)}' mixes alphabets within a word: {stranger}; write it in one")
    return name


def look_alike(text: str) -> str:
    """The first letter of another alphabet in an otherwise Latin word, spelled out: `Р` is U+0420, CYRILLIC CAPITAL
    LETTER ER. Empty if there is none."""
    for word in _WORD.findall(text):
        if any("LATIN" in unicodedata.name(letter, "") for letter in word):
            for letter in word:
                named = unicodedata.name(letter, "")
                if named.startswith(("CYRILLIC", "GREEK")):
                    return f"`{letter}` is U+{ord(letter):04X}, {named}"
    return ""


def same(name: str) -> str:
    """The form in which two spellings of one name are equal: case, width, spaces and joiners do not count."""
    folded = unicodedata.normalize("NFKC", name).casefold().translate({ord(joiner): None for joiner in _JOINERS})
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def shown(text: str, limit: int = 40) -> str:
    """Text as it may stand in a message: short, on one line, with everything unseen spelled out."""
    short = text if len(text) <= limit else text[:limit] + "…"
    return "".join(_spelled(character) if _is_unseen(character) else character for character in short)


def visible(text: str) -> str:
    """Text of any length as it may be printed: lines and tabs stay, what steers a terminal or turns text round is
    spelled out as JSON would, so that a JSON document stays the same document."""
    return _UNPRINTED.sub(lambda match: _spelled(match[0]) if _steers(match[0]) else match[0], text)


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN and character not in _JOINERS


def _unseen(text: str) -> str | None:
    """The first character that shows nothing or lost its meaning."""
    for index, character in enumerate(text):
        if _is_unseen(character) and not (character in _JOINERS and _joins(text, index)):
            return character
    return None


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character == _LOST or _BLANK.match(character) is not None


def _joins(text: str, index: int) -> bool:
    """Whether a joiner stands where Persian or Indic spelling has it: between two letters or marks beyond ASCII."""
    around = text[max(index - 1, 0) : index] + text[index + 1 : index + 2]
    return len(around) == 2 and all(
        not neighbour.isascii() and unicodedata.category(neighbour)[0] in "LM" for neighbour in around
    )


def _spelled(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0xFFFF else f"\\u{ord(character):04x}"
