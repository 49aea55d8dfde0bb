#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every command that a document prints exists, and takes the options printed.

commands_test.py PROGRAM... -- DOCUMENT...

Commands are the lines of code blocks, and code in the text, that start with the
name of a program or with ./run. Words in capitals stand for the reader's own.
Options are looked up in what the command prints with --help.
"""

import os
import re
import subprocess
import sys

OPTION = re.compile(r"--[a-z][a-z0-9-]*")
SUBCOMMAND = re.compile(r"[a-z][a-z-]*")


def commands(text):
    """Lines of code that may be commands, without their continuations."""
    text = text.replace("\\\n", " ")
    for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S):
        yield from block.splitlines()
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    yield from re.findall(r"`([^`\n]+)`", outside)


class Programs:
    def __init__(self, paths):
        self._paths = {os.path.basename(path): os.path.abspath(path) for path in paths}
        self._help = {}

    def help(self, words):
        if words not in self._help:
            command = [self._paths[words[0]], *words[1:]]
            command += ["help"] if words == ("run",) else ["--help"]
            done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            self._help[words] = done.stdout + done.stderr
        return self._help[words]

    def problem(self, line):
        """What is wrong with a line, or None; None also if it is no command."""
        words = line.split()
        name = words[0].removeprefix("./") if words else ""
        if name not in self._paths or (name == "run") != line.startswith("./"):
            return None
        subcommands = []
        for word in words[1:]:
            if not SUBCOMMAND.fullmatch(word):
                break
            subcommands.append(word)
        if name == "run":
            if subcommands and f"./run {subcommands[0]}" not in self.help(("run",)):
                return f"./run has no {subcommands[0]}"
            return None
        if subcommands and " ".join(subcommands) not in self.help((name,)):
            return f"{name} has no {' '.join(subcommands)}"
        known = OPTION.findall(self.help((name, *subcommands))) + ["--help"]
        for option in OPTION.findall(line):
            if option not in known:
                return f"{' '.join((name, *subcommands))} has no option {option}"
        return None


def main():
    split = sys.argv.index("--")
    programs = Programs(sys.argv[1:split])
    count, wrong = 0, []
    for path in sys.argv[split + 1:]:
        with open(path, encoding="utf-8") as file:
            for line in commands(file.read()):
                if not line.startswith(("./run", "forelock")):
                    continue
                count += 1
                problem = programs.problem(line)
                if problem:
                    wrong.append(f"{path}: {problem}: {line}")
    print("\n".join(wrong))
    if wrong or count < 20:
        sys.exit(f"{len(wrong)} of {count} commands do not exist as printed")
    print(f"{count} commands")


main()
