# SPDX-License-Identifier: Apache-2.0
"""Boot digests in the measured configuration, and a boot without secrets."""

from lab import testing

WITHOUT = "boot-without-secrets"


class ExpectedBootTest(testing.EndToEnd):
    def run_image(self, name, **changes):
        changes.setdefault("deadlines", testing.SHORT["deadlines"])
        image, _ = self.site.configure_image(name, [self.site.pin], **changes)
        return self.site.run(self.site.boot(image, self.site.disk))

    def test_other_boot_files_are_refused_by_the_guest_itself(self):
        for part in ("kernel", "initrd", "command_line", "acpi"):
            with self.subTest(part):
                expected = self.site.expected_boot() | {part: "sha384:" + "ab" * 48}
                self.assert_failed(self.run_image("changed", expected_boot=expected), "SM11")

    def test_other_boot_files_do_not_boot_without_secrets(self):
        expected = self.site.expected_boot() | {"kernel": "sha384:" + "ab" * 48}
        self.assert_failed(self.run_image("changed", expected_boot=expected, on_failure=WITHOUT),
                           "SM11")  # fmt: skip

    def test_boots_without_secrets_when_the_verifier_does_not_answer(self):
        self.site.stop_proxy()
        qemu = self.run_image("without", expected_boot=self.site.expected_boot(), on_failure=WITHOUT)
        self.assert_initramfs_refused(qemu, "no disk key was delivered")

    def test_boots_without_secrets_when_the_verifier_denies(self):
        """The image is in no policy."""
        qemu = self.run_image("without", expected_boot=self.site.expected_boot(), on_failure=WITHOUT)
        self.assert_initramfs_refused(qemu, "no disk key was delivered")


if __name__ == "__main__":
    testing.main()
