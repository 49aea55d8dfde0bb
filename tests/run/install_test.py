# SPDX-License-Identifier: Apache-2.0
"""./run build, install and uninstall: what is where, before and after Bazel's
own folders moved."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import tree

from lab import programs, site, testing

# Answers like a program on hosted/arguments.h.
PROGRAM = """\
#!/bin/sh
name=$(basename "$0")
case $1 in
  --version) echo "$name 1.2.3, commit COMMIT" ;;
  --help) printf '%s: one\\n\\n  %s image show IMAGE  show\\n  %s completion bash|zsh|fish  print\\n  %s serve   be it\\n' \
    $name $name $name $name; echo "$name --version prints" ;;
  man) shift; echo "page of $name $*" ;;
  completion) echo "$2 of $name" ;;
  *) exit 2 ;;
esac
"""

# Makes what is asked for; its bazel-bin moves with --config=asan.
BAZEL = """\
case "$*" in
  "build "*) mkdir -p BASE/plain && cp -a BASE/made/. BASE/plain/ ;;
  "info "*bazel-bin) echo BASE/plain ;;
  "info "*output_base) echo BASE ;;
  *) exit 99 ;;
esac"""

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Install(unittest.TestCase):
    def setUp(self):
        self.tree = tree.Tree(self, {"tools/setup.sh": ""})
        self.base = self.tree.folder / "base"
        self.tree.script(self.tree.bin / "bazel", BAZEL.replace("BASE", str(self.base)))
        for _, place, _ in programs.SHIPPED:
            self.make(place, PROGRAM.replace("COMMIT", COMMIT))
        for name in ("abseil-cpp", "mbedtls", "protobuf_c"):
            path = self.base / "external" / name / "LICENSE"
            path.parent.mkdir(parents=True)
            path.write_text(f"licence of {name}")
        self.out = self.tree.root / "out"
        self.prefix = self.tree.folder / "prefix"

    def make(self, place, text):
        path = self.base / "made" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o555)  # as Bazel leaves it

    def succeeds(self, *words, **options):
        done = self.tree.run(*words, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def fails(self, text, *words, **options):
        done = self.tree.run(*words, **options)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(text, done.stderr)

    def files(self, folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())

    def test_build_puts_everything_into_out(self):
        self.succeeds("build")
        self.assertEqual([line for line in self.tree.traces() if line.startswith("setup.sh")], ["setup.sh --programs"])
        files = self.files(self.out)
        for name in ("forelock", "forelock-emulator", "forelock-proxy", "forelock-verifier"):
            self.assertIn(f"bin/{name}", files)
            for page in ("", "-image-show", "-completion", "-serve"):
                self.assertIn(f"share/man/man1/{name}{page}.1", files)
            self.assertIn(f"share/bash-completion/completions/{name}", files)
            self.assertIn(f"share/zsh/site-functions/_{name}", files)
            self.assertIn(f"share/fish/vendor_completions.d/{name}.fish", files)
        for name in ("share/forelock/forelock-svsm.elf", "share/doc/forelock/LICENSE",
                     "share/doc/forelock/examples/proxy.toml"):  # fmt: skip
            self.assertIn(name, files)
        self.assertEqual((self.out / "share/man/man1/forelock-image-show.1").read_text(),
                         "page of forelock image show\n")  # fmt: skip
        notices = (self.out / "share/doc/forelock/THIRD-PARTY").read_text()
        self.assertIn("licence of mbedtls", notices)
        self.assertIn("==== libasio-dev", notices)
        self.assertEqual((self.out / "share/forelock/manifest").read_text().splitlines(), files)

    def test_only_builds_that_know_their_commit_are_handed_out(self):
        self.succeeds("build")
        builds = [line for line in self.tree.traces() if line.startswith("bazel build")]
        self.assertEqual(len(builds), 1)
        self.assertIn(" --config=stamped ", builds[0])
        for target, _, _ in programs.SHIPPED:
            self.assertIn(f" {target}", builds[0])

    def test_programs_stay_where_bazels_folders_move(self):
        """./run test, a build under sanitizers, bazel clean."""
        self.succeeds("build")
        shutil.rmtree(self.base)
        for path in self.out.rglob("*"):
            self.assertFalse(path.is_symlink(), path)
        tools = site.Tools(self.out, programs.installed(self.out))  # as ./run demo --no-build
        for path in vars(tools).values():
            self.assertTrue(path.is_relative_to(self.out))
        text = subprocess.run([tools.cli, "--version"], check=True, capture_output=True, text=True).stdout
        self.assertEqual(text, f"forelock 1.2.3, commit {COMMIT}\n")

    def test_demo_uses_no_folder_of_bazels(self):
        self.assertNotIn("bazel-bin", (tree.SOURCE / "demo/demo.py").read_text().replace("# Not bazel-bin", ""))

    def test_install_says_what_and_where(self):
        text = self.succeeds("install", str(self.prefix))
        self.assertEqual(self.files(self.prefix), self.files(self.out))
        self.assertIn(f"Forelock 1.2.3, commit {COMMIT}, in {self.prefix}:\n", text)
        self.assertIn("\n  share/forelock/forelock-svsm.elf\n", text)
        self.assertIn(f'\nexport PATH="{self.prefix}/bin:$PATH"\n', text)
        self.assertNotIn("note:", text)
        on_path = self.succeeds("install", str(self.prefix), PATH=f"{self.tree.bin}:{self.prefix}/bin:/usr/bin:/bin")
        self.assertNotIn("export PATH", on_path)

    def test_destdir_and_a_strict_umask(self):
        before = os.umask(0o077)
        try:
            text = self.succeeds("install", "/usr/local", DESTDIR=str(self.tree.folder / "stage"))
        finally:
            os.umask(before)
        stage = self.tree.folder / "stage/usr/local"
        self.assertEqual(self.files(stage), self.files(self.out))
        self.assertIn('export PATH="/usr/local/bin:$PATH"', text)
        for path in stage.rglob("*"):
            program = path.is_dir() or path.parent.name == "bin"
            self.assertEqual(path.stat().st_mode & 0o777, 0o755 if program else 0o644, path)

    def test_a_relative_prefix_is_the_callers(self):
        here = self.tree.folder / "elsewhere"
        here.mkdir()
        self.succeeds("install", "mine", folder=here)
        self.assertTrue((here / "mine/bin/forelock").exists())

    def test_twice_is_once_and_nothing_stale_stays(self):
        self.succeeds("install", str(self.prefix))
        first = {name: (self.prefix / name).read_bytes() for name in self.files(self.prefix)}
        old, kept = self.prefix / "share/forelock-old/gone", self.prefix / "bin/yours"
        old.parent.mkdir()
        old.write_text("of an earlier version")
        kept.write_text("not ours")
        manifest = self.prefix / "share/forelock/manifest"
        manifest.write_text(manifest.read_text() + "share/forelock-old/gone\n")
        self.succeeds("install", str(self.prefix))
        self.assertFalse(old.parent.exists())
        self.assertEqual(self.files(self.prefix), sorted([*first, "bin/yours"]))
        self.assertEqual({name: (self.prefix / name).read_bytes() for name in first}, first)

    def test_a_running_program_is_replaced_whole(self):
        self.succeeds("install", str(self.prefix))
        with open(self.prefix / "bin/forelock", encoding="utf-8") as running:
            self.make("cli/forelock", PROGRAM.replace("COMMIT", "f" * 40))
            self.succeeds("install", str(self.prefix))
            self.assertIn(COMMIT, running.read())
        self.assertIn("f" * 40, (self.prefix / "bin/forelock").read_text())

    def test_no_build_takes_what_is_there(self):
        self.fails("out/ holds no programs", "install", "--no-build", str(self.prefix))
        self.succeeds("build")
        self.tree.traces()
        self.succeeds("install", "--no-build", str(self.prefix))
        self.assertEqual(self.tree.traces(), [])
        (self.out / "bin/forelock").unlink()
        self.fails("bin/forelock is missing", "install", "--no-build", str(self.prefix))

    def test_uninstall_removes_what_install_put_there(self):
        self.prefix.mkdir()
        self.succeeds("install", str(self.prefix))
        yours = self.prefix / "share/man/man1/yours.1"
        yours.write_text("")
        self.succeeds("uninstall", str(self.prefix))
        self.assertEqual(self.files(self.prefix), ["share/man/man1/yours.1"])
        self.fails("nothing to remove", "uninstall", str(self.prefix))

    def test_a_manifest_reaches_nothing_outside(self):
        self.succeeds("install", str(self.prefix))
        outside = self.tree.folder / "outside"
        outside.write_text("")
        for name in ("../outside", str(outside), "bin/../../outside"):
            (self.prefix / "share/forelock/manifest").write_text(f"{name}\n")
            self.fails("which is not below it", "uninstall", str(self.prefix))
            self.assertTrue(outside.exists())

    def test_a_manifest_of_out_reaches_nothing_outside(self):
        self.succeeds("build")
        (self.tree.folder / "outside").write_text("")
        (self.out / "share/forelock/manifest").write_text("../outside\n")
        self.fails("which is not below it", "install", "--no-build", str(self.prefix))

    def test_what_was_cut_off_can_be_removed(self):
        """The one before, an old file of it, and what came until then."""
        self.succeeds("install", str(self.prefix))
        old = self.prefix / "share/forelock-old/gone"
        old.parent.mkdir()
        old.write_text("of an earlier version")
        manifest = self.prefix / "share/forelock/manifest"
        manifest.write_text(manifest.read_text() + "share/forelock-old/gone\n")
        # A folder where a late file goes.
        late = self.prefix / sorted(set(self.files(self.prefix)) - {"share/forelock/manifest"})[-1]
        late.unlink()
        (late / "in the way").mkdir(parents=True)
        manifest.write_text("\n".join(["bin/forelock", "share/forelock-old/gone"]) + "\n")
        self.fails(late.name, "install", "--no-build", str(self.prefix))
        (late / "in the way").rmdir()
        late.rmdir()
        self.succeeds("uninstall", str(self.prefix))
        self.assertEqual(self.files(self.prefix), [])

    def test_leaves_no_cache_of_python_in_the_tree(self):
        """sudo ./run install would leave files that its user cannot remove."""
        self.succeeds("build")
        for folder in self.tree.root.rglob("__pycache__"):
            shutil.rmtree(folder)
        self.succeeds("install", "--no-build", str(self.prefix), PYTHONDONTWRITEBYTECODE="")
        self.assertEqual(list(self.tree.root.rglob("__pycache__")), [])

    def test_a_changed_tree_is_said(self):
        for commit in (f"{COMMIT}-dirty", "unknown"):
            self.make("cli/forelock", PROGRAM.replace("COMMIT", commit))
            self.assertRegex(self.succeeds("install", str(self.prefix)), rf"(?m)^note: .*{commit}: no policy")

    def test_no_licence_no_build(self):
        (self.base / "external/mbedtls/LICENSE").unlink()
        self.fails("the licence of mbedtls is missing", "build")


class Shipped(unittest.TestCase):
    def test_everything_that_ships_is_installed(self):
        """_SHIPPED is complete: //tests/lint sees to that."""
        build = (tree.SOURCE / "tests/layering/BUILD").read_text()
        listed = re.findall(r'"(//[^"]+)"', re.search(r"_SHIPPED = \[(.*?)\]", build, re.S)[1])
        self.assertEqual(sorted(listed), sorted(programs.TARGETS))
        for _, place, below in programs.SHIPPED:
            self.assertEqual(pathlib.Path(place).name, pathlib.Path(below).name)


if __name__ == "__main__":
    testing.main()
