# SPDX-License-Identifier: Apache-2.0
"""Mistakes at the verifier's command line: each is one line that says what to do,
and changes nothing."""

import os
import pathlib
import unittest

from lab import process, testing

VERIFIER = "verifier/forelock-verifier"
FORELOCK = "cli/forelock"
IMAGE = "svsm/forelock-svsm.elf"
SECRET = "demo/vm1/root"

IMAGE_CONFIG = """\
version = 1
platform = "emulated"
vm = "demo/vm1"
verifier = "verifier"
verifier_pins = ["sha256:00"]
"""


def scratch(name):
    return pathlib.Path(os.environ["TEST_TMPDIR"]) / name


class Mistakes(unittest.TestCase):
    count = 0

    def setUp(self):
        Mistakes.count += 1
        self.state = scratch(f"state{self.count}")
        self.call("init")

    def call(self, *words, stdin=None, check=True, state=None):
        return process.run([VERIFIER, *words, "--state", state or self.state], stdin=stdin, check=check)

    def assert_refused(self, reason, words, *command, **more):
        result = self.call(*command, check=False, **more)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, rf"\Aforelock-verifier: {reason} [^\n]*{words}[^\n]*\n\Z")

    def test_a_state_that_is_not_there(self):
        nowhere = scratch("nowhere")
        advice = f"{nowhere}: no verifier's state is there; .* forelock-verifier init --state {nowhere}"
        for command in (["pin"], ["secret", "list"], ["serve", "--listen", "127.0.0.1:0"]):
            self.assert_refused("VS1", advice, *command, state=nowhere)
        # One file of it that is lost is another mistake.
        (self.state / "master.key").rename(scratch("lost"))
        self.assert_refused("VS4", "master.key: No such file", "secret", "list")

    def test_init_twice(self):
        pin = self.call("pin").stdout
        self.assert_refused("VS1", "a verifier's state is there already", "init")
        self.assertEqual(self.call("pin").stdout, pin)

    def test_pin_of_a_state_that_cannot_serve(self):
        (self.state / "master.key").chmod(0o644)
        self.assert_refused("VS4", "master.key: .*chmod 600", "pin")

    def test_names_that_are_taken_or_unknown(self):
        add = ["secret", "add", SECRET, "--file", "-"]
        disk = ["secret", "add-disk", SECRET, "--key-file", "-", "--header-length", "4096", "--header-sha256", "5a" * 32]
        self.call(*add, stdin=b"value")
        self.assert_refused("VS6", f"secret {SECRET}; secret replace gives it", *add, stdin=b"value")
        said = self.call(*disk, stdin=b"value", check=False).stderr
        self.assertRegex(said, rf"VS6 [^\n]*: secret {SECRET}; secret replace-disk gives it a new value\n\Z")
        self.assert_refused("VS6", "of class hardware, which never changes; secret remove", *add, "--emulated",
                            stdin=b"value")  # fmt: skip
        for command, advice in (
            (["secret", "remove", "a/b"], "secret a/b; secret list"),
            (["secret", "replace", "a/b", "--file", "-"], "secret a/b; secret list"),
            (["policy", "remove", "a"], "policy a; policy list"),
            (["roots", "remove", "00" * 32], "root sha256:0+; roots list"),
            (["audit", "show", "00" * 16], "decision 0+; audit list"),
        ):
            self.assert_refused("VS7", advice, *command, stdin=b"value")

    def test_files(self):
        self.assert_refused("VS22", "/nowhere/key: No such file", "secret", "add", SECRET, "--file", "/nowhere/key")
        self.assert_refused("VS8", "longer than 4096 bytes", "secret", "add", SECRET, "--file", "-", stdin=bytes(4097))
        self.assert_refused("VS10", "/nowhere/disk: cannot be read: No such file", "secret", "add-disk", SECRET,
                            "--key-file", "-", "--device", "/nowhere/disk", stdin=b"key")  # fmt: skip
        config = scratch("vm1.toml")
        config.write_text(IMAGE_CONFIG)
        self.assert_refused("VP45", "forelock image configure takes this file", "policy", "add", config)

    def test_a_secret_of_the_wrong_class(self):
        policy = scratch("policy.toml")
        config, image = scratch("emulated.toml"), scratch("emulated.elf")
        config.write_text(IMAGE_CONFIG.replace("00", "5a" * 32) + 'acpi = "none"\n[channel]\ntransport = "page"\n')
        process.run([FORELOCK, "image", "configure", "--config", config, "--output", image, IMAGE])
        policy.write_text(process.run([FORELOCK, "policy", "from-image", image, "--emulated", "--root-sha256",
                                       "5a" * 32]).stdout)  # fmt: skip
        self.call("policy", "add", policy)
        self.assert_refused("VP18", "for that policy is added with --emulated", "secret", "add", SECRET, "--file", "-",
                            stdin=b"value")  # fmt: skip
        self.call("secret", "add", SECRET, "--file", "-", "--emulated", stdin=b"value")

    def test_a_secret_that_needs_a_larger_max_size(self):
        for size, said in ((64, ""), (65, "  an image that asks for it needs max_size = 65 or more [^\n]*\n")):
            added = self.call("secret", "add", f"demo/vm1/{size}", "--file", "-", stdin=bytes(size))
            self.assertRegex(added.stdout, rf"\Aadded [^\n]*\n{said}\Z")


if __name__ == "__main__":
    testing.main()
