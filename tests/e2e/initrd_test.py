# SPDX-License-Identifier: Apache-2.0
"""The secret reaches the initramfs in whatever form the owner's initrd is.

The SVSM appends an archive to it; where one ends and how the next one may begin
is a matter of each decompressor. Nine boots: each compressor that the kernel has
and none; each pair of (early archive or not, padding); lz4, whose format has no
end of its own, both ways that leave nothing between its end and the next byte.
"""

from lab import initrd, testing

FORMS = {
    # name: compressor, early archive, padding
    "plain": ("plain", True, initrd.SECTOR),
    "gzip": ("gzip", True, initrd.NOTHING),
    "bzip2": ("bzip2", False, initrd.WORD),
    "lzma": ("lzma", True, initrd.WORD),
    "xz": ("xz", False, initrd.NOTHING),
    "lzo": ("lzo", False, initrd.SECTOR),
    "lz4": ("lz4", False, initrd.NOTHING),
    "lz4_word": ("lz4", True, initrd.WORD),
    "zstd": ("zstd", True, initrd.SECTOR),
}

class InitrdTest(testing.EndToEnd):
    @classmethod
    def more_guests(cls):
        command_line = cls.site.host / "minimal.cmdline"
        command_line.write_text(initrd.COMMAND_LINE)
        cls.guests = {}
        for name, form in FORMS.items():
            path = cls.site.host / f"{name}.initrd"
            path.write_bytes(initrd.make(*form))
            cls.guests[name] = cls.site.guest.replace(initrd=path, command_line=command_line)
        return cls.guests.values()

    def test_forms_cover_what_they_should(self):
        forms = FORMS.values()
        self.assertEqual({compressor for compressor, _, _ in forms}, set(initrd.COMPRESSORS))
        pairs = {(early, padding) for _, early, padding in forms}
        self.assertEqual(len(pairs), 6)

    def check(self, name):
        qemu = self.site.run(self.site.boot(self.site.image, None, guest=self.guests[name]))
        self.assert_line(qemu, initrd.key_line(self.site.key))


def _add(name):
    setattr(InitrdTest, f"test_{name}", lambda self: self.check(name))


for _name in FORMS:
    _add(_name)


if __name__ == "__main__":
    testing.main()
