"""What the model server writes: plausible, varied texts, a pure function of the seeds they are written with."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import model_words as words
from model_languages import OTHER_LANGUAGES

POOL_SIZE = 64
"""Subject names of one discipline, from which each of its lists draws some."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A subject of a list, or a class session of a syllabus."""

    title: str
    level: str
    description: str
    points: tuple[str, ...]


class Author:
    """Writes texts with the words that `seed` gives; `about` are phrases that the text should deal with.

    `language`: the English name of another language to write in, one of `OTHER_LANGUAGES`.
    """

    def __init__(self, seed: str, about: Sequence[str] = (), language: str = "") -> None:
        self.random = random.Random(seed)
        self._about = list(about)
        self._words: Any = OTHER_LANGUAGES[language] if language else words

    def __getitem__(self, slot: str) -> str:
        """The word for a slot of a pattern; a slot with a capital gives a capitalised word."""
        if slot[0].isupper():
            text = self[slot.lower()]
            return text[0].upper() + text[1:]
        if slot in self._words.BANKS:
            return self.pick(self._words.BANKS[slot])
        return self._special(slot)

    def _special(self, slot: str) -> str:
        if slot == "concept":
            return self.pick(self._about) if self._about and self.random.random() < 0.7 else self.phrase()
        if slot == "an_adjective":
            adjective = self["adjective"]
            return f"{'an' if adjective[0] in 'aeio' or adjective.startswith('unw') else 'a'} {adjective}"
        number = self.random.random()
        sizes = {"number": int(20 + 980 * number), "small": int(3 + 17 * number), "percent": int(2 + 90 * number)}
        return str(sizes[slot]) if slot in sizes else f"{0.1 + 60 * number:.2f}"

    def pick(self, choices: Sequence[str]) -> str:
        return choices[int(self.random.random() * len(choices))]

    def between(self, low: int, high: int) -> int:
        return low + int(self.random.random() * (max(high, low) - low + 1))

    def written(self, pattern: str) -> str:
        return pattern.format_map(self)

    def sentences(self, patterns: Sequence[str], count: int) -> list[str]:
        """Sentences of different patterns."""
        return [self.written(pattern) for pattern in self.random.sample(patterns, min(count, len(patterns)))]

    def phrase(self) -> str:
        return self.written(self.pick(self._words.PHRASE_FORMS))

    def title(self) -> str:
        return self.written(self.pick(self._words.TITLE_FORMS))

    def description(self) -> str:
        return " ".join(self.sentences(self._words.DESCRIPTIONS, self.between(1, 3)))

    def aims(self) -> str:
        """What a course is about."""
        if self._words is not words:
            return self.description()
        return f"This course deals with {self.phrase()} and {self.phrase()}. {self.description()}"

    def bearing(self) -> str:
        """What a concept of a course is about."""
        if self._words is not words:
            return self.description()
        return f"how it bears on the {self['adjective']} {self['noun']}"

    def question(self) -> str:
        """A situation and what is asked about it, ending with a question mark."""
        middles = self.sentences(self._words.MIDDLES, self.between(1, 2))
        return " ".join(
            [self.written(self.pick(self._words.OPENINGS)), *middles, self.written(self.pick(self._words.ASKS))]
        )

    def prose(self) -> str:
        """Five to thirteen different sentences in paragraphs, the last a conclusion with a full stop."""
        statements = self.sentences(self._words.STATEMENTS, self.between(4, 12))
        breaks = {self.between(2, 5), self.between(6, 9)}
        text = "".join(
            ("\n\n" if index in breaks else " " if index else "") + sentence
            for index, sentence in enumerate(statements)
        )
        return f"{text}\n\n{self.written(self.pick(self._words.CONCLUSIONS))}"

    def distinct(self, draw: Callable[[], str], count: int, taken: set[str] | None = None) -> list[str]:
        """So many texts, none of them among `taken`, which they join."""
        taken = set() if taken is None else taken
        found: list[str] = []
        while len(found) < count:
            text = draw()
            for _ in range(20):
                if text.casefold() not in taken:
                    break
                text = draw()
            else:
                text = f"{text} {self['adjective']} {self['noun']}"
            taken.add(text.casefold())
            found.append(text)
        return found


_TYPE = re.compile(r"(?:form and difficulty|Question \d+): (multiple choice|coding|essay)?")
_OPTION = re.compile(r"^([A-D])\) (.+)$", re.MULTILINE)
PROGRAM = "```python\ndef doubled(number):\n    return 2 * number\n\nassert doubled(21) == 42\n```"


def types_in(said: str) -> list[str]:
    """What a prompt that tells the kinds of questions tells of each: `multiple choice`, `coding`, `essay` or nothing."""
    return [found[1] or "" for found in _TYPE.finditer(said)]


def question_of(author: Author, question_type: str) -> str:
    """A question; one with options ends in them and the key."""
    question = author.question()
    if question_type != "multiple choice":
        return question
    options = author.distinct(author.phrase, 4)
    listed = "\n".join(f"{label}) {text}" for label, text in zip("ABCD", options, strict=True))
    return f"{question}\n\n{listed}\n\nKey: {right_of(listed)}"


def right_of(text: str) -> str:
    """The label of the option that this model holds to be right, whoever asks it."""
    options = _OPTION.findall(text)[-4:]
    return options[sum(len(said) for _, said in options) % 4][0]


def of_type_asked(prompt: str, author: Author) -> str:
    """An answer as a prompt asks for it at its end."""
    if "The last line names the right option" in prompt:
        right = right_of(prompt)
        return f"{author.prose()}\n\n{right}) {dict(_OPTION.findall(prompt)[-4:])[right]}"
    if "Give the whole program in one code block" in prompt:
        return f"{author.prose()}\n\n{PROGRAM}"
    if "Write an essay of four to eight paragraphs" in prompt:
        return "\n\n".join(author.prose() for _ in range(4))
    return author.prose()


def subject_pool(seed: str) -> list[str]:
    """The names of a discipline's subjects, the common ones first; no two are about the same topic."""
    author = Author(seed)
    topics = author.random.sample(words.TOPICS, POOL_SIZE)
    return [author.pick(words.NAME_FORMS).format(topic) for topic in topics]


def subjects(author: Author, pool_seed: str, low: int = 1, high: int = 60) -> list[Entry]:
    """One list of a discipline's subjects: most of the common names, few of the rare ones, in a slightly odd order."""
    ranked = list(enumerate(subject_pool(pool_seed)))
    drawn = [(rank, name) for rank, name in ranked if author.random.random() < _share(rank)]
    rest = [item for item in ranked if item not in drawn]
    drawn = (drawn + rest[: max(0, low - len(drawn))])[:high]
    drawn.sort(key=lambda item: item[0] + author.random.random() * 6)
    names = [name for _, name in drawn]
    names += author.distinct(author.title, low - len(names), {name.casefold() for name in names})
    return [_subject(author, name, Author(f"{pool_seed} {name}")) for name in names]


def branches(author: Author, pool_seed: str, most: int) -> list[Entry]:
    """One list of what is below a branch of the taxonomy: most of the common topics, few of the rare ones."""
    topics = Author(pool_seed).random.sample(words.TOPICS, POOL_SIZE)
    drawn = [topic for rank, topic in enumerate(topics) if author.random.random() < 1 - rank / 12][: max(1, most)]
    return [Entry(topic, "", "", ()) for topic in drawn or topics[:1]]


def _share(rank: int) -> float:
    """Of the lists that name the subject of this rank; they have about 27 names each."""
    return min(0.98, max(0.04, 1.1 - rank / 45))


def _subject(author: Author, name: str, constant: Author) -> Entry:
    """Its level is the same in every list, its other texts are this list's own."""
    points = author.distinct(author.phrase, author.between(4, 8))
    return Entry(name, constant.pick(words.LEVELS), " ".join(author.sentences(words.DESCRIPTIONS, 1)), tuple(points))


def sessions(author: Author, low: int, high: int, concepts: int) -> list[Entry]:
    """The class sessions of a syllabus: no title and no concept stands twice."""
    taken: set[str] = set()
    return [
        Entry(
            title=title,
            level=author.pick(words.LEVELS),
            description=author.description(),
            points=tuple(author.distinct(author.phrase, author.between(max(1, concepts - 1), concepts + 1), taken)),
        )
        for title in author.distinct(author.title, author.between(low, high))
    ]


def subjects_as_text(entries: Sequence[Entry]) -> str:
    return "\n\n".join(
        f"{number}. {entry.title}\n   Level: {entry.level}\n   Introduction: {entry.description}\n"
        f"   Subtopics: {'; '.join(entry.points)}"
        for number, entry in enumerate(entries, start=1)
    )


def sessions_as_text(author: Author, entries: Sequence[Entry]) -> str:
    aims = author.aims()
    texts = [
        f"Session {number}: {entry.title}\n{entry.description}\nKey concepts:\n"
        + "\n".join(f"- {point}: {author.bearing()}" for point in entry.points)
        for number, entry in enumerate(entries, start=1)
    ]
    return "\n\n".join([aims, *texts])


_HEAD = re.compile(r"(?:\d+\.\s+|Session \d+:\s*)(.+)")
_FIELD = re.compile(r"(Level|Introduction|Subtopics|Key concepts):\s*(.*)")


def entries_in(text: str) -> list[Entry]:
    """The entries of a text as written above; none if it is no such text."""
    found: list[dict[str, Any]] = []
    for line in map(str.strip, text.splitlines()):
        head = _HEAD.fullmatch(line)
        if head:
            found.append({"title": head[1], "level": words.LEVELS[0], "description": "", "points": []})
        elif found and line:
            _read_line(found[-1], line)
    return [Entry(**{**entry, "points": tuple(entry["points"])}) for entry in found]


def _read_line(entry: dict[str, Any], line: str) -> None:
    field = _FIELD.fullmatch(line)
    if line.startswith("- "):
        entry["points"].append(line[2:].partition(":")[0].strip())
    elif field is None:
        entry["description"] = f"{entry['description']} {line}".strip()
    elif field[1] == "Level":
        entry["level"] = field[2]
    elif field[1] == "Introduction":
        entry["description"] = field[2]
    else:
        entry["points"] += [point.strip() for point in field[2].split(";") if point.strip()]
