"""A relay on loopback in front of a server, which loses answers or says `503 Slow Down` when told to."""

import contextlib
import socket
import threading
from collections.abc import Callable

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class FaultyNetwork:
    """Relays to a port; `lose_answers` and `say_busy` count down the faults still to happen."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.lose_answers = 0
        self.say_busy = 0
        self.faults = 0

    def __enter__(self) -> "FaultyNetwork":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # its thread would else go on waiting, and might serve the next one
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            for pair, fault in (((client, server), self._on_request), ((server, client), self._on_answer)):
                threading.Thread(target=_relay, args=(*pair, fault), daemon=True).start()

    def _on_request(self, data: bytes, source: socket.socket) -> bool:
        """Answer busy instead of passing a request on."""
        if self.say_busy and data.split(b" ", 1)[0] in (b"PUT", b"GET", b"HEAD", b"DELETE"):
            self.say_busy -= 1
            self.faults += 1
            source.sendall(_BUSY)
            return True
        return False

    def _on_answer(self, data: bytes, source: socket.socket) -> bool:
        """Lose the answer to a request that the server has carried out (`100 Continue` is not yet one)."""
        if self.lose_answers and not data.startswith(b"HTTP/1.1 100"):
            self.lose_answers -= 1
            self.faults += 1
            return True
        return False


def _relay(source: socket.socket, target: socket.socket, fault: Callable[[bytes, socket.socket], bool]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            if fault(data, source):
                break
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
