# SPDX-License-Identifier: Apache-2.0
"""The few words of GDB's remote protocol that the tests need: break at an
address, continue, read the registers.

Source: the GDB manual, appendix "Remote Serial Protocol"; the order of
registers is that of QEMU's gdb-xml/i386-64bit.xml.
"""

import socket
import struct
import time

_GENERAL = (
    "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
)
_SHORT = "eflags cs ss ds es fs gs".split()
_SYSTEM = "fs_base gs_base k_gs_base cr0 cr2 cr3 cr4 cr8 efer".split()
_X87_SIZE = 8 * 10 + 8 * 4
_RIP = 8 * _GENERAL.index("rip")


class Error(Exception):
    pass


def connect(path, timeout, running):
    """A connection as soon as QEMU has made its socket. `running`: whether it
    may still do so."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return Connection(path, timeout)
        except (FileNotFoundError, ConnectionRefusedError):
            if not running() or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


class Connection:
    """To QEMU's gdbstub on a Unix socket. `timeout`: seconds for one answer."""

    def __init__(self, path, timeout):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._buffer = b""

    def close(self):
        self._socket.close()

    def _byte(self):
        if not self._buffer:
            self._buffer = self._socket.recv(65536)
            if not self._buffer:
                raise Error("QEMU closed the connection")
        first, self._buffer = self._buffer[:1], self._buffer[1:]
        return first

    def _send(self, text):
        data = text.encode()
        self._socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def _receive(self):
        while self._byte() != b"$":
            pass
        data = b""
        while (byte := self._byte()) != b"#":
            data += byte
        self._byte(), self._byte()  # the checksum; a local socket loses nothing
        self._socket.sendall(b"+")
        return data.decode()

    def call(self, text):
        self._send(text)
        return self._receive()

    def break_at(self, address):
        if self.call(f"Z1,{address:x},1") != "OK":
            raise Error("no breakpoint")

    def remove_break(self, address):
        if self.call(f"z1,{address:x},1") != "OK":
            raise Error("no such breakpoint")

    def resume(self):
        """Lets the machine run until it stops."""
        self._run("c")

    def step(self):
        self._run("s")

    def _run(self, command):
        answer = self.call(command)
        if not answer.startswith("T05"):
            raise Error(f"stopped by {answer}")

    def run(self, handlers):
        """Runs until a handler returns True. `handlers`: address to a function
        of the registers, called each time that the machine comes there; it may
        add others."""
        for address in handlers:
            self.break_at(address)
        while True:
            self.resume()
            registers = self.registers()
            here = registers["rip"]
            known = set(handlers)
            if handlers[here](registers):
                return registers
            # QEMU stops where it stands, so that one step goes without.
            self.remove_break(here)
            for address in set(handlers) - known:
                self.break_at(address)
            self.step()
            self.break_at(here)

    def run_to_power_off(self):
        """For a QEMU with -no-shutdown: it stops there, and keeps its memory."""
        answer = self.call("c")
        if not answer.startswith("T03"):  # SIGQUIT
            raise Error(f"stopped by {answer}")

    def jump(self, address):
        """Makes the stopped machine go on at `address`."""
        data = bytearray.fromhex(self.call("g"))[: _RIP + 8]
        struct.pack_into("<Q", data, _RIP, address)
        if self.call(f"G{data.hex()}") != "OK":
            raise Error("the registers cannot be written")

    def resume_and_detach(self):
        self.call("D")

    def registers(self):
        """Name to number; xmm0 to xmm15 as 16 bytes."""
        data = bytes.fromhex(self.call("g"))
        names = _GENERAL + _SHORT + _SYSTEM
        head = struct.Struct("<17Q7I9Q")
        values = dict(zip(names, head.unpack_from(data)))
        at = head.size + _X87_SIZE
        for i in range(16):
            values[f"xmm{i}"] = data[at + 16 * i : at + 16 * (i + 1)]
        if at + 256 > len(data):
            raise Error("QEMU's registers are in another order")
        return values
