"""Programs are run where they can harm nobody: what hostile ones try comes to nothing, and all of them end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from namespaces import needs_namespaces

from glan.checking import code, sandbox


@needs_namespaces
@pytest.mark.parametrize(
    ("program", "ending", "detail"),
    [
        ("import json, re, random\nprint(json.dumps({'é': 1}))", "runs", ""),
        ("import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()", "runs", ""),
        ("import tempfile\nwith tempfile.TemporaryFile() as f: f.write(b'x')", "runs", ""),
        ("1 / 0", "fails", "ZeroDivisionError"),
        ("assert 1 + 1 == 3, 'no'", "fails", "AssertionError"),
        ("import json\njson.loads('{')", "fails", "json.decoder.JSONDecodeError"),
        ("import sys\nsys.exit(3)", "fails", "ends with status 3"),
        ("print(input())", "not_checked", "EOFError"),
        ("import no_such_library", "not_checked", "ModuleNotFoundError"),
        ("open('data.csv')", "not_checked", "FileNotFoundError"),
    ],
)
def test_how_a_program_ends(program: str, ending: str, detail: str) -> None:
    assert sandbox.run(program) == sandbox.Ran(ending, detail)  # type: ignore[arg-type]


@needs_namespaces
def test_it_ends_the_same_way_each_time() -> None:
    program = "assert list({'a', 'b', 'c', 'd', 'e', 'f'}) == sorted('abcdef')"
    assert len({sandbox.run(program) for _ in range(3)}) == 1


@needs_namespaces
@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "while True: print('x' * 100000)",
        "import time\ntime.sleep(3600)",
        "import os, time\nos.setsid()\nif os.fork() == 0: time.sleep(3600)\ntime.sleep(3600)",
        "import ctypes, signal, time\nctypes.CDLL(None).prctl(1, 0)\n"
        "for n in range(1, 32):\n  try: signal.signal(n, signal.SIG_IGN)\n  except OSError: pass\n"
        "time.sleep(3600)",
    ],
)
def test_what_never_ends_is_ended(program: str) -> None:
    begun = time.monotonic()
    assert sandbox.run(program, seconds=1.5).ending == "not_checked"
    assert time.monotonic() - begun < 10
    assert left() == []


@needs_namespaces
@pytest.mark.parametrize(
    "program",
    [
        "import os\nwhile True: os.fork()",
        "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
        "x = bytearray(4 << 30)",
        "x = []\nwhile True: x.append(bytearray(1 << 26))",
        "n = 0\nwhile True:\n  n += 1\n  open(f'{n}', 'wb').write(b'x' * (1 << 19))",
        "open('/tmp/large', 'wb').write(b'x' * (64 << 20))",
        "import sys\nwhile True: sys.stderr.write('x' * 100000)",
        "f = []\nwhile True: f.append(open('/dev/null'))",
    ],
)
def test_what_wants_too_much_gets_it_not(program: str) -> None:
    assert sandbox.run(program, seconds=3).ending == "not_checked"
    assert left() == []


@needs_namespaces
def test_what_a_program_starts_goes_with_it() -> None:
    ran = sandbox.run("import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(3600)")
    assert ran == sandbox.Ran("runs")
    assert left() == []


def left() -> list[str]:
    """Programs that are still there, after a moment in which those that were killed may vanish."""
    for _ in range(50):
        listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True)
        found = [line for line in listed.stdout.splitlines() if line.endswith(" /program.py")]
        if not found:
            break
        time.sleep(0.1)
    return found


@needs_namespaces
def test_no_file_of_the_user_is_seen_or_written(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("sk-secret")
    home = Path.home()
    program = f"""
import os, pathlib
for path in ({str(secret)!r}, {str(home / ".ssh")!r}, {str(Path.cwd())!r}, '/etc/passwd', '/proc/1/environ', '/var', '/run'):
    assert not os.path.exists(path), path
for path in ({str(tmp_path)!r}, {str(home)!r}, '/'):
    try:
        pathlib.Path(path, 'glan-was-here').write_text('x')
    except OSError:
        pass
for path in ('/usr', {sys.base_prefix!r}, os.__file__, {os.path.realpath(sys.executable)!r}):
    assert not os.access(path, os.W_OK), path
"""
    assert sandbox.run(program) == sandbox.Ran("runs")
    assert secret.read_text() == "sk-secret"
    for path in (tmp_path, home, Path("/")):
        assert not (path / "glan-was-here").exists()


@needs_namespaces
def test_no_secret_of_the_environment_and_no_right_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    program = """
import ctypes, os, socket
assert 'sk-secret' not in str(os.environ) and not [name for name in os.environ if 'KEY' in name]
libc = ctypes.CDLL(None)
assert libc.mount(b'none', b'/usr', b'tmpfs', 0, None) == -1
assert libc.umount2(b'/usr', 2) == -1
assert libc.mount(None, b'/usr', None, 32 | 4096, None) == -1  # to be written to
assert libc.setuid(0) in (0, -1) and libc.chroot(b'/') == -1
assert os.listdir('/work') == []
for kind in (socket.AF_INET, socket.AF_INET6):
    try:
        socket.socket(kind, socket.SOCK_DGRAM).connect(('1.1.1.1' if kind == socket.AF_INET else '::ffff:1.1.1.1', 53))
    except OSError:
        continue
    raise AssertionError(kind)
try:
    os.kill(1, 9)
except OSError:
    pass
"""
    assert sandbox.run(program) == sandbox.Ran("runs")


@needs_namespaces
def test_the_programs_of_an_answer_are_taken_together() -> None:
    def answer(*programs: str) -> str:
        return "\n".join(f"```python\n{program}\n```\n" for program in programs)

    assert code.ran("No code at all.") is None
    assert code.ran(answer("print(1)", "print(2)")) == sandbox.Ran("runs")
    assert code.ran(answer("print(1)", "1 / 0")) == sandbox.Ran("fails", "program 2 of 2: ZeroDivisionError")
    assert code.ran(answer("import numpy\nprint(numpy)", "print(2)")) == sandbox.Ran(
        "not_checked", "program 1 of 2: needs numpy"
    )
    assert code.ran(answer(*["print(1)"] * 11)) == sandbox.Ran("not_checked", "11 programs")


def test_without_a_safe_place_nothing_is_run(tmp_path: Path) -> None:
    harm = f"open({str(tmp_path / 'x')!r}, 'w')"
    program = f"from glan.checking import sandbox\nsandbox.run({harm!r})"
    ended = subprocess.run(without_namespaces(sys.executable, "-c", program), capture_output=True, text=True)
    if "unshare" in ended.stderr and "InputError" not in ended.stderr:
        pytest.skip("this machine gives no user namespaces to take away")
    assert ended.returncode == 1
    assert "code cannot be checked safely on this machine" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def without_namespaces(*command: str) -> list[str]:
    """A command where no further user namespace may be made, as in many containers."""
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh", *command]
