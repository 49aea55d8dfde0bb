# SPDX-License-Identifier: Apache-2.0
"""Just enough of the GDB remote protocol to stop QEMU at an address."""

import socket


class Gdb:
    def __init__(self, path, deadline=120.0):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(deadline)
        self._socket.connect(str(path))
        self._input = b""

    def _send(self, text):
        body = text.encode()
        self._socket.sendall(b"$%s#%02x" % (body, sum(body) & 0xFF))

    def _receive(self):
        while True:
            start = self._input.find(b"$")
            end = self._input.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self._input) - 3:
                body = self._input[start + 1 : end]
                self._input = self._input[end + 3 :]
                self._socket.sendall(b"+")
                return body.decode()
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("QEMU closed the debugger's connection")
            self._input += data

    def call(self, text):
        self._send(text)
        return self._receive()

    def start_to(self, address):
        """Sets a hardware breakpoint and lets the machine run."""
        if self.call(f"Z1,{address:x},1") != "OK":
            raise ConnectionError("QEMU does not take the breakpoint")
        self._send("c")

    def wait_stopped(self):
        """Waits for the breakpoint; returns RIP."""
        self._receive()
        registers = bytes.fromhex(self.call("g"))
        return int.from_bytes(registers[16 * 8 : 17 * 8], "little")

    def close(self):
        self._socket.close()
