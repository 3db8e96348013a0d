"""A model of static embeddings, by the optional package model2vec: questions as vectors that say what they are about.

The vector of a question is the mean of those of its tokens, brought to length 1, each coordinate rounded to a whole number
of `SCALE`ths. Products of two such vectors are whole numbers below 2**24, which single precision holds exactly: so a
similarity comes out the same in whatever order, portions or threads it is computed.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glan.config import Curation, RunConfig
from glan.errors import InputError
from glan.keys import digest
from glan.names import shown

SCALE = 4_000

Vectors = NDArray[np.int16]

_FILES = [
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "tokenizer.json",
    "0_StaticEmbedding/model.safetensors",
    "0_StaticEmbedding/tokenizer.json",
]
_SETTING = "curation.embedding_model"


def resolved(config: RunConfig) -> RunConfig:
    """The configuration with the digest of its embedding model's files; one that has it is what an earlier run read.

    Raises:
        InputError: the package is not installed, or the model's files cannot be had.
    """
    settings = config.curation
    if not settings.embedding_model or settings.embedding_digest:
        return config
    filled = settings.model_copy(update={"embedding_digest": _digest(_folder(settings.embedding_model))})
    return config.model_copy(update={"curation": filled})


class Embedding:
    """The model of these settings, which name one."""

    def __init__(self, settings: Curation) -> None:
        """Load it.

        Raises:
            InputError: it cannot be loaded here, or its files are others than the settings say.
        """
        name = settings.embedding_model
        folder = _folder(name)
        self.digest = _digest(folder)
        if settings.embedding_digest not in ("", self.digest):
            raise InputError(
                f"{_SETTING}: the files of {shown(name)} are not those of `embedding_digest`, by which questions were "
                "compared before; bring those back, or leave `embedding_digest` out of a run file to go by these"
            )
        from model2vec import StaticModel

        try:
            self._model: Any = StaticModel.from_pretrained(folder)
            self.dimensions = int(self._model.dim)
        except Exception as error:  # whatever its three libraries raise at files that are none of theirs
            raise InputError(
                f"{_SETTING}: {shown(name)} cannot be loaded as a model of model2vec ({_first_line(error)})"
            ) from error

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """A row for each text, of nothing but zeros where the model knows no token of it. Nothing is cut off."""
        made = self._model.encode(list(texts), max_length=None, normalize=False, use_multiprocessing=False)
        means: NDArray[np.float64] = np.nan_to_num(made.astype(np.float64))
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        unit = np.divide(means, lengths, out=np.zeros_like(means), where=lengths > 0)
        rounded: Vectors = np.rint(unit * SCALE).astype(np.int16)
        return rounded


def _folder(name: str) -> Path:
    """Where the model's files are: a folder, else what the Hub's cache holds, else as downloaded from the Hub."""
    if find_spec("model2vec") is None:
        raise InputError(
            f"{_SETTING} needs the package model2vec: pip install 'glan[embeddings]', or leave the setting out"
        )
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        with suppress(LocalEntryNotFoundError):
            return Path(snapshot_download(name, allow_patterns=_FILES, local_files_only=True))
        return Path(snapshot_download(name, allow_patterns=_FILES))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{_SETTING}: {shown(name)} is no folder here and cannot be had from the Hugging Face Hub "
            f"({_first_line(error)})"
        ) from error


def _digest(folder: Path) -> str:
    """Of the files that make the vectors."""
    present = [name for name in _FILES if (folder / name).is_file()]
    return digest({name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in present})


def _first_line(error: Exception) -> str:
    return shown(str(error).strip().partition("\n")[0] or type(error).__name__, 160)
