"""Empty Prefect homes whose database is set up already: setting one up costs more than starting the server on it."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import prefect

DATABASE = "prefect.db"


def prefect_home(home: Path) -> Path:
    """Make a folder the home of a Prefect that has seen no run yet; that folder."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / DATABASE).exists():
        shutil.copyfile(_empty_database(), home / DATABASE)
    return home


def _empty_database() -> Path:
    """A database with tables and nothing in them, made once by Prefect itself for all test processes of a machine."""
    folder = Path(tempfile.gettempdir()) / f"glan-tests-{os.getuid()}-prefect-{prefect.__version__}"
    folder.mkdir(mode=0o700, exist_ok=True)
    database = folder / DATABASE
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not database.exists():
            with tempfile.TemporaryDirectory(dir=folder) as first:
                kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
                command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"]
                subprocess.run(command, check=True, capture_output=True, env={**kept, "PREFECT_HOME": first})
                os.replace(Path(first) / DATABASE, database)
    return database
