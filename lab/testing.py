# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests under Bazel: one site a test file, results as test.xml."""

import os
import pathlib
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

from . import process, site

# For tests that wait for a deadline to pass. What the guest does itself counts
# for `boot_ms`, on a machine that may be loaded.
SHORT = {
    "deadlines": {"proxy_ms": 2000, "verifier_ms": 2000, "secure_processor_ms": 2000, "boot_ms": 12000}
}

NO_ASSETS = """\
The kernel and initramfs that these tests boot are not there. They are made
outside of Bazel: run ./run setup once, then bazel test again."""


def newest_guest():
    """GuestAssets of Debian's newest kernel. Skips the test, and says why, where
    the mirror had none for ./run setup."""
    kernels = pathlib.Path(os.environ.get("FORELOCK_KERNELS", "/nonexistent"))
    folder, missing = kernels / "newest/assets", kernels / "newest.missing"
    failed = kernels / "newest/failed"
    if failed.exists():
        raise process.Failure(failed.read_text().strip())
    if (folder / "VERSION").exists():
        return site.GuestAssets(folder)
    if missing.exists():
        raise unittest.SkipTest(missing.read_text().strip())
    raise process.Failure(NO_ASSETS)


class EndToEnd(unittest.TestCase):
    """Tests that share one prepared site. Each boot has a fresh processor and
    fresh memory; a test that stops a daemon leaves it to setUp to start it."""

    images = {}
    # Of what product, with whose VLEK: Site.make_processor.
    processor = {}

    @classmethod
    def more_guests(cls):
        """GuestAssets that the policy allows too."""
        return []

    @classmethod
    def setUpClass(cls):
        assets = os.environ.get("FORELOCK_ASSETS")
        if not assets or not pathlib.Path(assets, "VERSION").exists():
            raise process.Failure(NO_ASSETS)
        folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp()) / "site"
        cls.site = site.Site(site.Tools(pathlib.Path.cwd()), site.GuestAssets(assets), folder)
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare(site.WELCOME, images=cls.images, processor=cls.processor,
                         also=cls.more_guests())  # fmt: skip

    def setUp(self):
        if self.site.verifier.server is None or not self.site.verifier.server.running():
            self.site.verifier.start(listen=self.site.verifier.address)
        if self.site.proxy is None or not self.site.proxy.running():
            self.site.start_proxy()

    def boot(self, image="vm1", disk=None, fault=None, deadline=120, **changes):
        boot = self.site.boot(self.site.images[image], disk or self.site.disk, **changes)
        return self.site.run(boot, fault=fault, deadline=deadline)

    # --- What a boot must have come to. `qemu` is the ended machine.

    def assert_line(self, qemu, pattern):
        match = qemu.find(pattern)
        self.assertIsNotNone(match, f"no line matches /{pattern}/:\n{qemu.tail(40)}")
        return match

    def assert_no_line(self, qemu, pattern):
        match = qemu.find(pattern)
        self.assertIsNone(match, f"a line matches /{pattern}/:\n{qemu.tail(40)}")

    def assert_booted(self, qemu):
        self.assert_line(qemu, f"^.*guest: {site.WELCOME}$")

    def assert_no_shell(self, qemu):
        self.assert_no_line(qemu, r"(?i)/ #|login:|sh: |BusyBox v|uid=0")

    def assert_linux_not_started(self, qemu):
        self.assert_no_line(qemu, r"^initramfs: |^guest: |Linux version")

    def assert_failed(self, qemu, reason):
        """This reason was printed and nothing booted."""
        self.assert_line(qemu, rf"forelock: failed: ({reason}) ")
        self.assert_line(qemu, "forelock: powering off")
        self.assert_linux_not_started(qemu)

    def assert_denied(self, qemu, reason, outcome="not_authorised"):
        """The verifier denied it, and the owner's log says why: just this."""
        match = self.assert_line(qemu, rf"forelock: refused: {outcome} decision ([0-9a-f]{{32}})")
        self.assert_line(qemu, "forelock: powering off")
        self.assert_linux_not_started(qemu)
        findings = self.site.verifier.findings(match.group(1))
        self.assertEqual([finding["reason"] for finding in findings], [reason], findings)

    def assert_initramfs_refused(self, qemu, why):
        self.assert_line(qemu, f"initramfs: refused: .*{why}")
        self.assert_line(qemu, "initramfs: powering off")
        self.assert_no_line(qemu, "^guest: ")
        self.assert_no_shell(qemu)


class _Result(unittest.TextTestResult):
    """Remembers each case for test.xml."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.cases = []
        self._started = 0.0

    def startTest(self, test):
        self._started = time.monotonic()
        super().startTest(test)

    def _add(self, test, kind=None, text=""):
        self.cases.append((test.id(), time.monotonic() - self._started, kind, text))

    def addSuccess(self, test):
        super().addSuccess(test)
        self._add(test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._add(test, "failure", self._exc_info_to_string(error, test))

    def addError(self, test, error):
        super().addError(test, error)
        self._add(test, "error", self._exc_info_to_string(error, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._add(test, "skipped", reason)


def _write_xml(path, cases):
    suite = xml.etree.ElementTree.Element("testsuite", name="e2e", tests=str(len(cases)))
    for identity, seconds, kind, text in cases:
        classname, _, name = identity.rpartition(".")
        case = xml.etree.ElementTree.SubElement(
            suite, "testcase", classname=classname, name=name, time=f"{seconds:.3f}")  # fmt: skip
        if kind:
            detail = xml.etree.ElementTree.SubElement(case, kind, message=kind)
            detail.text = "".join(c for c in text if c in "\n\t" or c >= " ")
    xml.etree.ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def main():
    """Runs the tests of the calling file; arguments are unittest's."""
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=_Result, verbosity=2)
    program = unittest.main(testRunner=runner, exit=False)
    path = os.environ.get("XML_OUTPUT_FILE")
    if path:
        _write_xml(path, program.result.cases)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun else 1)
