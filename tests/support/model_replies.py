"""From a chat payload to the model server's reply text: what is asked for, how much of it, in which shape."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import model_texts as texts
import model_words as words
import orjson
from model_texts import Author, Entry

Payload = dict[str, Any]
Schema = dict[str, Any]

_TOPIC = re.compile(r"^(?:Discipline|Course|Branch): *(.+)$", re.MULTILINE)
_CONCEPTS = re.compile(r"[Kk]ey concepts[^:\n]{0,20}: *(\S.*)")
_SIZES = re.compile(r"(\d+) to (\d+) class sessions")
_PER_SESSION = re.compile(r"about (\d+) (?:key concepts|strings)")
_WANTS = {
    "question": re.compile(
        r"\b(?:write|create|generate|ask|pose|compose|formulate|give)\b[^.\n]{0,60}\b(?:question|task|problem|exercise)s?\b",
        re.IGNORECASE,
    ),
    "subjects": re.compile(r"\blist\b[^.\n]{0,40}\bsubjects\b", re.IGNORECASE),
    "syllabus": re.compile(r"\bwrite\b[^.\n]{0,40}\bsyllabus\b", re.IGNORECASE),
}
_LANGUAGE = re.compile(r"\n\nWrite everything in ([\w ]+), as a native.*", re.DOTALL)
_KINDS = re.compile(r"\n\nWhat kind of question (?:it|each one) is, .*", re.DOTALL)
_ASKED_AGAIN = re.compile(r"\bagain\b", re.IGNORECASE)
_TITLE = re.compile(r"name|title|heading|discipline|subject$|label", re.IGNORECASE)
_DESCRIPTION = re.compile(r"introduction|description|summary|about|comment|reason|note|example", re.IGNORECASE)
_PROSE = re.compile(r"answer|solution|explanation|text|content|response|reply", re.IGNORECASE)


class Asked:
    """What a payload asks for; found out only as far as it is needed, since prompts are long and calls are many."""

    def __init__(self, payload: Payload) -> None:
        given = [(message.get("role"), _plain(message.get("content"))) for message in payload.get("messages", [])]
        found = [match[1] for role, text in given if role == "user" for match in _LANGUAGE.finditer(text)]
        self.language = found[-1] if found else ""
        """The language to write in, by its English name; empty: English."""
        messages = [(role, _LANGUAGE.sub("", text)) for role, text in given]
        told = [match[0] for role, text in messages if role == "user" for match in _KINDS.finditer(text)]
        self.question_types = texts.types_in(told[-1]) if told else []
        """Those of the questions to write, in their order; empty: none is asked for."""
        messages = [(role, _KINDS.sub("", text)) for role, text in messages]
        self.users = [text for role, text in messages if role == "user"] or [""]
        self.assistants = [text for role, text in messages if role == "assistant"]
        self.whole = "\n\n".join(text for _, text in messages)
        self.schema = schema_of(payload, self.users[-1])

    @cached_property
    def kind(self) -> str:
        """JSON, a question, subjects, a syllabus, or prose."""
        if self.schema is not None:
            return "json"
        return next((kind for kind, pattern in _WANTS.items() if self._wants(pattern)), "prose")

    def _wants(self, pattern: re.Pattern[str]) -> bool:
        """By the last user message; where that only asks again, by the one before."""
        for text in reversed(self.users):
            if pattern.search(text[-500:]):
                return True
            if not _ASKED_AGAIN.search(text[-500:]):
                break
        return False

    @cached_property
    def topic(self) -> str:
        """The discipline or course."""
        found = [match for text in self.users for match in _TOPIC.findall(text)]
        return str(found[-1]) if found else self.whole[:200]

    @cached_property
    def branch(self) -> str:
        """The branch of the taxonomy that is asked about, in whatever words its root is named."""
        return self.topic if self.topic[:1].isupper() else "all"

    @cached_property
    def concepts(self) -> list[list[str]]:
        """Those of each sample; a syllabus before the samples names others."""
        for text in reversed(self.users):
            samples = text.find("\nSample 1\n")
            lines = _CONCEPTS.findall(text, samples) if samples >= 0 else _CONCEPTS.findall(text)[-1:]
            if lines:
                return [[concept.strip() for concept in line.split(";")] for line in lines]
        return []

    def sizes(self) -> tuple[int, int, int]:
        """Fewest and most sessions, concepts for each."""
        sessions, concepts = _SIZES.search(self.whole), _PER_SESSION.search(self.whole)
        low, high = (int(sessions[1]), int(sessions[2])) if sessions else (10, 20)
        return low, high, int(concepts[1]) if concepts else 5

    def earlier_entries(self) -> list[Entry]:
        """Those of the list or syllabus that an earlier turn wrote, for the turn that asks for its structure."""
        return next(filter(None, map(texts.entries_in, reversed(self.assistants))), [])


def reply_text(asked: Asked, seed: str, pool_seed: str, popular: bool) -> str:
    """The reply, a pure function of the arguments. `popular`: a question is the one that everybody asks on its topic."""
    if asked.kind == "prose":
        terms = [] if asked.language else _terms(asked.users[-1])
        return texts.of_type_asked(asked.users[-1], Author(seed, terms, asked.language))
    if asked.kind == "question":
        about = [concept for concepts in asked.concepts for concept in concepts]
        if popular:
            return popular_question(pool_seed, asked)
        author = Author(seed, about, asked.language)
        return texts.question_of(author, next(iter(asked.question_types), ""))
    author = Author(seed, language=asked.language)
    if asked.kind == "subjects":
        return texts.subjects_as_text(texts.subjects(author, f"{pool_seed} {asked.topic}"))
    if asked.kind == "syllabus":
        return texts.sessions_as_text(author, texts.sessions(author, *asked.sizes()))
    return orjson.dumps(Filler(asked, author, pool_seed, popular).fill(asked.schema or {})).decode()


def popular_question(pool_seed: str, asked: Asked) -> str:
    """The one question on a topic that every duplicate repeats."""
    return Author(f"popular {pool_seed} {asked.topic}", language=asked.language).question()


def asks_question(asked: Asked) -> bool:
    """Whether a question is among what is asked for."""
    return asked.kind == "question" or (asked.schema is not None and '"question' in json.dumps(asked.schema))


def schema_of(payload: Payload, last_message: str) -> Schema | None:
    """The schema that the reply has to satisfy: from `response_format`, or spelled out in the prompt, or any object."""
    form = payload.get("response_format") or {}
    if form.get("type") == "json_schema":
        return dict(form["json_schema"]["schema"])
    found = next(_schemas_in(last_message), None)
    if found is None and form.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    return found


def _schemas_in(text: str) -> Iterator[Schema]:
    if "schema" not in text:
        return
    for match in re.finditer(r"\{", text):
        try:
            found, _ = json.JSONDecoder().raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(found, dict) and ("properties" in found or "$ref" in found):
            yield found


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return content or ""


def _terms(text: str) -> list[str]:
    """Long words of the text, for an answer that sounds as if it dealt with its question."""
    return list(dict.fromkeys(word.lower() for word in re.findall(r"[A-Za-z]{8,}", text[-600:])))[:12]


class Filler:
    """Fills any JSON schema with texts that suit the names of its properties."""

    def __init__(self, asked: Asked, author: Author, pool_seed: str, popular: bool) -> None:
        self._asked = asked
        self._author = author
        self._pool_seed = pool_seed
        self._popular = popular
        self._definitions: Mapping[str, Schema] = (asked.schema or {}).get("$defs", {})
        self._questions = 0

    def fill(self, node: Schema, name: str = "", entry: Entry | None = None) -> Any:
        """A value for a schema node, the value of property `name`; taken from `entry` where that has it."""
        node = self._resolved(node)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            if entry and name == "kind":  # every list takes a node for the same
                return Author(f"{self._pool_seed} {entry.title}").pick(node["enum"])
            text = self._text(name, entry) if entry else None
            return text if text in node["enum"] else self._author.pick(node["enum"])
        kinds: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(node, entry),
            "array": lambda: self._array(node, name, entry),
            "integer": lambda: self._author.between(*_range(node)),
            "number": lambda: float(self._author.between(*_range(node))),
            "boolean": lambda: self._author.random.random() < 0.5,
            "null": lambda: None,
        }
        kind = node.get("type", "object" if "properties" in node else "string")
        kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
        return kinds[kind]() if kind in kinds else _bounded(self._text(name, entry), node, self._author)

    def _resolved(self, node: Schema) -> Schema:
        while True:
            if "$ref" in node:
                node = self._definitions[node["$ref"].rpartition("/")[2]]
            elif choices := node.get("anyOf") or node.get("oneOf") or node.get("allOf"):
                node = next((one for one in choices if one.get("type") != "null"), choices[0])
            else:
                return node

    def _object(self, node: Schema, entry: Entry | None) -> dict[str, Any]:
        return {name: self.fill(child, name, entry) for name, child in node.get("properties", {}).items()}

    def _array(self, node: Schema, name: str, entry: Entry | None) -> list[Any]:
        item = self._resolved(node.get("items", {}))
        low, high = _count(node)
        if any(_TITLE.search(child) for child in item.get("properties", ())):
            return [self.fill(item, name, each) for each in self._entries(name, node, low, high)]
        if item.get("type") != "string" or "enum" in item:
            return [self.fill(item, name) for _ in range(self._author.between(low, high))]
        given = [_bounded(point, item, self._author) for point in entry.points[:high]] if entry else []
        taken = {text.casefold() for text in given}
        wanted = low if entry else self._author.between(low, high)
        return given + self._author.distinct(lambda: self.fill(item, name), wanted - len(given), taken)

    def _entries(self, name: str, node: Schema, low: int, high: int) -> Sequence[Entry]:
        found = self._asked.earlier_entries()[: node.get("maxItems")]
        fewest = max(1, node.get("minItems", 1))
        if "session" in name:
            concepts = self._asked.sizes()[2]
            if len(found) < fewest:
                return texts.sessions(self._author, low, high, concepts)
            return found
        if name == "nodes":
            return texts.branches(self._author, f"{self._pool_seed} {self._asked.branch}", high)
        if len(found) >= fewest:
            return found
        return texts.subjects(self._author, f"{self._pool_seed} {self._asked.topic}", fewest, node.get("maxItems", 60))

    def _text(self, name: str, entry: Entry | None) -> str:
        author = self._author
        if "question" in name:
            return self._question()
        if "level" in name or "difficulty" in name:
            return entry.level if entry else author.pick(words.LEVELS)
        if _TITLE.search(name):
            return entry.title if entry else author.title()
        if _DESCRIPTION.search(name):
            return entry.description if entry and entry.description else author.description()
        return author.prose() if _PROSE.search(name) else author.phrase()

    def _question(self) -> str:
        """About the concepts of its own sample; the first one may be the popular one."""
        self._questions += 1
        if self._popular and self._questions == 1:
            return popular_question(self._pool_seed, self._asked)
        samples = self._asked.concepts
        about = samples[(self._questions - 1) % len(samples)] if samples else []
        author = Author(f"{self._author.random.random()}", about, self._asked.language)
        types = self._asked.question_types
        return texts.question_of(author, types[self._questions - 1] if types else "")


def _range(node: Schema) -> tuple[int, int]:
    low = int(node.get("minimum", node.get("exclusiveMinimum", -1) + 1))
    return low, int(node.get("maximum", node.get("exclusiveMaximum", low + 101) - 1))


def _count(node: Schema) -> tuple[int, int]:
    """How many items: in the upper half of what the schema allows, a handful if it sets no bound."""
    fewest = max(1, node.get("minItems", 1))
    most = node.get("maxItems", max(fewest, 3) + 3)
    return max(fewest, (most + 1) // 2 if "minItems" not in node or "maxItems" not in node else fewest), most


def _bounded(text: str, node: Schema, author: Author) -> str:
    while len(text) < node.get("minLength", 0):
        text = f"{text} {author.description()}"
    most = node.get("maxLength", len(text))
    if len(text) <= most:
        return text
    cut = text[:most].rsplit(" ", 1)[0].rstrip(" ,;:-")
    return f"{cut[: most - 1]}{text[-1]}" if text[-1] in ".?!" else cut
