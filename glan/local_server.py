"""The process behind `local_model`: `python local_server.py GGUF NAME SLOTS CONTEXT`.

Prints its address, then serves until its standard input ends, which it does when the parent closes it or dies in
whatever way. Run as a file, so that it needs nothing but `xllamacpp`.
"""

import os
import sys

import xllamacpp


def main(gguf: str, name: str, slots: int, context: int) -> None:
    """Serve the model on a free loopback port. `context`: tokens of one call, prompt and reply together."""
    server = serving(gguf, name, slots, context, "127.0.0.1", 0)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # not through the server's own shutdown, which waits for calls under way


def serving(gguf: str, name: str, slots: int, context: int, host: str, port: int) -> xllamacpp.Server:
    """A server that has begun to serve the model."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = gguf
    parameters.model_alias = {name}
    parameters.hostnames = [host]
    parameters.port = port
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context
    parameters.ui = False
    parameters.verbosity = 1  # errors only
    return xllamacpp.Server(parameters)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
