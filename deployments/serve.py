"""`glan serve`: Prefect's server and UI, all deployments and a worker for their runs, on one machine until Ctrl-C."""

import argparse
import os
import secrets
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import IO

from deployments.child import Child
from flows.terminal.screen import check_server_address
from glan import local_model
from glan.config import RunConfig
from glan.errors import GlanError, InputError, StoreError
from glan.settings import Settings
from glan.store import taxonomies
from glan.store.store import Store
from glan.taxonomy import Taxonomy

SECONDS_TO_START = 300.0
"""A first start makes the database, which takes a while on a slow disk."""

LOOK_EVERY_SECONDS = 10.0
"""How often a new version of the taxonomy is looked for, whoever published it."""

PREFECT: dict[str, str] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_UI_API_URL": "/api",  # the browser asks where it got the page from, under whatever name that is
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_RUNNER_AUTO_INSTALL_DEPENDENCIES": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "glan",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",  # the log is for trouble; the UI has the runs' own lines
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
}
"""What a person has set stays."""


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    host: str
    port: int
    at_once: int
    local: bool

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"


class _Stopping:
    """Ctrl-C and SIGTERM: the first ends what goes on, the second ends the patience with what is slow to end."""

    def __init__(self) -> None:
        self.hurry = threading.Event()
        self._told = False
        # Handled signals are not ignored in children, as they would be if a shell had started this in the background.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._tell)

    def _tell(self, number: int, frame: FrameType | None) -> None:
        if self._told:
            self.hurry.set()
            return
        self._told = True
        raise KeyboardInterrupt


def main() -> int:
    """Serve until told to stop: 0; 2 with one sentence if something is wrong with what was asked for, 1 for the rest."""
    parser = argparse.ArgumentParser(prog="glan serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4200)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--local", action="store_true")
    stopping = _Stopping()
    try:
        serve(Wanted(**vars(parser.parse_args())), stopping.hurry.is_set)
    except KeyboardInterrupt:
        _say("stopped")
    except GlanError as error:
        sys.stderr.write(f"glan: {error}\n")
        return 2 if isinstance(error, InputError) else 1
    return 0


def serve(wanted: Wanted, hurry: Callable[[], bool]) -> None:
    """Start everything, say where it is, and keep it going.

    Raises:
        InputError: the settings, the address or the Prefect server that is set are wrong.
        GlanError: a part of it has ended by itself.
    """
    check_server_address()
    store = Store.open(Settings.load().store)
    store.begun()
    for name, value in PREFECT.items():
        os.environ.setdefault(name, value)
    log_path = _log_path(wanted.port)
    with ExitStack() as stack:
        log = stack.enter_context(log_path.open("wb"))
        children = {}
        if (remote := _remote(wanted)) is None:
            children["server"] = stack.enter_context(_server(wanted, log))
            _await_server(children["server"], wanted, log_path)
            stack.enter_context(_server_set(f"{wanted.address}/api"))
        if wanted.local:
            _use(stack.enter_context(local_model.LocalModel()))
        _deploy(store, wanted.local)
        children["worker"] = stack.enter_context(_worker(wanted, log, hurry))
        _say(f"Prefect's UI: {remote or wanted.address}   data: {store.files.url}   log: {log_path}")
        _say("Open it, choose Deployments, generate, Run. Ctrl-C stops everything.")
        _watch(children, store, log_path)


def _log_path(port: int) -> Path:
    from prefect.settings import PREFECT_HOME

    home = PREFECT_HOME.value()
    home.mkdir(parents=True, exist_ok=True)
    return Path(home) / f"glan-serve-{port}.log"


def _remote(wanted: Wanted) -> str | None:
    """The server that is set, if it is another one than that which is about to be started here."""
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return None
    if _answers(url):
        return str(url).removesuffix("/api")
    if url.rstrip("/") == f"{wanted.address}/api":
        return None
    raise InputError(
        f"PREFECT_API_URL: no Prefect server answers at {url}; start it, correct the address, or unset it to have one here"
    )


@contextmanager
def _server(wanted: Wanted, log: IO[bytes]) -> Iterator[Child]:
    try:
        family, kind, _, _, place = socket.getaddrinfo(wanted.host, wanted.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except (OSError, UnicodeError) as error:  # UnicodeError: no name of a host
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"--host, --port: cannot listen at {wanted.host}, port {wanted.port} ({reason}); choose another --port"
        ) from error
    if wanted.host not in ("127.0.0.1", "localhost", "::1") and not os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        _say(f"note: whoever reaches {wanted.host} can start runs; PREFECT_SERVER_API_AUTH_STRING sets a password")
    _say("starting Prefect's server ...")
    with Child("deployments.server", [wanted.host, str(wanted.port)], os.environ, log, grace=20) as child:
        yield child


@contextmanager
def _server_set(api_url: str) -> Iterator[None]:
    """For this process and for those that it starts."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    os.environ["PREFECT_API_URL"] = api_url
    with temporary_settings({PREFECT_API_URL: api_url}):
        yield


def _await_server(server: Child, wanted: Wanted, log_path: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not _answers(f"{wanted.address}/api"):
        if not server.alive or time.monotonic() > deadline:
            raise GlanError(f"Prefect's server does not start; {log_path} says why")
        time.sleep(0.2)


def _answers(api_url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{api_url.rstrip('/')}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):  # HTTPException: something else answers there
        return False


def _use(model: local_model.LocalModel) -> None:
    os.environ.update({"OPENAI_BASE_URL": model.base_url, "GLAN_MODEL": model.model, "OPENAI_API_KEY": "none"})
    os.environ.setdefault("GLAN_MAX_CONCURRENCY", str(model.slots))


def _deploy(store: Store, local: bool) -> None:
    import httpx

    from deployments.automations import deploy_automations
    from deployments.deploy import deploy, make_pool, prefill
    from flows.terminal.runs import DEMO

    try:
        make_pool()
        deploy()
        deploy_automations(Settings.load().notify or None)
        if local:
            prefill(_within_reach(RunConfig.from_file(DEMO), taxonomies.current(store)).model_dump(mode="json"))
    except httpx.HTTPError as error:
        raise InputError(f"the Prefect server does not take the deployments: {error}") from error


def _within_reach(demo: RunConfig, tree: Taxonomy) -> RunConfig:
    """What a small model can do, by the ids that the form offers: a person's own taxonomy may lack the demo's."""
    names = {one.discipline: one.discipline_id for one in tree}
    ids = [names[name] for name in demo.disciplines if name in names] or list(names.values())[:1]
    return demo.model_copy(update={"disciplines": ids})


@contextmanager
def _worker(wanted: Wanted, log: IO[bytes], hurry: Callable[[], bool]) -> Iterator[Child]:
    """A worker of its own name, whose runs are cancelled before it ends."""
    from deployments.deploy import POOL
    from deployments.runs import close_runs, stop_runs

    name = f"glan-serve-{secrets.token_hex(4)}"
    arguments = ["worker", "start", "--pool", POOL, "--type", "process", "--name", name, "--limit", str(wanted.at_once)]
    environment = {**os.environ, "PWD": os.getcwd()}  # where its runs work: see steps.enter_folder
    with Child("deployments.prefect_worker", arguments, environment, log, grace=15) as child:
        try:
            yield child
        finally:
            _say("stopping ...")
            stop_runs(name, hurry)
            child.stop()
            close_runs(name)


def _watch(children: dict[str, Child], store: Store, log_path: Path) -> None:
    """Until one of the children ends by itself: let the forms follow the taxonomy."""
    from tasks.choices import follow

    known: Sequence[int] | None = None
    looked = -LOOK_EVERY_SECONDS
    while all(child.alive for child in children.values()):
        time.sleep(0.2)
        if time.monotonic() - looked < LOOK_EVERY_SECONDS:
            continue
        looked = time.monotonic()
        with suppress(StoreError):  # the forms stay as they are while the store is away; runs wait for it themselves
            versions = taxonomies.versions(store.files)
            if known is not None and versions != known:
                follow(taxonomies.current(store))
            known = versions
    [ended, *_] = [name for name, child in children.items() if not child.alive]
    raise GlanError(f"Prefect's {ended} has ended by itself; {log_path} says why")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
