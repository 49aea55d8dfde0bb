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


def flood(connection, stopping):
    """TLS records that mean nothing, without end (RFC 8446, 5: a peer drops
    change_cipher_spec during the handshake)."""
    connection.recv(1)
    while not stopping.is_set():
        connection.sendall(b"\x14\x03\x03\x00\x01\x01" * 1024)


class Relay(Server):
    """Relays to `target`, but holds what it answers after `turns` turns: a turn
    is what the client sends and what the server answers. With the native
    protocol the turns are handshake, challenge, verdict, so a guest can be kept
    in a known phase."""

    def __init__(self, target, turns):
        host, port = target.split(":")
        self._target = (host, int(port))
        self._turns = turns
        self._held = threading.Event()
        self._released = threading.Event()
        super().__init__(self._relay)

    def wait_held(self, deadline=60):
        """Waits until an answer of the server is being held."""
        if not self._held.wait(deadline):
            raise TimeoutError("the server answered nothing that could be held")

    def release(self):
        self._released.set()

    def _relay(self, client, stopping):
        with socket.create_connection(self._target) as server:
            turn = [0, "server"]  # number, and who spoke last

            def to_server():
                while data := client.recv(65536):
                    if turn[1] == "server":
                        turn[:] = [turn[0] + 1, "client"]
                    server.sendall(data)
                server.shutdown(socket.SHUT_WR)

            def pump():
                try:
                    to_server()
                except OSError:
                    pass  # one of the two is gone

            threading.Thread(target=pump, daemon=True).start()
            while data := server.recv(65536):
                turn[1] = "server"
                if turn[0] > self._turns and not self._released.is_set():
                    self._held.set()
                    self._released.wait()
                client.sendall(data)
