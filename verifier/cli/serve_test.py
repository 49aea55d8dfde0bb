#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""serve_test.py FORELOCK_VERIFIER: the server as a process, whose log nobody
reads for a while, and the signals it gets."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

PATIENCE = 120
VERIFIER = sys.argv.pop(1)


def stall(pipe):
    """Fills a pipe to its last byte, by a description of our own."""
    fd = os.open(f"/proc/self/fd/{pipe.fileno()}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(fd, b"#")
    except BlockingIOError:
        os.close(fd)


class Serve(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        state = folder.name + "/state"
        subprocess.run([VERIFIER, "init", "--state", state], check=True, stdout=subprocess.DEVNULL)
        self.server = subprocess.Popen(
            [VERIFIER, "serve", "--state", state, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE)
        self.addCleanup(self.end)
        self.port = int(self.line(rb" info listening on 127\.0\.0\.1:(\d+)$").group(1))

    def end(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def line(self, pattern):
        """The next line that matches."""
        for line in self.server.stdout:
            match = re.search(pattern, line.rstrip(b"\n"))
            if match:
                return match
        raise AssertionError(f"the server ended before {pattern}")

    def session(self):
        """One that fails, to its end: the server is at work."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as peer:
            peer.sendall(b"this is no TLS\n" * 20)
            try:
                while peer.recv(4096):
                    pass
            except ConnectionResetError:
                pass

    def test_sighup_without_certificates_ends_nothing(self):
        for _ in range(2):
            self.server.send_signal(signal.SIGHUP)
            self.line(rb" info SIGHUP: there are no --certificates to read again$")
            self.session()
        self.server.send_signal(signal.SIGTERM)
        self.line(rb" info stopped$")
        self.assertEqual(self.server.wait(PATIENCE), 0)

    def test_a_log_that_nobody_reads_holds_nothing_up(self):
        stall(self.server.stdout)
        # Each is a line; more of them than wait for a reader.
        for _ in range(2500):
            self.server.send_signal(signal.SIGHUP)
            self.session()
        self.line(rb" warning \d+ lines dropped$")
        stall(self.server.stdout)
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
