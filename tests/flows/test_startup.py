"""What a person waits for before a command says anything: no command imports what it has no use for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal_world import clean_environment
from tiny_store import commit, instruction, new_store, publish, unit

CODE = """
import sys
from flows.cli import main
for line in sys.argv[2:]:
    sys.argv = ["glan", *line.split()]
    try:
        main()
    except SystemExit as end:
        assert end.code != 2, line
print(*({"prefect", "pandas", "pyarrow", "pydantic", "openai"} & set(sys.modules)))
"""
LOOKS = (
    "status RUN.toml", "status --costs", "files instructions", "report", "taxonomy show", "quarantine list", "sql select(1)",
    "verify", "compact", "gc", "publish first", "plan RUN.toml",
)  # fmt: skip


def imported_by(*lines: str, folder: Path) -> set[str]:
    """Which heavy packages a process has imported that has run these command lines."""
    environment = clean_environment(os.environ, GLAN_STORE="store", GLAN_MODEL="teacher", OPENAI_API_KEY="sk-none")
    command = [sys.executable, "-P", "-c", CODE, "glan", *lines]
    said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return set(said.stdout.splitlines()[-1].split())


def test_help_costs_neither_prefect_nor_pandas_nor_arrow(tmp_path: Path) -> None:
    assert imported_by("--help", folder=tmp_path) == set()


def test_commands_that_look_at_a_store_do_without_prefect_and_a_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = new_store("store")
    rows = unit("instructions", "physics", "optics.000000-000002")
    publish(store, commit(store, rows, [instruction("p1", rows)]))
    (tmp_path / "RUN.toml").write_text("subjects = 1\n")
    assert imported_by(*LOOKS, folder=tmp_path).isdisjoint({"prefect", "openai"})


def test_no_room_of_the_terminal_imports_prefect_before_it_is_told_to_be_quiet() -> None:
    """Or its log lines stand among what a command says, and its server gets too little time to start."""
    folder = Path(__file__).resolve().parents[2] / "flows/terminal"
    rooms = ", ".join(f"flows.terminal.{file.stem}" for file in sorted(folder.glob("[!_]*.py")))
    code = f"import sys, {rooms}; print('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
