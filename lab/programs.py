# SPDX-License-Identifier: Apache-2.0
"""What ships: Bazel's targets, where Bazel puts them, and where they are
installed. For what runs from the source tree; a test has them among its
runfiles, at Bazel's places."""

import pathlib
import subprocess

from . import process

# Target, place below bazel-bin, place below a PREFIX (tools/install.py).
SHIPPED = [
    ("//svsm:forelock-svsm", "svsm/forelock-svsm.elf", "share/forelock/forelock-svsm.elf"),
    ("//host-proxy:forelock-proxy", "host-proxy/forelock-proxy", "bin/forelock-proxy"),
    ("//verifier:forelock-verifier", "verifier/forelock-verifier", "bin/forelock-verifier"),
    ("//psp:forelock-emulator", "psp/forelock-emulator", "bin/forelock-emulator"),
    ("//cli:forelock", "cli/forelock", "bin/forelock"),
]
TARGETS = [target for target, _, _ in SHIPPED]


def installed(prefix):
    """Bazel's place -> the file below a PREFIX."""
    return {place: pathlib.Path(prefix) / below for _, place, below in SHIPPED}


def build(root, options=("--noshow_progress",)):
    """Builds TARGETS in the source tree `root`; what Bazel says goes to the terminal."""
    command = ["bazel", "build", "--ui_event_filters=-info", *options, *TARGETS]
    if subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL).returncode != 0:
        raise process.Failure("the build failed")
