# SPDX-License-Identifier: Apache-2.0
"""Other processors than the usual emulated Milan: their certificates, from the
host's folder to the owner's log."""

import hashlib
import signal

from lab import certificates, process, testing

CSP_ID = "CN=cc.example.com"


class ProductTest(testing.EndToEnd):
    """The cases of one product; `logged`: lines of the owner's log."""

    def serve_certificates(self):
        """The verifier again, with an empty folder of the owner's."""
        folder = self.site.owner / "certificates"
        folder.mkdir()
        verifier = self.site.verifier
        verifier.stop()
        verifier.start(listen=verifier.address, arguments=("--allow-emulated", "--certificates", folder))
        self.addCleanup(verifier.stop)
        return folder

    def await_certificates(self, pattern):
        self.site.verifier.server.signal(signal.SIGHUP)
        self.site.verifier.server.wait_for(pattern)

    def check_boot(self, logged):
        self.assert_booted(self.boot())
        decision, outcome = self.site.verifier.decisions()[0]
        self.assertEqual(outcome, "granted")
        audit = self.site.verifier.audit(decision)
        for line in logged:
            self.assertRegex(audit, rf"(?m)^{line}$")


class TurinVlekTest(ProductTest):
    processor = {"product": "turin", "csp_id": CSP_ID}

    def test_boots(self):
        self.check_boot(["product +Turin", f"signer +VLEK of {CSP_ID}", "crl +checked, nothing revoked",
                         "reported_tcb +fmc 1, boot_loader 1, tee 1, snp 4, microcode 81 .*"])  # fmt: skip

    def test_revoked_while_the_verifier_runs(self):
        """The host's list says nothing of it; the owner's newer one does."""
        folder = self.serve_certificates()
        process.run([self.site.tools.emulator, "revoke", "--hierarchy", self.site.processor,
                     "--output", folder / "crl.der"])  # fmt: skip
        self.await_certificates("0 certificates, 1 revocation lists")
        self.assert_denied(self.boot(), "VE35", outcome="evidence_invalid")


class GenoaTest(ProductTest):
    processor = {"product": "genoa"}

    def test_boots(self):
        self.check_boot(["product +Genoa", "signer +VCEK", "crl +checked, nothing revoked",
                         "reported_tcb +boot_loader 10, tee 0, snp 27, microcode 88 .*"])  # fmt: skip

    def test_host_has_only_the_vcek(self):
        """The owner has imported the rest."""
        public = self.site.processor / "public"
        folder = self.serve_certificates()
        root = hashlib.sha256((public / "ark.der").read_bytes()).hexdigest()
        process.run([self.site.tools.cli, "roots", "import", "--to", folder, "--root-sha256", root,
                     public / "ark.der", public / "ask.der", public / "crl.der"])  # fmt: skip
        self.await_certificates("2 certificates, 1 revocation lists")
        folder = self.site.host / "certificates"
        folder.mkdir()
        (vcek,) = public.glob("vcek-*.der")
        certificates.write(folder / f"{vcek.stem}.certs", vcek=vcek.read_bytes())
        self.site.start_proxy(certificates=folder)
        self.addCleanup(self.site.stop_proxy)
        self.check_boot(["crl +checked, nothing revoked"])


if __name__ == "__main__":
    testing.main()
