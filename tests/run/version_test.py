# SPDX-License-Identifier: Apache-2.0
"""The commit that programs and guest image say: tools/commit.sh, and the source
that tools/write_version.sh makes of it."""

import os
import re
import shutil
import subprocess
import unittest

import tree

from lab import testing

ENVIRONMENT = {
    **os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
}  # fmt: skip


class Commit(unittest.TestCase):
    def setUp(self):
        self.tree = tree.Tree(self)
        self.root = self.tree.root
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", "all")
        self.head = self.git("rev-parse", "HEAD").strip()

    def git(self, *words, folder=None):
        return subprocess.run(["git", *words], cwd=folder or self.root, env=ENVIRONMENT, check=True,
                              capture_output=True, text=True).stdout  # fmt: skip

    def commit(self, root=None):
        done = subprocess.run([(root or self.root) / "tools/commit.sh", "--plain"], env=ENVIRONMENT, check=True,
                              capture_output=True, text=True)  # fmt: skip
        self.assertEqual(done.stderr, "")
        return done.stdout.strip()

    def test_of_a_checkout(self):
        self.assertEqual(self.commit(), self.head)
        (self.root / "untracked").write_text("")
        self.assertEqual(self.commit(), self.head)
        (self.root / "VERSION").write_text("9.9.9\n")
        self.assertEqual(self.commit(), f"{self.head}-dirty")
        self.git("add", "VERSION")
        self.assertEqual(self.commit(), f"{self.head}-dirty")

    def test_of_a_linked_work_tree(self):
        other = self.tree.folder / "other"
        self.git("worktree", "add", "-q", "--detach", str(other))
        self.assertEqual(self.commit(other), self.head)

    def test_of_another_users_checkout(self):
        """As a container that mounts it sees it. git has this switch for its own tests."""
        ENVIRONMENT["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"
        self.addCleanup(ENVIRONMENT.pop, "GIT_TEST_ASSUME_DIFFERENT_OWNER")
        with self.assertRaises(subprocess.CalledProcessError):
            self.git("rev-parse", "HEAD")
        self.assertEqual(self.commit(), self.head)

    def test_of_an_archive(self):
        """Also inside of some other repository."""
        archive = self.root / "archive"
        archive.mkdir()
        subprocess.run(f"git archive HEAD | tar x -C {archive}", shell=True, cwd=self.root, check=True)
        self.assertEqual(self.commit(archive), self.head)

    def test_of_an_archive_in_a_repository_of_its_own(self):
        """Whoever keeps and changes one has commits of his own."""
        own = self.root / "own"
        own.mkdir()
        subprocess.run(f"git archive HEAD | tar x -C {own}", shell=True, cwd=self.root, check=True)
        for words in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x"]):
            subprocess.run(["git", *words], cwd=own, check=True)
        commit = self.commit(own)
        self.assertRegex(commit, "^[0-9a-f]{40}$")
        self.assertNotEqual(commit, self.head)

    def test_of_a_copy_nobody_knows(self):
        """Not the commit of a repository around it."""
        copy = self.root / "copy"
        copy.mkdir()
        shutil.copytree(self.root / "tools", copy / "tools")
        self.assertEqual(self.commit(copy), "unknown")


class Source(unittest.TestCase):
    def write(self, version, status=None):
        here = tree.Tree(self)
        (here.root / "VERSION").write_text(version)
        words = [here.root / "tools/write_version.sh", here.root / "VERSION"]
        if status is not None:
            (here.root / "status").write_text(status)
            words.append(here.root / "status")
        return subprocess.run(words, capture_output=True, text=True)

    def test_what_it_says(self):
        commit = "0123456789abcdef0123456789abcdef01234567"
        status = f"BUILD_HOST here\nSTABLE_FORELOCK_COMMIT {commit}-dirty\n"
        self.assertIn(f'return "1.2.3, commit {commit}-dirty";', self.write("1.2.3\n", status).stdout)
        self.assertIn('return "1.2.3-dev, commit unknown";', self.write("1.2.3-dev\n").stdout)

    def test_nothing_else_gets_into_a_string(self):
        for version, status in (("", None), ('1"', None), ("1 2", None), ("1", ""), ("1", "STABLE_FORELOCK_COMMIT \n"),
                                ("1", "STABLE_FORELOCK_COMMIT x\\\n")):  # fmt: skip
            with self.subTest(version=version, status=status):
                self.assertNotEqual(self.write(version, status).returncode, 0)

    def test_the_version_of_this_tree(self):
        self.assertRegex((tree.SOURCE / "VERSION").read_text(), r"^\d+\.\d+\.\d+(-dev)?\n$")


class BazelConfigurations(unittest.TestCase):
    def test_none_moves_bazel_bin(self):
        """One with an output folder of its own would take the link along."""
        text = (tree.SOURCE / ".bazelrc").read_text()
        moving = re.findall(r"^build:(\w+) .*--platform_suffix=", text, re.M)
        self.assertEqual(sorted(moving), ["asan", "fuzz"])
        for name in moving:
            self.assertIn(f"\nbuild:{name} --experimental_convenience_symlinks=ignore\n", text)

    def test_only_one_is_stamped(self):
        text = (tree.SOURCE / ".bazelrc").read_text()
        self.assertEqual(re.findall(r"^(\S+) .*--stamp\b", text, re.M), ["build:stamped"])


if __name__ == "__main__":
    testing.main()
