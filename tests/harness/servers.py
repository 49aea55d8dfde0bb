# SPDX-License-Identifier: Apache-2.0
"""Servers that are no verifier."""

import os
import socket
import threading


class Server:
    """Listens on the loopback device; each connection is handled on a thread of
    its own by `behave(connection)`."""

    def __init__(self, behave):
        self._behave = behave
        self._stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection):
        with connection:
            try:
                self._behave(connection, self._stopping)
            except OSError:
                pass  # the guest went away

    def close(self):
        self._stopping.set()
        self._socket.close()


def garbage(connection, stopping):
    connection.recv(1)
    connection.sendall(os.urandom(65536))


def close(connection, stopping):
    pass


def close_after_hello(connection, stopping):
    connection.recv(1)


def silent(connection, stopping):
    stopping.wait()


def plain_http(connection, stopping):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
