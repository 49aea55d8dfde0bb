# SPDX-License-Identifier: Apache-2.0
"""Broken configuration of the daemons: one line that says where and what."""

import re
import unittest

from lab import process, testing


class DaemonsTest(testing.EndToEnd):
    def check_proxy(self, text):
        path = self.site.host / "broken.toml"
        path.write_text(text)
        result = process.run([self.site.tools.proxy, "--config", path, "--check"], check=False)
        self.assertNotEqual(result.returncode, 0)
        return result.stdout + result.stderr

    def test_proxy_accepts_its_configuration(self):
        command = [self.site.tools.proxy, "--config", self.site.proxy_configuration, "--check"]
        process.run(command)

    def test_proxy_syntax_error_has_line_and_column(self):
        self.assertRegex(self.check_proxy('[[vm]]\nlabel = "vm1\n'), r"broken\.toml:2:\d+")

    def test_proxy_unknown_key_has_line_and_column(self):
        text = self.site.proxy_configuration.read_text().replace("label", "lable")
        self.assertRegex(self.check_proxy(text), r"broken\.toml:\d+:\d+.*HP\d+|HP\d+.*broken\.toml:\d+:\d+")

    def test_proxy_without_configuration(self):
        result = process.run([self.site.tools.proxy, "--config", "/nonexistent"], check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("/nonexistent", result.stdout + result.stderr)

    def test_policy_that_lacks_a_key_does_not_load(self):
        whole = (self.site.owner / "policy.toml").read_text()
        text = re.sub(r"^unattested_boot = .*\n", "", whole, flags=re.M)
        self.assertNotEqual(text, whole)
        path = self.site.owner / "incomplete.toml"
        path.write_text(text)
        result = self.site.verifier.call("policy", "add", path, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("unattested_boot", result.stdout + result.stderr)

    def test_verifier_without_allow_emulated_denies(self):
        here = self.site
        here.verifier.stop()
        here.verifier.start(listen=here.verifier.address, arguments=())
        try:
            qemu = self.boot()
        finally:
            here.verifier.stop()
        self.assert_denied(qemu, "VP17")


if __name__ == "__main__":
    testing.main()
