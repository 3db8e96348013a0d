"""Which names mean the same, though they are spelled in different ways: for lists that are merged and votes counted."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from glan.keys import normalised

_Item = TypeVar("_Item")

_ARTICLES = frozenset(["a", "an", "the"])
_PREPOSITIONS = frozenset(["for", "in", "of", "on", "to", "with"])


def grouped(items: Iterable[_Item], name_of: Callable[[_Item], str]) -> list[list[_Item]]:
    """Items whose names are equal or nearly so; the same groups whichever name came first."""
    group_of: dict[str, list[_Item]] = {}
    for item in items:
        spellings = spellings_of(name_of(item))
        group = [item]
        for known in _each_once(group_of[spelling] for spelling in spellings if spelling in group_of):
            group += known
        names = {spelling for member in group for spelling in spellings_of(name_of(member))}
        group_of |= dict.fromkeys(names, group)
    return _each_once(group_of.values())


def standing(mentions: Iterable[tuple[int, int]]) -> tuple[int, float]:
    """What orders names that several lists give, from the list and the rank of each mention of one: first those that
    most lists name, then by the mean rank in them. A list that gives a name twice counts once, by the first."""
    rank_in = dict(sorted(mentions, reverse=True))
    return -len(rank_in), sum(rank_in.values()) / len(rank_in)


def _each_once(groups: Iterable[list[_Item]]) -> list[list[_Item]]:
    return list({id(group): group for group in groups}.values())


def spellings_of(name: str) -> tuple[str, str]:
    """Two keys of a name; names that share one are the same.

    One ignores spaces and hyphens ("micro-economics"), the other the order of words where it says nothing: "history
    of art" is "art history", "algorithms and data" is "data & algorithms"; but the philosophy of history is not the
    history of philosophy. Both ignore case, plurals, articles and an acronym in brackets. A distance in letters is no
    measure: it would merge microeconomics with macroeconomics, and Calculus I with Calculus II.
    """
    words = [_singular(word) for word in _telling(normalised(_without_acronym(name).replace("&", " and ")).split())]
    return "".join(words), " ".join(_in_one_order(phrase) for phrase in reversed(_phrases(words)))


def _telling(words: Sequence[str]) -> list[str]:
    """The words without articles; the A of "vitamin A" is none."""
    before = ["and", *words]
    pairs = zip(words, before, strict=False)
    telling = [word for word, last in pairs if word not in _ARTICLES or last not in {"and", *_PREPOSITIONS}]
    return telling or list(words)


def _phrases(words: Sequence[str]) -> list[list[str]]:
    """The words between prepositions."""
    phrases: list[list[str]] = [[]]
    for word in words:
        if word in _PREPOSITIONS:
            phrases.append([])
        else:
            phrases[-1].append(word)
    return phrases


def _in_one_order(phrase: list[str]) -> str:
    return " ".join(sorted(phrase) if "and" in phrase else phrase)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ics")):
        return word[:-1]
    return word


def _without_acronym(name: str) -> str:
    match = re.fullmatch(r"(.+?)\s*\(([\w&]{2,8})\)\s*", name)
    if not match:
        return name
    words = normalised(match[1]).split()
    telling = (word for word in words if word not in {"and", *_ARTICLES, *_PREPOSITIONS})
    initials = ["".join(word[0] for word in some) for some in (words, telling)]
    return match[1] if match[2].casefold().replace("&", "") in initials else name
