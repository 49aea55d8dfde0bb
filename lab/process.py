# SPDX-License-Identifier: Apache-2.0
"""Child processes whose output lines can be waited for.

Nothing here sleeps or polls: a wait ends with the line, with the end of the
process, or at its deadline. Processes are ended by the id that started them.
"""

import re
import signal
import subprocess
import threading
import time


# What stands before the text of our daemons' lines (hosted/log.h).
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info) ")


class Failure(Exception):
    """Something did not go as the demo or the test needs."""


class Process:
    """A running program. Its standard output and error go to `log` and, line by
    line with the time, into memory; there without a daemon's own time and level."""

    def __init__(self, name, command, log, stdin=subprocess.DEVNULL, on_line=None):
        self.name = name
        self._on_line = on_line
        self._lines = []
        self._closed = False
        self._changed = threading.Condition()
        self._log = open(log, "wb")
        self.started = time.monotonic()
        self._popen = subprocess.Popen(
            [str(part) for part in command], stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)  # fmt: skip
        self.stdin = self._popen.stdin
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self._popen.pid

    def _read(self):
        for raw in self._popen.stdout:
            now = time.monotonic() - self.started
            self._log.write(raw)
            self._log.flush()
            text = raw.decode("utf-8", "replace").rstrip("\r\n")
            # Firmware and kernels write escape sequences.
            text = LOG_LINE.sub("", text)
            text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1bc|[\x00-\x08\x0b-\x1f]", "", text)
            with self._changed:
                self._lines.append((now, text))
                self._changed.notify_all()
            if self._on_line:
                self._on_line(now, text)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._log.close()

    def lines(self):
        with self._changed:
            return [text for _, text in self._lines]

    def timed_lines(self):
        with self._changed:
            return list(self._lines)

    def text(self):
        return "\n".join(self.lines())

    def find(self, pattern):
        """The first match of `pattern` in a line so far, or None."""
        for line in self.lines():
            match = re.search(pattern, line)
            if match:
                return match
        return None

    def tail(self, count=15):
        return "\n".join(f"    {self.name}| {line}" for line in self.lines()[-count:])

    def wait_for(self, pattern, deadline=60.0, start=0):
        """Waits for a line that matches, from line number `start` on."""
        end = time.monotonic() + deadline
        at = start
        with self._changed:
            while True:
                while at < len(self._lines):
                    match = re.search(pattern, self._lines[at][1])
                    if match:
                        return match
                    at += 1
                left = end - time.monotonic()
                if self._closed or left <= 0:
                    break
                self._changed.wait(left)
        why = "ended" if self._closed else f"did not within {deadline:g} s"
        raise Failure(f"{self.name} {why}, waiting for /{pattern}/:\n{self.tail()}")

    def wait(self, deadline=60.0):
        """Waits for the end; returns the exit status."""
        try:
            status = self._popen.wait(deadline)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end within {deadline:g} s:\n{self.tail()}") from None
        self._reader.join(10)
        return status

    def running(self):
        return self._popen.poll() is None

    def signal(self, number):
        if self.running():
            self._popen.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait(30)

    def stop(self, patience=20.0):
        """SIGTERM, and SIGKILL after `patience` seconds; returns the status."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(patience)
        except Failure:
            return self.kill()


def run(command, stdin=None, deadline=120, check=True):
    """Runs a program to its end; returns CompletedProcess with text output."""
    command = [str(part) for part in command]
    result = subprocess.run(command, input=stdin, capture_output=True, timeout=deadline,
                            stdin=subprocess.DEVNULL if stdin is None else None)  # fmt: skip
    result.stdout = result.stdout.decode("utf-8", "replace")
    result.stderr = result.stderr.decode("utf-8", "replace")
    if check and result.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result
