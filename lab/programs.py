# SPDX-License-Identifier: Apache-2.0
"""The programs around one emulated VM as Bazel's targets, for what runs from the
source tree; a test has them among its runfiles."""

import subprocess

from . import process

TARGETS = [
    "//svsm:forelock-svsm", "//host-proxy:forelock-proxy", "//verifier:forelock-verifier",
    "//psp:forelock-emulator", "//cli:forelock",
]  # fmt: skip


def build(root, options=("--noshow_progress",)):
    """Builds TARGETS in the source tree `root`; what Bazel says goes to the terminal."""
    command = ["bazel", "build", "--ui_event_filters=-info", *options, *TARGETS]
    if subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL).returncode != 0:
        raise process.Failure("the build failed")
