# SPDX-License-Identifier: Apache-2.0
"""./run: what a command takes is known before anything is installed for it."""

import re
import shutil
import subprocess
import unittest

import tree

from lab import testing

FAIL = "exit 99"
COSTLY = ["apt-get", "apt", "sudo", "bazel", "curl", "wget", "qemu-system-x86_64", "dpkg-query"]
# Of those that take words, good ones.
WORDS = {"install": ["prefix"], "uninstall": ["prefix"]}
NO_SET_UP = {"help", "format", "uninstall"}


class Run(unittest.TestCase):
    def setUp(self):
        self.tree = tree.Tree(self, {"tools/setup.sh": FAIL}, {name: FAIL for name in COSTLY})
        self.commands = sorted(set(re.findall(r"^\./run ([a-z]+)", self.tree.run("help").stdout, re.M)))

    def test_help_lists_every_command(self):
        known = re.search(r"^  ([a-z |]+)\) ;;$", (self.tree.root / "run").read_text(), re.M)[1].split(" | ")
        self.assertEqual(self.commands, sorted([*known, "help"]))
        self.assertIn("install", self.commands)

    def test_help_of_each_command_costs_nothing(self):
        for command in self.commands:
            for words in (["--help"], ["-h"], [*WORDS.get(command, ["word"]), "--help"]):
                if command == "help" and words != ["--help"]:
                    continue
                with self.subTest(command=command, words=words):
                    done = self.tree.run(command, *words)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn(f"./run {command}", done.stdout)
                    self.assertEqual(self.tree.traces(), [])

    def test_unknown_options_are_refused_at_once(self):
        for command in self.commands:
            if command == "help":
                continue
            for option in ("--no-such-option", "--no-such-option=1", "-x"):
                with self.subTest(command=command, option=option):
                    done = self.tree.run(command, *WORDS.get(command, []), option)
                    self.assertEqual(done.returncode, 2, done.stdout)
                    self.assertIn(f"./run {command}: unknown option {option}", done.stderr)
                    self.assertEqual(self.tree.traces(), [])

    def test_wrong_words_are_refused_at_once(self):
        for words in (["install"], ["install", "a", "b"], ["uninstall"], ["build", "x"], ["setup", "x"], ["dance"]):
            with self.subTest(words=words):
                self.assertEqual(self.tree.run(*words).returncode, 2)
                self.assertEqual(self.tree.traces(), [])

    def test_a_prefix_that_cannot_be_is_refused_at_once(self):
        (self.tree.folder / "file").write_text("")
        done = self.tree.run("install", str(self.tree.folder / "file/below"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no folder", done.stderr)
        self.assertEqual(self.tree.traces(), [])

    def test_set_up_would_be_seen(self):
        """What the tests above rely on."""
        for command in self.commands:
            if command in NO_SET_UP:
                continue
            with self.subTest(command=command):
                done = self.tree.run(command, *WORDS.get(command, []))
                self.assertNotEqual(done.returncode, 0)
                self.assertTrue(self.tree.traces()[0].startswith("setup.sh"))

    def test_bazels_options_stand_behind_two_dashes(self):
        self.tree.script(self.tree.root / "tools/setup.sh", "")
        done = self.tree.run("test", "--", "--config=asan", "//a/...", "-//b/...")
        self.assertEqual(done.returncode, 1)
        bazel = [line for line in self.tree.traces() if line.startswith("bazel test")]
        self.assertEqual(len(bazel), 1)
        self.assertTrue(bazel[0].endswith(" --config=asan //a/... -//b/..."), bazel)

    def test_options_are_those_of_the_programs(self):
        for command, program, more in (
                ("demo", ["demo/demo.py"], ""), ("bench", ["tools/bench.py"], ""),
                ("mutants", ["tests/mutants/mutants.py"], ""), ("install", ["tools/install.py", "install"], ""),
                ("fuzz", ["tools/fuzz_campaign.py"], "--evidence")):  # fmt: skip
            with self.subTest(command=command):
                text = subprocess.run(["/usr/bin/python3", *program, "--help"], cwd=self.tree.root, check=True,
                                      capture_output=True, text=True).stdout  # fmt: skip
                usage = text[:text.index("\n\n")] + more  # fmt: skip
                own = set(re.findall(r"--[a-z][a-z-]+", usage)) - {"--help"}
                listed = re.search(rf'^    {command}\) echo "(.*)" ;;$', (self.tree.root / "run").read_text(), re.M)
                self.assertEqual(set(listed[1].split()), own)


class OtherSystems(unittest.TestCase):
    """Who is not on Debian is told what to do, before anything is tried."""

    def setUp(self):
        self.tree = tree.Tree(self, programs={name: FAIL for name in COSTLY})

    def refused(self, release, **environment):
        path = self.tree.folder / "os-release"
        path.write_text(release)
        done = self.tree.run("build", FORELOCK_OS_RELEASE=str(path), **environment)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def test_fedora(self):
        """No dpkg: a PATH that has only what set-up uses before."""
        only = self.tree.folder / "only"
        only.mkdir()
        for name in ("sh", "dirname", "grep", "sed"):
            (only / name).symlink_to(shutil.which(name))
        error = self.refused('ID=fedora\nPRETTY_NAME="Fedora"\n', PATH=str(only))
        self.assertRegex(error, "^setup: this is not Debian, .* the Containerfile builds on Debian")
        self.assertEqual(self.tree.traces(), [])

    def test_ubuntu(self):
        error = self.refused('ID=ubuntu\nPRETTY_NAME="Ubuntu 24.04 LTS"\n', DEBIAN_MIRROR="")
        for text in ("this is Ubuntu 24.04 LTS", "the Containerfile", "debian-archive-keyring", "ends in /debian"):
            self.assertIn(text, error)
        self.assertEqual(self.tree.traces(), [])

    def test_ubuntu_for_who_knows_better(self):
        self.refused("ID=ubuntu\n", DEBIAN_MIRROR="http://mirror.example/debian")
        self.assertTrue(any("apt-get update" in line for line in self.tree.traces()))

    def test_debian_itself(self):
        self.refused("ID=debian\nVERSION_CODENAME=bookworm\n", DEBIAN_MIRROR="")
        self.assertTrue(any("apt-get update" in line for line in self.tree.traces()))

    def test_the_containerfile_installs_what_set_up_would(self):
        """Its sed reads packages.txt as tools/setup.sh does."""
        text = (tree.SOURCE / "Containerfile").read_text()
        script = re.search(r"sed -nE '(.*)' /tmp/packages.txt", text)[1]
        packages = tree.SOURCE / "tools/packages.txt"
        read = subprocess.run(["sed", "-nE", script, packages], check=True, capture_output=True, text=True).stdout
        lines = [line for line in packages.read_text().splitlines() if line and not line.startswith("#")]
        self.assertEqual(read.split(), [line.split()[0] for line in lines])


if __name__ == "__main__":
    testing.main()
