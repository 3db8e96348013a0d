"""What runs inside the sandbox before the program does. It is never imported: `sandbox` hands its source to a Python.

Four processes: this one stays outside and gives the second its user ids; the second makes the namespaces; the third,
the first process within them, builds a file system of what Python needs and nothing else; the fourth gives up all
rights and becomes the program. Each of the first three dies with the one before it, or when it is late, and with the
third all that the program has started. On standard output: how the program ended, as JSON. The program's own output goes nowhere.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any, NoReturn

NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000  # mount uts ipc user pid net
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, SYS_MOUNT_SETATTR = -100, 0x8000, 1, 442
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
DEVICES = ("null", "zero", "full", "random", "urandom")
ROOT = "/proc"  # where the new root is built: it is there everywhere, and nothing of Python is in it
NOBODY = 65534

Order = dict[str, Any]

libc = ctypes.CDLL(None, use_errno=True)


def main(order: Order) -> None:
    """Run the program of the order; say how it ended."""
    signal.alarm(order["late_seconds"])
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory runs out, these go first
    (unshared, tell_unshared), (mapped, tell_mapped) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(unshared)
        os.close(tell_mapped)
        begin(order, tell_unshared, mapped)
    os.close(tell_unshared)
    os.close(mapped)
    if os.read(unshared, 1):
        try:
            map_ids(child)
            os.write(tell_mapped, b".")
        except OSError as error:
            say({"refused": str(error)})
    os.close(tell_mapped)
    os.waitpid(child, 0)


def map_ids(child: int) -> None:
    """Within, 0 is who runs this. Root lends nobody as 1 too: it is no root that the program has to be, for the limits."""
    user, group = os.geteuid(), os.getegid()
    nobody = "" if user else f"\n1 {NOBODY} 1"
    lines = {"setgroups": "deny", "uid_map": f"0 {user} 1{nobody}", "gid_map": f"0 {group} 1{nobody}"}
    for name, text in lines.items():
        with open(f"/proc/{child}/{name}", "w") as file:
            file.write(text)


def begin(order: Order, tell_unshared: int, mapped: int) -> NoReturn:
    """The second process: new namespaces, and their first process."""
    try:
        is_root = os.geteuid() == 0
        call("unshare", NAMESPACES)
        os.write(tell_unshared, b".")
        if not os.read(mapped, 1):
            os._exit(1)
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        signal.alarm(order["late_seconds"])
        if os.fork() == 0:
            rule(order, is_root)
        os.wait()
        os._exit(0)
    except OSError as error:
        refuse(error)


def rule(order: Order, is_root: bool) -> NoReturn:
    """The third process: it waits for the program, and takes with it all that is left."""
    try:
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(1))  # the first process of its namespace has no other way
        signal.alarm(order["late_seconds"])
        furnish(order)
        trouble, tell_trouble = os.pipe()
        program = os.fork()
        if program == 0:
            become(order, is_root, tell_trouble)
        os.close(tell_trouble)
        if text := os.read(trouble, 1000):
            say({"refused": text.decode()})
            os._exit(1)
        while True:
            child, status = os.wait()
            if child == program:
                break
        say({"code": os.waitstatus_to_exitcode(status)})
        os._exit(0)
    except OSError as error:
        refuse(error)


def furnish(order: Order) -> None:
    """A new root in memory: Python and the system's libraries, read-only, some devices, and an empty folder."""
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    options = f"size={order['disk_bytes']},nr_inodes=10000,mode=755"
    call("mount", b"tmpfs", ROOT.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, options.encode())
    for path in order["shown"]:
        show(path, read_only=True)
    for name in DEVICES:
        show(f"/dev/{name}", read_only=False)
    for name in ("dev/shm", "tmp", "work"):
        os.makedirs(f"{ROOT}/{name}")
        os.chmod(f"{ROOT}/{name}", 0o777)
    with open(f"{ROOT}/program.py", "w", encoding="utf-8", newline="") as file:
        file.write(order["program"])
    os.chdir(ROOT)
    call("pivot_root", b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/work")


def show(path: str, read_only: bool) -> None:
    """Let a file or folder be seen, or a link be the same link."""
    at = ROOT + path
    os.makedirs(os.path.dirname(at), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), at)
        return
    if os.path.isdir(path):
        os.makedirs(at, exist_ok=True)
    else:
        open(at, "w").close()
    call("mount", path.encode(), at.encode(), None, MS_BIND | MS_REC, None)
    if read_only:
        wanted = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
        call("syscall", SYS_MOUNT_SETATTR, AT_FDCWD, at.encode(), AT_RECURSIVE, wanted, ctypes.sizeof(wanted))


def become(order: Order, is_root: bool, tell_trouble: int) -> NoReturn:
    """The fourth process: limits, no rights, nothing to read or to write to, then the program."""
    try:
        for name, most in order["limits"].items():
            resource.setrlimit(getattr(resource, name), (most, most))
        capability = 0
        while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
            capability += 1
        call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if is_root:
            os.setresgid(1, 1, 1)
            os.setresuid(1, 1, 1)
        nothing = os.open("/dev/null", os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.execve(order["python"][0], [*order["python"], "/program.py"], order["environment"])
    except (OSError, ValueError) as error:
        os.write(tell_trouble, str(error).encode())
        os._exit(1)


def call(name: str, *arguments: Any) -> None:
    """A function of the C library, which must succeed."""
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def say(ending: dict[str, Any]) -> None:
    """Tell whoever started all this."""
    os.write(1, json.dumps(ending).encode())


def refuse(error: OSError) -> NoReturn:
    """The sandbox could not be made."""
    say({"refused": str(error)})
    os._exit(1)


main(json.load(sys.stdin))
