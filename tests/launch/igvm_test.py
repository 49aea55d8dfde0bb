# SPDX-License-Identifier: Apache-2.0
"""IGVM files that `forelock image build` makes, read by code of their own here
(struct, zlib, hashlib), and made again elsewhere."""

import hashlib
import json
import os
import pathlib
import re
import struct
import unittest
import zlib

from lab import process, testing

FORELOCK = "cli/forelock"
IMAGE = "svsm/forelock-svsm.elf"
PIN = "sha256:" + "5a" * 32
KVM_VMSA = 0xFFFFFFFFF000

# PAGE_INFO's page types, and IGVM's types of page data for SEV-SNP.
NORMAL, VMSA, ZERO, UNMEASURED, SECRETS, CPUID = range(1, 7)
PAGE_DATA = {0: NORMAL, 1: SECRETS, 2: CPUID, 3: CPUID}


def scratch(name):
    path = pathlib.Path(os.environ["TEST_TMPDIR"]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def forelock(*arguments):
    return process.run([FORELOCK, *arguments]).stdout


def configured(name, vm="demo/vm1", platform="snp"):
    toml = scratch(name + ".toml")
    toml.write_text(
        f'version = 1\nplatform = "{platform}"\nvm = "{vm}"\nverifier = "verifier"\n'
        f'verifier_pins = ["{PIN}"]\nacpi = "none"\n[channel]\ntransport = "page"\n'
    )
    elf = scratch(name + ".elf")
    forelock("image", "configure", "--config", toml, "--output", elf, IMAGE)
    return elf


def built(name, *options, **configuration):
    igvm = scratch(name + ".igvm")
    forelock("image", "build", "--output", igvm, *options, configured(name, **configuration))
    return igvm


def headers(data):
    """(type, content) of each variable header of version 1."""
    magic, version, offset, size, total, crc = struct.unpack_from("<4s5I", data)
    assert (magic, version, offset, total) == (b"IGVM", 1, 24, len(data)), "fixed header"
    checked = data[:20] + bytes(4) + data[24 : offset + size]
    assert zlib.crc32(checked) == crc, "checksum"
    end = offset + size
    while offset < end:
        kind, length = struct.unpack_from("<II", data, offset)
        yield kind, data[offset + 8 : offset + 8 + length]
        offset += 8 + (length + 7) // 8 * 8


def launch_pages(data):
    """(page type, address, contents or None), as QEMU 10.1 hands them to KVM."""
    areas, inserted, pages, vmsa = {}, [], [], None
    for kind, content in headers(data):
        if kind == 0x301:  # parameter area
            size, index, _ = struct.unpack("<QII", content)
            areas[index] = size
        elif kind == 0x303:  # parameter insert: before the page data gathered
            gpa, _, index = struct.unpack("<QII", content)
            assert not pages, "an insert among page data: QEMU's order would differ"
            inserted += [(UNMEASURED, gpa + at, None) for at in range(0, areas[index], 4096)]
        elif kind == 0x302:  # page data
            gpa, _, at, flags, page_type, _ = struct.unpack("<QIIIHH", content)
            assert flags == 0
            contents = data[at : at + 4096] if at else bytes(4096)
            pages.append((PAGE_DATA[page_type], gpa, contents))
        elif kind == 0x304:  # VP context
            gpa, _, at, vp, _ = struct.unpack("<QIIHH", content)
            assert (gpa, vp, vmsa) == (KVM_VMSA, 0, None)
            vmsa = (VMSA, gpa, data[at : at + 4096])
        else:
            assert kind in (0x1, 0x101, 0x30C), hex(kind)
    return inserted + pages + [vmsa]


def launch_digest(pages):
    digest = bytes(48)
    for page_type, gpa, contents in pages:
        hashed = page_type in (NORMAL, VMSA)
        page = hashlib.sha384(contents).digest() if hashed else bytes(48)
        info = digest + page + struct.pack("<HBB4BQ", 0x70, page_type, 0, 0, 0, 0, 0, gpa)
        assert len(info) == 0x70
        digest = hashlib.sha384(info).digest()
    return digest.hex()


class Digest(unittest.TestCase):
    def test_is_what_others_compute_of_the_file(self):
        igvm = built("golden")
        pages = launch_pages(igvm.read_bytes())
        self.assertEqual([p[0] for p in pages].count(SECRETS), 1)
        self.assertEqual([p[0] for p in pages].count(CPUID), 1)
        self.assertEqual([p[0] for p in pages].count(UNMEASURED), 1)
        measured = forelock("image", "measure", igvm).strip()
        self.assertEqual(measured, launch_digest(pages))
        self.assertEqual(forelock("image", "measure", "--loader", "in-order", igvm).strip(), measured)
        self.assertEqual(forelock("image", "measure", scratch("golden.elf")).strip(), measured)

    def test_is_there_page_by_page(self):
        igvm = built("pages")
        listed = json.loads(forelock("image", "measure", "--pages", "--json", igvm))
        pages = launch_pages(igvm.read_bytes())
        self.assertEqual(len(listed["pages"]), len(pages))
        for i, (row, page) in enumerate(zip(listed["pages"], pages)):
            self.assertEqual(int(row["gpa"], 16), page[1])
            if i % 50 == 0:
                self.assertEqual(row["digest"], launch_digest(pages[: i + 1]))
        self.assertEqual(listed["pages"][-1]["digest"], listed["launch_digest"])
        lines = forelock("image", "measure", "--pages", igvm).splitlines()
        self.assertEqual(len(lines), len(pages) + 1)
        self.assertTrue(lines[-2].endswith(lines[-1]))

    def test_covers_the_configuration_and_not_the_policy(self):
        digests = [
            forelock("image", "measure", built("one")).strip(),
            forelock("image", "measure", built("two", vm="demo/vm2")).strip(),
            forelock("image", "measure", built("three", "--set", "debug")).strip(),
        ]
        self.assertNotEqual(digests[0], digests[1])
        self.assertEqual(digests[0], digests[2])


class Image(unittest.TestCase):
    """What the loader gets is the ELF file's memory, whole."""

    def test_has_every_byte_of_the_elf_file(self):
        igvm = built("whole")
        elf = scratch("whole.elf").read_bytes()
        memory = {gpa: contents for _, gpa, contents in launch_pages(igvm.read_bytes())}
        (table,) = struct.unpack_from("<Q", elf, 0x20)
        (count,) = struct.unpack_from("<H", elf, 0x38)
        seen = 0
        for i in range(count):
            kind, _, offset, _, gpa, file_size, size, _ = struct.unpack_from("<IIQQQQQQ", elf, table + 56 * i)
            if kind != 1:
                continue
            for at in range(0, size, 4096):
                page = memory.pop(gpa + at)
                seen += 1
                bytes_ = elf[offset + at : offset + min(at + 4096, file_size)] if at < file_size else b""
                if page is not None and bytes_:
                    self.assertEqual(page, bytes_.ljust(4096, b"\0"), hex(gpa + at))
        self.assertGreater(seen, 100)
        self.assertEqual(list(memory), [KVM_VMSA])


class Reproducible(unittest.TestCase):
    def test_same_bytes_wherever_and_whenever(self):
        first = built("here")
        elf = scratch("somewhere/else entirely/x.elf")
        elf.write_bytes(scratch("here.elf").read_bytes())
        os.utime(elf, (1, 1))
        igvm = elf.with_suffix(".igvm")
        environment = [
            "env", "-i", "PATH=" + os.environ["PATH"], "TZ=Pacific/Kiritimati", "LANG=tr_TR.UTF-8",
            "HOME=/nonexistent", "USER=somebody", "SOURCE_DATE_EPOCH=1",
        ]  # fmt: skip
        command = 'umask 077; f=$PWD/$1; cd "$2"; exec "$f" image build --output x.igvm x.elf'
        process.run([*environment, "sh", "-c", command, "sh", FORELOCK, elf.parent])
        self.assertEqual(igvm.read_bytes(), first.read_bytes())

    def test_the_image_names_no_place_and_no_time(self):
        image = pathlib.Path(IMAGE).read_bytes()
        # Where this very build ran, in any of its names.
        places = {os.getcwd(), os.path.realpath(IMAGE), str(pathlib.Path(os.path.realpath(IMAGE)).parent)}
        for needle in [*places, "bazel-out", "/execroot/", "/sandbox/", "/home/", "/root/", "/tmp/"]:
            self.assertNotIn(needle.encode(), image, needle)
        self.assertIsNone(re.search(rb"\b20[2-9]\d-[01]\d-[0-3]\d\b", image))
        self.assertIsNone(re.search(rb"\b[A-Z][a-z]{2} [ 0-3]\d 20[2-9]\d\b", image))
        self.assertNotIn(b"GNU\0", image)  # no build id, no property note
        # The compiler's own headers, in messages of the C++ library's checks.
        for path in re.findall(rb"/usr/[\x20-\x7e]+", image):
            self.assertTrue(path.startswith(b"/usr/include/c++/"), path)


class Commands(unittest.TestCase):
    def fails(self, code, text, *arguments):
        result = process.run([FORELOCK, *arguments], check=False)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertIn(text, result.stdout + result.stderr)

    def test_verify(self):
        igvm = built("verify")
        digest = forelock("image", "measure", igvm).strip()
        said = forelock("image", "verify", "--digest", digest, igvm)
        self.assertIn("guest policy 0x30000 (smt)", said)
        self.assertIn("verified", said)
        # Nobody sees it from the digest.
        debug = forelock("image", "verify", "--digest", digest, built("debug", "--set", "debug"))
        self.assertIn("guest policy 0xb0000 (smt, debug)", debug)
        self.assertIn("verified", forelock("image", "verify", "--digest", digest.upper(), scratch("verify.elf")))
        other = ("0" if digest[0] != "0" else "1") + digest[1:]
        self.fails(3, digest, "image", "verify", "--digest", other, igvm)
        self.fails(3, digest, "image", "verify", "--digest", other, scratch("verify.elf"))
        self.fails(2, "--digest", "image", "verify", "--digest", digest[2:], igvm)

    def test_list_dump_and_show(self):
        igvm = built("list", "--set", "single_socket", "--clear", "smt", "--abi", "1.55")
        text = forelock("image", "list", igvm)
        self.assertIn("guest policy: policy 0x120137", text)
        self.assertIn("single_socket", text)
        self.assertLess(len(text.splitlines()), 40)
        listed = json.loads(forelock("image", "list", "--json", igvm))["headers"]
        self.assertEqual(len(listed), len(list(headers(igvm.read_bytes()))))
        self.assertEqual(len(forelock("image", "list", "--all", igvm).splitlines()), len(listed) + 1)
        page = next(h for h in listed if h["name"] == "page data")
        number, gpa = page["number"], int(page["gpa"], 16)
        raw = scratch("page.bin")
        contents = {p[1]: p[2] for p in launch_pages(igvm.read_bytes())}[gpa]
        for options in (["--header", number], ["--page", f"{gpa + 5:x}"]):
            raw.write_bytes(b"")
            forelock("image", "dump", *options, "--output", raw, igvm)
            self.assertEqual(raw.read_bytes(), contents)
        dump = forelock("image", "dump", "--page", f"{gpa:x}", igvm)
        self.assertIn(f"{gpa:012x}  " + contents[:16].hex(" "), dump)
        everything = forelock("image", "dump", igvm)
        self.assertEqual(everything.count("\nheader ") , len(listed))
        self.fails(1, "no page at 0x123000", "image", "dump", "--page", "123000", igvm)
        self.fails(2, "--header", "image", "dump", "--header", len(listed), igvm)
        self.assertIn('vm = "demo/vm1"', forelock("image", "show", igvm))

    def test_build_warns_of_a_policy_without_secrets(self):
        elf, out = configured("warned"), scratch("warned.igvm")
        for bits, warned in ((["smt", "single_socket"], ""), (["debug"], "debug"),
                             (["migration_agent"], "migration_agent"),
                             (["debug", "migration_agent"], "migration_agent, debug")):  # fmt: skip
            options = [word for bit in bits for word in ("--set", bit)]
            result = process.run([FORELOCK, "image", "build", "--output", out, *options, elf])
            if warned:
                self.assertIn(f"warning: guest policy with {warned}: ", result.stderr)
            else:
                self.assertNotIn("guest policy with", result.stderr)

    def test_build_refuses_what_would_not_start(self):
        out = scratch("no.igvm")
        emulated = configured("emulated", platform="emulated")
        self.fails(1, "LA16", "image", "build", "--output", out, emulated)
        self.fails(1, "PR1", "image", "build", "--output", out, IMAGE)
        self.fails(2, "no policy bit", "image", "build", "--output", out, "--set", "nonsense", emulated)
        self.fails(2, "--abi", "image", "build", "--output", out, "--abi", "1", emulated)
        self.fails(2, "belong together", "image", "build", "--output", out, "--id-block", IMAGE, configured("snp"))
        self.assertFalse(out.exists())

    def test_build_warns_of_what_kvm_refuses(self):
        elf = configured("warn")
        for options, words in (
            ([], []),
            (["--set", "debug"], []),
            (["--clear", "smt"], ["lacks smt"]),
            (["--set", "single_socket"], ["has single_socket"]),
            (["--clear", "smt", "--set", "cxl_allow"], ["lacks smt", "has cxl_allow"]),
        ):
            out = scratch("warn.igvm")
            said = process.run([FORELOCK, "image", "build", "--output", out, *options, elf]).stderr
            lines = [line for line in said.splitlines() if line.startswith("warning: KVM")]
            self.assertEqual(len(lines), len(words), said)
            for line, word in zip(lines, words):
                self.assertIn(word, line)

    def test_measure_defaults_to_the_configured_platform(self):
        emulated = configured("e", platform="emulated")
        both = dict(line.split() for line in forelock("image", "measure", "--platform", "both", emulated).splitlines())
        self.assertEqual(forelock("image", "measure", emulated).strip(), both["emulated"])
        self.assertEqual(forelock("image", "measure", "--platform", "snp", emulated).strip(), both["snp"])
        said = json.loads(forelock("image", "measure", "--json", emulated))
        self.assertEqual((said["platform"], said["launch_digest"]), ("emulated", both["emulated"]))
        self.assertEqual(said["launch_digests"], both)

    def test_damaged_files_are_refused(self):
        data = bytearray(built("damaged").read_bytes())
        path = scratch("bad.igvm")
        path.write_bytes(data[:-1])
        self.fails(1, "IG3", "image", "list", path)
        data[30] ^= 1
        path.write_bytes(data)
        for command in ("measure", "list", "show", "dump"):
            self.fails(1, "IG4", "image", command, path)


class Foreign(unittest.TestCase):
    """Files with headers that this program does not know."""

    def with_type(self, name, kind):
        """Our file; its memory-map parameter has another type."""
        data = bytearray(built(name).read_bytes())
        (size,) = struct.unpack_from("<I", data, 12)
        at = 24
        while struct.unpack_from("<I", data, at) != (0x30C,):
            at += 8 + (struct.unpack_from("<I", data, at + 4)[0] + 7) // 8 * 8
        struct.pack_into("<I", data, at, kind)
        struct.pack_into("<I", data, 20, 0)
        struct.pack_into("<I", data, 20, zlib.crc32(data[: 24 + size]))
        path = scratch(name + "-foreign.igvm")
        path.write_bytes(data)
        return path

    def test_what_may_be_left_out_is(self):
        igvm = self.with_type("optional", 0x800003F0)
        self.assertEqual(
            forelock("image", "measure", igvm), forelock("image", "measure", scratch("optional.igvm"))
        )
        self.assertIn("optional type 0x3f0", forelock("image", "list", igvm))

    def test_what_must_not_be_left_out_is_listed_and_not_measured(self):
        igvm = self.with_type("required", 0x3F0)
        self.assertIn("type 0x3f0", forelock("image", "list", igvm))
        self.assertIn("type 0x3f0", forelock("image", "dump", igvm))
        for command in (["measure"], ["show"], ["verify", "--digest", "00" * 48]):
            result = process.run([FORELOCK, "image", *command, igvm], check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("LA13", result.stderr)


class IdBlock(unittest.TestCase):
    def test_of_this_launch_only(self):
        key = scratch("id.pem")
        process.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", key])
        digest = forelock("image", "measure", built("bare")).strip()
        files = ["--id-block-out", scratch("block"), "--id-auth-out", scratch("auth")]
        forelock("image", "sign", "--id-key", key, "--digest", digest, "--svn", "3", *files)
        block = ["--id-block", scratch("block"), "--id-auth", scratch("auth")]
        igvm = built("signed", *block)
        self.assertEqual(forelock("image", "measure", igvm).strip(), digest)
        self.assertIn("with its ID block", forelock("image", "verify", "--digest", digest, igvm))
        listed = json.loads(forelock("image", "list", "--json", igvm))["headers"][-1]
        self.assertEqual((listed["name"], listed["launch_digest"], listed["guest_svn"]), ("SNP ID block", digest, 3))
        for name, options, configuration in (
            ("other", [], {"vm": "demo/vm2"}),
            ("policy", ["--set", "debug"], {}),
        ):
            result = process.run(
                [FORELOCK, "image", "build", "--output", scratch("no"), *options, *block, configured(name, **configuration)],
                check=False,
            )
            self.assertEqual(result.returncode, 1)
            self.assertIn("LA17", result.stderr)


class Vectors(unittest.TestCase):
    def test_every_page_list(self):
        folder = os.environ.get("FORELOCK_VECTORS", "")
        if not os.path.exists(folder):
            self.skipTest("no vectors here")
        manifest = json.loads((pathlib.Path(folder) / "manifest.json").read_text())
        measured = 0
        for vector in manifest["vectors"]:
            if vector["kind"] != "launch-measurement" or not vector.get("file"):
                continue
            path = pathlib.Path(folder) / vector["file"]
            self.assertEqual(
                forelock("image", "measure", "--page-list", path).strip(), vector["expected"]["launch_digest"]
            )
            measured += 1
        self.assertGreaterEqual(measured, 11)

    def test_another_expectation_is_noticed(self):
        rows = [[1, "0x1000", "00" * 48]]
        digest = forelock("image", "measure", "--page-list", self.page_list({"page_info_updates": {"rows": rows}}))
        wrong = self.page_list({"page_info_updates": {"rows": rows}, "expected_launch_digest": "11" * 48})
        result = process.run([FORELOCK, "image", "measure", "--page-list", wrong], check=False)
        self.assertEqual((result.returncode, result.stdout), (3, digest))

    def page_list(self, value):
        path = scratch("list.json")
        path.write_text(json.dumps(value))
        return path


if __name__ == "__main__":
    testing.main()
