"""Content-addressed identity: canonical JSON, digests, slugs, seeds.

What enters a `request_key` is decided in `gateway.requests`, what enters a `unit_key` in `stages`; here is only
how a value becomes a key, so that no two places can disagree about it.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_BETWEEN_WORDS = re.compile(r"[^\w+#]|(?<![\w+#])[+#]")

Texts = str | Sequence["Texts"] | Mapping[str, "Texts"]
"""A JSON value of texts alone."""


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value: sorted keys, no spaces, UTF-8, no NaN."""
    return _ENCODER.encode(value).encode()


def spelt(texts: Texts) -> bytes:
    """The same as `canonical`, several times faster; of texts alone, for numbers have more than one spelling."""
    return orjson.dumps(texts, option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def seed_for(*parts: Any) -> int:
    """A seed in [0, 2**31) that depends on all the parts and on nothing else (endpoints take 32-bit signed seeds)."""
    return int(digest(list(parts))[:8], 16) & 0x7FFFFFFF


def hashed(*parts: str) -> int:
    """64 bits that depend on all the parts, the same everywhere."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest(), "little")


def normalised(text: str) -> str:
    """Text as compared for sameness: NFKC, case-folded, words of letters and digits with single spaces.

    A word keeps its vowel signs and accents, and the signs that tell C++ and C# from C.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = _BETWEEN_WORDS.sub(_space_unless_mark, folded).split()
    return " ".join(word for word in words if any(map(str.isalnum, word)))


def _space_unless_mark(found: re.Match[str]) -> str:
    return found[0] if unicodedata.category(found[0])[0] == "M" else " "


def slug(text: str, limit: int = 60) -> str:
    """A name for paths and identifiers: `[a-z0-9-]`, at most `limit` characters, empty if nothing is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:limit].strip("-")


def distinct(texts: Iterable[str]) -> list[str]:
    """The texts in order, stripped, each once as compared by `normalised`; those without a letter or digit are left out."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(normalised(text), text.strip())
    return [text for key, text in first.items() if key]
