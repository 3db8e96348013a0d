"""Small real models of static embeddings, made of words that stand near each other because a test says so."""

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


@contextmanager
def hub(name: str, folder: str) -> Iterator[tuple[str, list[str]]]:
    """A Hub that has the model of this folder under this name: its address, and what it is asked."""
    commit = "1" * 40
    files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    about: dict[str, object] = {
        f"/api/models/{name}/revision/main": {"id": name, "sha": commit},
        f"/api/models/{name}/tree/{commit}": [
            {"type": "file", "path": file, "size": len(body), "oid": "0" * 40} for file, body in files.items()
        ],
    }
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            asked.append(path)
            head, _, file = path.partition(f"/resolve/{commit}/")
            if path in about:
                return self._send(json.dumps(about[path]).encode(), "application/json")
            if head != f"/{name}" or file not in files:
                return self.send_error(404)
            return self._send(files[file], "application/octet-stream")

        do_HEAD = do_GET

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            headers = {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": commit, "Content-Type": kind}
            for header, value in {**headers, "Content-Length": f"{len(body)}"}.items():
                self.send_header(header, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
