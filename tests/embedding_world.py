"""Small real models of static embeddings, made of words that stand near each other because a test says so."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

SMALL_WORDS = ["what", "why", "how", "is", "are", "the", "a", "an", "of", "in", "for", "to", "does", "do", "and"]
DIMENSIONS = 64


def model(folder: Path, *concepts: str, apart: float = 0.3) -> str:
    """A model in this folder; `concepts` are words that mean nearly the same, separated by spaces.

    `apart`: how far the words of a concept are from what they mean. Small words weigh next to nothing.
    """
    chance = np.random.default_rng(7)
    vocabulary, vectors = {"[UNK]": 0}, [np.zeros(DIMENSIONS)]

    def add(word: str, vector: np.ndarray) -> None:
        if word not in vocabulary:
            vocabulary[word] = len(vocabulary)
            vectors.append(vector)

    for concept in concepts:
        meant = _somewhere(chance)
        for word in concept.split():
            add(word, meant + apart * _somewhere(chance))
    for word in SMALL_WORDS:
        add(word, 0.02 * _somewhere(chance))
    return _saved(folder, vocabulary, np.stack(vectors))


def model_of_one_meaning(folder: Path, texts: Iterable[str]) -> str:
    """A model to which all words of these texts are one."""
    found = sorted({word for text in texts for word in re.findall(r"\w+", text.lower())})
    return _saved(folder, {word: place for place, word in enumerate(["[UNK]", *found])}, np.ones((len(found) + 1, 8)))


def _somewhere(chance: np.random.Generator) -> np.ndarray:
    vector = chance.normal(size=DIMENSIONS)
    return vector / np.linalg.norm(vector)


def _saved(folder: Path, vocabulary: dict[str, int], vectors: np.ndarray) -> str:
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    StaticModel(vectors.astype(np.float32), tokenizer).save_pretrained(folder)
    return str(folder)
