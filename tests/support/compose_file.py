"""docker-compose.yml as a compose implementation reads it: podman-compose, which needs no engine to resolve a file."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
SECRETS = {
    "POSTGRES_PASSWORD": "p@ss/word:1",
    "PREFECT_API_AUTH_STRING": "admin:p@ss word",
    "AWS_ACCESS_KEY_ID": "stack-key",
    "AWS_SECRET_ACCESS_KEY": "stack+secret/0",
}
"""What has to stand in .env, with characters that a careless file would trip over."""


def config(variables: Mapping[str, str], *profiles: str) -> subprocess.CompletedProcess[str]:
    """`podman-compose config` with these variables in .env, and none of them in the environment."""
    with tempfile.TemporaryDirectory() as folder:
        env_file, podman = Path(folder) / "env", Path(folder) / "podman"
        env_file.write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
        podman.write_text("#!/bin/sh\necho podman version 5.4.0\n")  # asked for nothing but its version
        podman.chmod(0o755)
        command = [sys.executable, "-m", "podman_compose", "--podman-path", str(podman), "--env-file", str(env_file)]
        command += [word for profile in profiles for word in ("--profile", profile)]
        bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        return subprocess.run(
            [*command, "--file", str(COMPOSE_FILE), "config"], capture_output=True, text=True, env=bare, cwd=folder
        )


def resolved(variables: Mapping[str, str], *profiles: str) -> dict[str, Any]:
    """The file with all variables put in."""
    done = config(variables, *profiles)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = yaml.safe_load(done.stdout)
    return document
