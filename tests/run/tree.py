# SPDX-License-Identifier: Apache-2.0
"""A copy of what ./run needs of the source tree, and programs in place of those
that it would start."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# argv[1] is the WORKSPACE file among the runfiles: a link into the source tree.
SOURCE = pathlib.Path(os.path.realpath(sys.argv.pop(1))).parent

COPIED = ["run", "VERSION", "LICENSE", "CHANGELOG.md", ".gitattributes", "tools", "demo", "lab", "tests/mutants",
          "docs/examples"]  # fmt: skip


class Tree:
    """`replaced`: path in the tree -> text of a script; `programs`: name -> text
    of a script that stands before all others in the PATH."""

    def __init__(self, test, replaced=None, programs=None):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root = self.folder / "checkout"
        for name in COPIED:
            source, target = SOURCE / name, self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.trace = self.folder / "trace"
        for name, text in (replaced or {}).items():
            self.script(self.root / name, text)
        for name, text in (programs or {}).items():
            self.script(self.bin / name, text)

    def script(self, path, text):
        path.write_text(f'#!/bin/sh\necho "{path.name} $*" >> {self.trace}\n{text}\n')
        path.chmod(0o755)

    def run(self, *words, folder=None, **environment):
        return subprocess.run([self.root / "run", *words], cwd=folder or self.root, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{self.bin}:/usr/bin:/bin", **environment})  # fmt: skip

    def traces(self):
        """What was started since the last call."""
        try:
            text = self.trace.read_text()
            self.trace.unlink()
        except FileNotFoundError:
            return []
        return text.splitlines()
