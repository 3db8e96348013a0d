"""A stand-in of the Hugging Face Hub over real HTTP: what its client asks when it makes, fills and tags a dataset.

with HubServer({TOKEN: "me"}) as hub:
    hub.when = lambda asked: 503 if asked.startswith("POST /api/datasets/me/data/commit") else None
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

Answer = tuple[int, Any]
"""A status with a JSON document, or with the bytes of a file."""

TOKEN = "hf_marked0123456789abcdefgh"
LARGE = (".parquet", ".png")
_NO_REPO: Answer = (404, "RepoNotFound")


@dataclass
class Commit:
    """One commit: its message, what came before it and all files by path."""

    oid: str
    message: str
    parent: str
    files: dict[str, bytes]


@dataclass
class Dataset:
    """One dataset with its commits; branches and tags by name."""

    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def add(self, branch: str, message: str, files: dict[str, bytes]) -> str:
        """A commit at the end of a branch."""
        parent = self.branches.get(branch, "")
        oid = hashlib.sha1(f"{len(self.commits)}{message}".encode()).hexdigest()
        self.commits[oid] = Commit(oid, message, parent, files)
        self.branches[branch] = oid
        return oid

    def at(self, revision: str) -> Commit | None:
        """The commit of a branch, a tag or an id."""
        return self.commits.get(self.branches.get(revision) or self.tags.get(revision) or revision)


class HubServer:
    """`users`: the name behind each token. `when(asked)`, given `METHOD path`, is the status of a fault, or None."""

    def __init__(self, users: Mapping[str, str], role: str = "write") -> None:
        self.users, self.role = users, role
        self.datasets: dict[str, Dataset] = {}
        self.large: dict[str, bytes] = {}
        """By digest, what was uploaded apart from any commit."""
        self.when: Callable[[str], int | None] = lambda asked: None
        self.asked: list[str] = []
        self.lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def counted(self, begin: str) -> int:
        """How many requests, as `METHOD path`, begin so."""
        return sum(asked.startswith(begin) for asked in self.asked)

    def answer(self, method: str, path: str, body: bytes, token: str) -> Answer:
        """What is answered to a request."""
        asked = f"{method} {path}"
        with self.lock:
            self.asked.append(asked)
            status = self.when(asked)
        if status is not None:
            return status, {"error": f"a fault; you sent {token}"}
        if path.startswith("/large/"):
            self.large[path.removeprefix("/large/")] = body
            return 200, {}
        user = self.users.get(token)
        if user is None:
            return 401, {"error": f"Invalid username or password, not {token}"}
        with self.lock:
            return self._of_the_hub(method, path, body, user)

    def _of_the_hub(self, method: str, path: str, body: bytes, user: str) -> Answer:
        if path == "/api/whoami-v2":
            return 200, {"name": user, "orgs": [], "auth": {"accessToken": {"role": self.role}}}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            return self._created(json.loads(body), user)
        found = re.fullmatch(r"(?:/api)?/datasets/([^/]+/[^/]+?)(?:\.git)?(?:/(.*))?", path)
        if found is None or found[1] not in self.datasets:
            return _NO_REPO
        name, what = found[1], found[2] or ""
        if method != "GET" and (self.role == "read" or not name.startswith(f"{user}/")):
            return 403, {"error": "no right to write"}
        return self._of(self.datasets[name], f"{method} {what}", body, name, user)

    def _created(self, wanted: dict[str, Any], user: str) -> Answer:
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.datasets:
            return 409, {"error": "You already created this dataset repo", "url": f"{self.url}/datasets/{name}"}
        if self.role == "read" or wanted["organization"] != user:
            return 403, {"error": "You don't have the rights to create a dataset there"}
        self.datasets[name] = Dataset(private=wanted.get("visibility") == "private")
        self.datasets[name].add("main", "initial commit", {".gitattributes": b"*.parquet filter=lfs\n"})
        return 200, {"url": f"{self.url}/datasets/{name}"}

    def _of(self, dataset: Dataset, asked: str, body: bytes, name: str, user: str) -> Answer:
        verb, _, rest = asked.partition("/")
        revision, _, path = (unquote(part) for part in rest.partition("/"))
        if asked == "GET auth-check/write":
            return (200, {}) if name.startswith(f"{user}/") and self.role == "write" else (403, {"error": "read only"})
        if asked == "GET refs":
            branches, tags = _refs("heads", dataset.branches), _refs("tags", dataset.tags)
            return 200, {"branches": branches, "tags": tags, "converts": []}
        if asked == "POST info/lfs/objects/batch":
            return 200, {"objects": [self._upload_of(one) for one in json.loads(body)["objects"]], "transfer": "basic"}
        if verb == "POST branch":
            dataset.branches[revision] = dataset.branches["main"]
            return 200, {}
        commit = dataset.at(revision)
        if commit is None:
            return 404, "RevisionNotFound"
        if verb == "POST tag":
            tag = json.loads(body)["tag"]
            return (
                (409, {"error": "there"})
                if tag in dataset.tags
                else (200, dataset.tags.update({tag: commit.oid}) or {})
            )
        if verb == "POST commit":
            return self._committed(dataset, name, revision, commit, [json.loads(line) for line in body.splitlines()])
        if verb == "POST preupload":
            return 200, {"files": [_mode(one["path"], commit) for one in json.loads(body)["files"]]}
        if verb == "GET tree":
            return 200, [_entry(*one) for one in sorted(commit.files.items())]
        if verb == "GET revision":
            return 200, {"id": name, "sha": commit.oid, "siblings": []}
        if verb in ("GET resolve", "HEAD resolve"):
            return (200, commit.files[path]) if path in commit.files else (404, "EntryNotFound")
        return 404, {"error": f"unknown here: {asked}"}

    def _upload_of(self, wanted: dict[str, Any]) -> dict[str, Any]:
        action = {"upload": {"href": f"{self.url}/large/{wanted['oid']}"}}
        return wanted if wanted["oid"] in self.large else {**wanted, "actions": action}

    def _committed(self, dataset: Dataset, name: str, branch: str, head: Commit, lines: list[dict[str, Any]]) -> Answer:
        files = dict(head.files)
        message = ""
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                message = value["summary"]
                if value.get("parentCommit", head.oid) != head.oid:
                    return 412, {"error": "A commit has happened since. Please refresh and try again."}
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.large:
                    return 400, {"error": "was never uploaded"}
                files[value["path"]] = self.large[value["oid"]]
            else:
                del files[value["path"]]
        oid = dataset.add(branch, message, files)
        return 200, {"commitUrl": f"{self.url}/datasets/{name}/commit/{oid}", "commitOid": oid, "success": True}


def _refs(kind: str, refs: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid} for name, oid in refs.items()]


def _blob(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


def _mode(path: str, commit: Commit) -> dict[str, Any]:
    """How a file is to be uploaded, and what is there; of a large file its digest."""
    there, large = commit.files.get(path), path.endswith(LARGE)
    oid = None if there is None else hashlib.sha256(there).hexdigest() if large else _blob(there)
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid}


def _entry(path: str, body: bytes) -> dict[str, Any]:
    size = len(body)
    large = {"lfs": {"oid": hashlib.sha256(body).hexdigest(), "size": size, "pointerSize": 130}}
    return {"type": "file", "path": path, "size": size, "oid": _blob(body), **(large if path.endswith(LARGE) else {})}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet

        def _answer(self) -> None:
            body = self._body()
            token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
            status, said = hub.answer(self.command, urlsplit(self.path).path, body, token)
            self.send_response(status)
            if isinstance(said, str):
                self.send_header("X-Error-Code", said)
                said = {"error": said}
            if isinstance(said, bytes):
                self.send_header("ETag", f'"{_blob(said)}"')
                self.send_header("X-Repo-Commit", hashlib.sha1(self.path.encode()).hexdigest())
            sent = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(sent)

        do_GET = do_HEAD = do_POST = do_PUT = _answer

        def _body(self) -> bytes:
            if "chunked" not in (self.headers.get("transfer-encoding") or ""):
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
