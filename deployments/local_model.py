"""The embedded model for other containers and machines: `python -m deployments.local_model --host 0.0.0.0 --port 8080`.

For trying things out: its texts are poor. It takes anyone's calls, so let it be reached by no one else.
"""

import argparse
import os
import signal
import sys
import threading

from glan.errors import InputError
from glan.local_model import CONTEXT_TOKENS, MODEL, SLOTS, gguf


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m deployments.local_model", description="Serve the embedded model.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=8080, help="port to listen at")
    parser.add_argument("--slots", type=int, default=SLOTS, help="calls that are worked on at a time")
    given = parser.parse_args()
    try:
        model = gguf()
    except InputError as error:
        sys.exit(f"error: {error}")
    from glan.local_server import serving  # its library is an extra

    stop = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    server = serving(str(model), MODEL, given.slots, CONTEXT_TOKENS, given.host, given.port)
    print(f"{MODEL}: {server.listening_address}/v1", flush=True)
    stop.wait()
    os._exit(0)  # not through the server's own shutdown, which waits for calls under way


if __name__ == "__main__":
    main()
