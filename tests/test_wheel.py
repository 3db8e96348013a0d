"""An installation without a checkout: a wheel, an environment of its own, and a small run from any folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from model_server import ModelServer
from terminal_world import clean_environment

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.soak
def test_an_installed_wheel_works_outside_of_the_checkout(tmp_path: Path) -> None:
    """Needs a package index: everything that glan needs is installed, by the pins of the checkout."""
    environment = {**clean_environment(os.environ), "HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}
    environment.pop("PYTHONPATH", None)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def done(*command: str | Path, **more: str) -> str:
        ended = subprocess.run(command, cwd=elsewhere, env={**environment, **more}, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    [wheel] = tmp_path.glob("glan-*.whl")
    done(sys.executable, "-m", "venv", tmp_path / "venv")
    programs = tmp_path / "venv" / "bin"
    done(programs / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel)

    assert "taxonomy" in done(programs / "glan", "--help")
    where = done(
        programs / "python", "-c", "import glan, deployments.deploy as d; print(glan.__file__, d.FILE.exists())"
    )
    assert where.startswith(str(tmp_path / "venv")) and where.endswith("True\n")
    with ModelServer(seed=1) as server:
        small = ("--discipline", "physics", "--subjects", "2", "--questions", "3", "--lists", "2")
        teacher = {"OPENAI_BASE_URL": server.base_url, "GLAN_MODEL": "teacher"}
        made = json.loads(done(programs / "glan", "run", *small, "--json", **teacher))
    assert made["state"] == "Completed" and made["kept"] + made["rejected"] == 6
    assert "is whole" in done(programs / "glan", "verify")
