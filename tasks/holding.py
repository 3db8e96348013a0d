"""Leases as a process of this machine holds them. Imports no Prefect: `glan gc` holds one too."""

import os
import socket

from glan.clock import now
from glan.store.files import Files
from glan.store.leases import Holder, Leases


def leases_of(files: Files, name: str) -> Leases:
    """Leases held by this process under a name."""
    return Leases(files, Holder(run_id=name, host=socket.gethostname(), process=os.getpid()), now, _is_alive)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks only; nothing is sent
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        pass
    return True
