# SPDX-License-Identifier: Apache-2.0
"""The host's folder: certificates as they come from the key service, made into
the files that the daemon sends; the daemon runs all the while."""

import hashlib
import shutil

from lab import certificates, process, testing


class HostFolderTest(testing.EndToEnd):
    """`received`: what the host fetched. `sent`: what its daemon sends."""

    def setUp(self):
        super().setUp()
        self.public = self.site.processor / "public"
        self.root = hashlib.sha256((self.public / "ark.der").read_bytes()).hexdigest()
        self.received, self.sent = self.site.host / "received", self.site.host / "sent"
        for folder in (self.received, self.sent):
            folder.mkdir()
            self.addCleanup(shutil.rmtree, folder)
        self.site.start_proxy(certificates=self.sent)
        self.addCleanup(self.site.stop_proxy)

    def cli(self, *words, roots=(), check=True):
        pins = [word for root in (self.root, *roots) for word in ("--root-sha256", root)]
        return process.run([self.site.tools.cli, *words[:2], *pins, *words[2:]], check=check)

    def receive(self, folder, *names, roots=()):
        """Of the key service: leaves are files, the rest is imported."""
        (leaf,) = folder.glob("v?ek-*.der")
        # Whatever it is called: nothing is replaced.
        shutil.copy(leaf, self.received / f"{len(list(self.received.iterdir()))}-{leaf.name}")
        self.cli("roots", "import", "--to", self.received, *(folder / name for name in names), roots=roots)

    def prepare(self, roots=()):
        self.cli("roots", "prepare", "--to", self.sent, self.received, roots=roots)

    def the_table(self):
        (path,) = self.sent.glob("*.certs")
        return certificates.unpack(path.read_bytes())

    def assert_granted(self):
        self.assert_booted(self.boot())
        self.assertEqual(self.site.verifier.decisions()[0][1], "granted")

    def test_a_folder_of_single_certificates_is_no_longer_sent(self):
        for path in self.public.glob("*.der"):
            shutil.copy(path, self.sent)
        refused = self.boot()
        self.assert_line(refused, "forelock: refused: evidence_invalid ")
        self.assert_linux_not_started(refused)
        line = self.site.proxy.wait_for("HP6 .*").group(0)
        (leaf,) = self.public.glob("vcek-*.der")
        self.assertIn(f"{self.sent}/{leaf.stem}.certs: ", line)
        self.assertIn(f"run `forelock roots prepare {self.sent}`", line)
        # And that is what helps.
        self.cli("roots", "prepare", self.sent)
        self.assert_granted()

    def test_two_products_in_one_folder(self):
        other = self.site.host / "genoa"
        process.run([self.site.tools.emulator, "init", "--hierarchy", other, "--product", "genoa"])
        self.addCleanup(shutil.rmtree, other)
        roots = [hashlib.sha256((other / "public/ark.der").read_bytes()).hexdigest()]
        for public in (self.public, other / "public"):
            self.receive(public, "ark.der", "ask.der", "crl.der", roots=roots)
        self.prepare(roots)
        self.assertEqual(len(list(self.sent.glob("vcek-*.certs"))), 2)
        self.assert_granted()

    def test_an_ask_that_was_replaced(self):
        self.receive(self.public, "ark.der", "ask.der", "crl.der")
        self.prepare()
        self.assert_granted()
        before = self.the_table()

        new = self.site.host / "new"
        new.mkdir()
        self.addCleanup(shutil.rmtree, new)
        process.run([self.site.tools.emulator, "rotate", "--hierarchy", self.site.processor, "--output", new])
        # The owner knows the list first: the old chain is refused.
        owner = self.site.owner / "certificates"
        self.cli("roots", "import", "--to", owner, self.public / "ark.der", new / "crl.der")
        self.addCleanup(shutil.rmtree, owner)
        verifier = self.site.verifier
        verifier.stop()
        verifier.start(listen=verifier.address, arguments=("--allow-emulated", "--certificates", owner))
        self.addCleanup(verifier.stop)
        self.assert_denied(self.boot(), "VE35", outcome="evidence_invalid")

        # What was there stays there, beside what came.
        self.receive(new, "ask.der", "crl.der")
        self.prepare()
        after = self.the_table()
        self.assertEqual(after["ark"], before["ark"])
        for name, file in (("vcek", None), ("ask", "ask.der"), ("crl", "crl.der")):
            path = new / file if file else next(new.glob("vcek-*.der"))
            self.assertEqual(after[name], path.read_bytes(), name)
        self.assert_granted()


if __name__ == "__main__":
    testing.main()
