# SPDX-License-Identifier: Apache-2.0
"""ID blocks made here, and genuine ones, judged by `openssl` alone
(tools/check_id_block.sh); keys in files and in a PKCS#11 token."""

import hashlib
import json
import os
import pathlib
import shutil
import struct
import unittest
import zlib

from lab import process, testing

FORELOCK = "cli/forelock"
IMAGE = "svsm/forelock-svsm.elf"
CHECK = "tools/check_id_block.sh"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
DIGEST = "5a" * 48
PIN = "4711"


def scratch(name):
    return pathlib.Path(os.environ["TEST_TMPDIR"]) / name


def openssl(*arguments):
    return process.run(["openssl", *arguments]).stdout


def make_key(name, *form):
    path = scratch(name)
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", *form, "-out", path)
    return path


def check(*files):
    """(exit code, what it says)."""
    result = process.run([CHECK, *files], check=False)
    return result.returncode, result.stdout + result.stderr


def flipped(path, offset):
    """A copy with one bit changed."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    copy = scratch("flipped")
    copy.write_bytes(data)
    return copy


class Signed(unittest.TestCase):
    def sign(self, name, id_key, *options, author=None):
        """Both files; None where the command refuses, with self.error."""
        block, auth = scratch(f"{name}.block"), scratch(f"{name}.auth")
        for path in (block, auth):
            path.unlink(missing_ok=True)
        line = [FORELOCK, "image", "sign", "--digest", DIGEST, "--id-key", id_key,
                "--id-block-out", block, "--id-auth-out", auth, *options]  # fmt: skip
        if author:
            line += ["--author-key", author]
        result = process.run(line, check=False)
        self.output, self.error = result.stdout, result.stderr
        if result.returncode != 0:
            self.assertFalse(block.exists() or auth.exists(), "refused, and wrote a file")
            return None
        return block, auth

    def key_digest(self, key, *options):
        return process.run([FORELOCK, "image", "id-key", key, *options]).stdout.strip()


class Files(Signed):
    def test_id_key_alone(self):
        key = make_key("id.pem")
        block, auth = self.sign("alone", key)
        code, said = check(block, auth, key)
        self.assertEqual(code, 0, said)
        self.assertIn("no author key", said)
        self.assertIn(f"ID key digest {self.key_digest(key)}\n", said)
        self.assertIn(f"ID key digest {self.key_digest(key)}\n", self.output)

    def test_author_key_and_every_field(self):
        key, author = make_key("id.pem"), make_key("author.pem")
        block, auth = self.sign(
            "both", key, "--svn", "4294967295", "--family-id", "0f" * 16, "--image-id", "1e" * 16,
            "--guest-policy", "0x130000", author=author)  # fmt: skip
        self.assertEqual(
            block.read_bytes(),
            bytes.fromhex(DIGEST + "0f" * 16 + "1e" * 16 + "01000000" + "ffffffff" + "0000130000000000"))
        code, said = check(block, auth, key, author)
        self.assertEqual(code, 0, said)
        self.assertIn(f"author key digest {self.key_digest(author)}\n", said)
        # All of it is shown to the one who signs.
        self.assertEqual(self.output, (
            f"launch digest {DIGEST}\n"
            "guest policy 0x130000 (smt, single_socket), firmware ABI 0.0 or later\n"
            f"SVN 4294967295\nfamily id {'0f' * 16}\nimage id {'1e' * 16}\n"
            f"ID key digest {self.key_digest(key)}\nauthor key digest {self.key_digest(author)}\n"))

    def test_the_check_fails_where_it_must(self):
        key, author = make_key("id.pem"), make_key("author.pem")
        block, auth = self.sign("both", key, author=author)
        self.assertEqual(check(block, auth)[0], 0)
        for offset in (0, 0x37, 0x50, 0x54, 0x5F):
            self.assertEqual(check(flipped(block, offset), auth)[0], 1, offset)
        # Algorithms, reserved bytes, signatures, keys, and the paddings of numbers.
        for offset in (0, 4, 8, 0x3F, 0x40, 0x6F, 0x70, 0x88, 0xD0, 0x23F, 0x240, 0x244, 0x274, 0x28C,
                       0x2D4, 0x643, 0x644, 0x680, 0x6B0, 0x6C8, 0x87F, 0x880, 0x884, 0x8CC, 0xC83,
                       0xC84, 0xFFF):  # fmt: skip
            self.assertEqual(check(block, flipped(auth, offset))[0], 1, hex(offset))
        self.assertEqual(check(block, auth, author)[0], 1)
        self.assertEqual(check(block, auth, key, key)[0], 1)

    def test_compressed_point_is_the_same_key(self):
        key = make_key("id.pem")
        compressed = scratch("compressed.pem")
        openssl("ec", "-in", key, "-conv_form", "compressed", "-out", compressed)
        self.assertNotEqual(key.read_bytes(), compressed.read_bytes())
        self.assertEqual(self.key_digest(key), self.key_digest(compressed))
        block, auth = self.sign("compressed", compressed)
        self.assertEqual(check(block, auth, key)[0], 0)

    def test_key_after_its_parameters(self):
        """What `openssl ecparam -genkey` writes."""
        key = scratch("parameters.pem")
        openssl("ecparam", "-name", "secp384r1", "-genkey", "-out", key)
        self.assertIn("EC PARAMETERS", key.read_text())
        block, auth = self.sign("parameters", key)
        self.assertEqual(check(block, auth, key)[0], 0)

    def test_refusals(self):
        key = make_key("id.pem")
        encrypted = make_key("encrypted.pem", "-aes256", "-pass", "pass:word")
        self.assertIsNone(self.sign("no", encrypted))
        self.assertIn("LA31 ", self.error)
        self.assertIsNone(self.sign("no", key, author=scratch("nothing.pem")))
        self.assertIn("LA8 ", self.error)
        for options in (["--svn", "4294967296"], ["--family-id", "00"], ["--guest-policy", "0x10000"]):
            self.assertIsNone(self.sign("no", key, *options))
            self.assertIn("wants", self.error)
        for policy, why in (("0xb0000", ": debug"), ("0x70000", ": migration_agent"),
                            ("0x8000000000030000", ": unknown bits 0x8000000000000000")):  # fmt: skip
            self.assertIsNone(self.sign("no", key, "--guest-policy", policy))
            self.assertIn(f": guest policy {policy}{why}", self.error)


class Igvm(Signed):
    """An ID block inside an IGVM file, read by code of its own here."""

    @classmethod
    def setUpClass(cls):
        cls.igvm = cls.build("snp")
        cls.digest = process.run([FORELOCK, "image", "measure", cls.igvm]).stdout.strip()

    @staticmethod
    def build(platform):
        config, elf, igvm = scratch("guest.toml"), scratch(f"{platform}.elf"), scratch("vm1.igvm")
        config.write_text(
            f'version = 1\nplatform = "{platform}"\nvm = "demo/vm1"\nverifier = "verifier"\n'
            f'verifier_pins = ["sha256:{"5a" * 32}"]\nacpi = "none"\n[channel]\ntransport = "page"\n')
        process.run([FORELOCK, "image", "configure", "--config", config, "--output", elf, IMAGE])
        if platform == "emulated":
            return elf
        process.run([FORELOCK, "image", "build", "--set", "single_socket", "--output", igvm, elf])
        return igvm

    def sign_image(self, image, key, *options):
        self.result = process.run([FORELOCK, "image", "sign", image, "--id-key", key, *options], check=False)
        return self.result.returncode

    @staticmethod
    def from_igvm(path):
        """ID block and ID_AUTH, as QEMU makes them (backends/igvm.c)."""
        data = path.read_bytes()
        offset, size = struct.unpack_from("<II", data, 8)
        policy, found, end = None, None, offset + size
        while offset < end:
            kind, length = struct.unpack_from("<II", data, offset)
            content = data[offset + 8:offset + 8 + length]  # fmt: skip
            if kind == 0x101:
                policy = content[:8]
            elif kind == 0x30B:
                found = content
            offset += 8 + (length + 7) // 8 * 8
        if found is None:
            return None
        # Mask, author key enabled, reserved; digest, family, image, version, SVN,
        # algorithms; then signature and key of each.
        author = found[4]
        digest, family, image = found[8:56], found[56:72], found[72:88]
        version, svn, id_algorithm, author_algorithm = struct.unpack_from("<4I", found, 88)
        keys, at = [], 104
        for _ in range(2):
            signature, at = found[at:at + 144], at + 144  # fmt: skip
            key, at = found[at:at + 4] + found[at + 8:at + 152], at + 152  # fmt: skip
            keys.append((signature.ljust(512, b"\0"), key.ljust(1028, b"\0")))
        assert at == len(found), (at, len(found))
        block = digest + family + image + struct.pack("<II", version, svn) + policy
        auth = struct.pack("<II", id_algorithm, author_algorithm).ljust(64, b"\0")
        auth += keys[0][0] + keys[0][1] + bytes(60)
        auth += (keys[1][0] + keys[1][1]) if author else bytes(1540)
        paths = scratch("igvm.block"), scratch("igvm.auth")
        paths[0].write_bytes(block)
        paths[1].write_bytes(auth.ljust(4096, b"\0"))
        return paths

    def test_it_verifies_as_qemu_would_hand_it_on(self):
        key, author = make_key("id.pem"), make_key("author.pem")
        signed = scratch("signed.igvm")
        self.assertIsNone(self.from_igvm(self.igvm))
        for more, pems in (([], [key]), (["--author-key", author], [key, author])):
            self.assertEqual(self.sign_image(self.igvm, key, "--svn", "3", "--output", signed, *more), 0,
                             self.result.stderr)  # fmt: skip
            block, auth = self.from_igvm(signed)
            code, said = check(block, auth, *pems)
            self.assertEqual(code, 0, said)
            self.assertEqual("no author key" in said, not more)
            # Digest, SVN and the file's own guest policy.
            self.assertEqual(block.read_bytes()[:48].hex(), self.digest)
            self.assertEqual(block.read_bytes()[84:], struct.pack("<IQ", 3, 0x130000))
            self.assertEqual(process.run([FORELOCK, "image", "measure", signed]).stdout.strip(), self.digest)

    def test_a_second_signature_replaces_the_first(self):
        first, second = make_key("first.pem"), make_key("second.pem")
        signed, again = scratch("signed.igvm"), scratch("again.igvm")
        self.assertEqual(self.sign_image(self.igvm, first, "--output", signed), 0)
        self.assertEqual(self.sign_image(signed, second, "--output", again), 0)
        self.assertEqual(check(*self.from_igvm(again), second)[0], 0)

    def test_both_forms_are_one_signature(self):
        signed, block, auth = scratch("signed.igvm"), scratch("block"), scratch("auth")
        self.assertEqual(self.sign_image(self.igvm, make_key("id.pem"), "--output", signed,
                                         "--id-block-out", block, "--id-auth-out", auth), 0)  # fmt: skip
        inside = self.from_igvm(signed)
        self.assertEqual(inside[0].read_bytes(), block.read_bytes())
        self.assertEqual(inside[1].read_bytes(), auth.read_bytes())

    def test_policy_and_qemu_args_of_a_signed_image(self):
        key, signed = make_key("id.pem"), scratch("signed.igvm")
        self.assertEqual(self.sign_image(self.igvm, key, "--svn", "3", "--output", signed), 0)
        policy = scratch("policy.toml")
        policy.write_text(process.run([FORELOCK, "policy", "from-image", signed]).stdout)
        process.run([FORELOCK, "policy", "check", policy])
        for line in (f'  "{self.digest}",', f'id_key_digest = ["{self.key_digest(key)}"]',
                     "minimum_guest_svn = 3\n", 'author_key_digest = "any"'):  # fmt: skip
            self.assertIn(line, policy.read_text())
        other = process.run([FORELOCK, "policy", "from-image", signed, "--id-key", make_key("other.pem")],
                            check=False)  # fmt: skip
        self.assertEqual(other.returncode, 2)
        self.assertIn("signed by another key", other.stderr)
        args = process.run([FORELOCK, "image", "qemu-args", signed, "--ram", "r", "--proxy-socket", "p"])
        self.assertIn(",policy=0x130000 ", args.stdout)

    def changed(self, change):
        """The image after change(data, offset) to its guest policy's header."""
        data = bytearray(self.igvm.read_bytes())
        offset, size = struct.unpack_from("<II", data, 8)
        at = offset
        while struct.unpack_from("<I", data, at) != (0x101,):
            at += 8 + (struct.unpack_from("<I", data, at + 4)[0] + 7) // 8 * 8
        change(data, at)
        struct.pack_into("<I", data, 20, 0)
        struct.pack_into("<I", data, 20, zlib.crc32(data[:offset + size]))  # fmt: skip
        path = scratch("changed.igvm")
        path.write_bytes(data)
        return path

    def assert_not_signed(self, image, reason):
        """An image that has the digest its owner expects."""
        self.assertEqual(process.run([FORELOCK, "image", "measure", image]).stdout.strip(), self.digest)
        out, block, auth = scratch("out"), scratch("block"), scratch("auth")
        for path in (out, block, auth):
            path.unlink(missing_ok=True)
        for options in (["--output", out], ["--id-block-out", block, "--id-auth-out", auth]):
            # Before the key, too.
            self.assertEqual(self.sign_image(image, scratch("no-key.pem"), *options), 1, self.result.stderr)
            self.assertIn(reason, self.result.stderr)
            self.assertFalse(out.exists() or block.exists() or auth.exists())

    def test_a_changed_policy_is_seen(self):
        for bits, reason in ((1 << 18, "LA35 "), (1 << 19, "LA35 "), (1 << 26, "LA35 "), (1 << 63, "LA35 ")):
            with self.subTest(hex(bits)):
                image = self.changed(lambda data, at: struct.pack_into("<Q", data, at + 8, 0x130000 | bits))
                self.assert_not_signed(image, reason)
        image = self.changed(lambda data, at: struct.pack_into("<Q", data, at + 8, 0x30137))
        self.assertEqual(self.sign_image(image, make_key("id.pem"), "--output", scratch("out")), 0)
        self.assertIn(f"launch digest {self.digest}\n", self.result.stdout)
        self.assertIn("guest policy 0x30137 (smt), firmware ABI 1.55 or later\n", self.result.stdout)

    def test_an_image_without_a_policy(self):
        """QEMU launches it with policy 0, whatever was signed."""
        image = self.changed(lambda data, at: struct.pack_into("<I", data, at, 0x800001F0))
        self.assert_not_signed(image, "LA14 ")
        self.assertIn("no guest policy", self.result.stderr)

    def test_a_rom_names_the_cpu(self):
        rom, block, auth = scratch("vm1.rom"), scratch("block"), scratch("auth")
        process.run([FORELOCK, "image", "rom", "--output", rom, scratch("snp.elf")])
        for options, said in (([], "CPU signature 0x00800f12, assumed"),
                              (["--cpu-signature", "00a00f11"], "CPU signature 0x00a00f11\n")):  # fmt: skip
            self.assertEqual(self.sign_image(rom, make_key("id.pem"), "--id-block-out", block,
                                             "--id-auth-out", auth, *options), 0, self.result.stderr)  # fmt: skip
            self.assertIn(said, self.result.stdout)

    def test_refusals(self):
        key, elf, out = make_key("id.pem"), self.build("emulated"), scratch("out")
        for what, image, options in (
            ("nowhere to write", self.igvm, []),
            ("half of the detached form", self.igvm, ["--id-block-out", out]),
            ("a policy that the file has", self.igvm, ["--guest-policy", "0x30000", "--output", out]),
            ("a digest that the file has", self.igvm, ["--digest", DIGEST, "--output", out]),
            ("an emulated image", elf, ["--id-block-out", out, "--id-auth-out", out]),
            ("an ELF file to write to", elf, ["--output", out]),
        ):
            with self.subTest(what):
                self.assertEqual(self.sign_image(image, key, *options), 2, self.result.stderr)
                self.assertFalse(out.exists())


class Token(Signed):
    @classmethod
    def setUpClass(cls):
        if not pathlib.Path(SOFTHSM).exists() or not shutil.which("softhsm2-util"):
            raise unittest.SkipTest("softhsm2 is not installed")
        folder = scratch("tokens")
        folder.mkdir()
        conf = scratch("softhsm2.conf")
        conf.write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(conf)
        process.run(["softhsm2-util", "--init-token", "--free", "--label", "owner",
                     "--pin", PIN, "--so-pin", "12345678"])  # fmt: skip
        cls.keys = {"id": make_key("token-id.pem"), "author": make_key("token-author.pem"),
                    "small": scratch("token-small.pem")}  # fmt: skip
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-out", cls.keys["small"])  # fmt: skip
        for number, (label, key) in enumerate(cls.keys.items()):
            process.run(["softhsm2-util", "--import", key, "--token", "owner", "--label", label,
                         "--id", f"0{number}", "--pin", PIN])  # fmt: skip
        cls.pin = scratch("pin")
        cls.pin.write_text(PIN + "\n")

    def uri(self, label, more=""):
        return f"pkcs11:token=owner;object={label}{more}"

    def options(self):
        return ["--pkcs11-module", SOFTHSM, "--pin-file", self.pin]

    def test_both_keys_in_a_token(self):
        block, auth = self.sign("token", self.uri("id"), *self.options(), author=self.uri("author"))
        code, said = check(block, auth, self.keys["id"], self.keys["author"])
        self.assertEqual(code, 0, said)
        self.assertIn(f"ID key digest {self.key_digest(self.uri('id'), *self.options())}\n", said)

    def test_id_key_in_a_file_author_key_in_a_token(self):
        key = make_key("id.pem")
        block, auth = self.sign("mixed", key, *self.options(), author=self.uri("author"))
        code, said = check(block, auth, key, self.keys["author"])
        self.assertEqual(code, 0, said)

    def test_pin_source(self):
        for more in (f";pin-source={self.pin}", f"?pin-source=file:{self.pin}",
                     f"?pin-source=file://{self.pin}&type=private"):  # fmt: skip
            signed = self.sign("source", self.uri("id", more), "--pkcs11-module", SOFTHSM)
            self.assertIsNotNone(signed, self.error)
            self.assertEqual(check(*signed, self.keys["id"])[0], 0)
        for more in (";pin-source=", ";pin-source=|echo", ";pin-source=file:"):
            self.assertIsNone(self.sign("no", self.uri("id", more), "--pkcs11-module", SOFTHSM))
            self.assertIn(": pin-source", self.error)

    def test_refusals(self):
        wrong = scratch("wrong-pin")
        wrong.write_text("1234\n")
        module = ["--pkcs11-module", SOFTHSM]
        for what, reason, uri, options in (
            ("wrong PIN", "LA32", self.uri("id"), [*module, "--pin-file", wrong]),
            ("no PIN", "LA32", self.uri("id"), module),
            ("empty PIN file", "LA32", self.uri("id"), [*module, "--pin-file", "/dev/null"]),
            ("no such object", "LA32", self.uri("other"), self.options()),
            ("no such token", "LA32", "pkcs11:token=other;object=id", self.options()),
            ("no such module", "LA32", self.uri("id"), ["--pkcs11-module", "/nothing.so"]),
            ("a PIN in the URI", "LA32", self.uri("id", f";pin-value={PIN}"), module),
            ("another curve", "LA30", self.uri("small"), self.options()),
        ):
            with self.subTest(what):
                self.assertIsNone(self.sign("no", uri, *options))
                self.assertIn(f"{reason} ", self.error)

    def test_engine_that_is_not_there(self):
        os.environ["OPENSSL_ENGINES"] = str(scratch("no-engines"))
        self.addCleanup(os.environ.pop, "OPENSSL_ENGINES")
        self.assertIsNone(self.sign("no", self.uri("id"), *self.options()))
        self.assertIn("libengine-pkcs11-openssl", self.error)


class Genuine(unittest.TestCase):
    def setUp(self):
        folder = os.environ.get("FORELOCK_VECTORS")
        if not folder:
            self.skipTest("FORELOCK_VECTORS is not set")
        self.folder = pathlib.Path(folder)
        manifest = json.loads((self.folder / "manifest.json").read_text())
        self.vectors = [vector for vector in manifest["vectors"]
                        if vector.get("kind") == "id-block" and vector.get("files")]  # fmt: skip
        self.assertTrue(self.vectors)

    def test_as_expected(self):
        judged = set()
        for vector in self.vectors:
            files = {file["role"]: self.folder / file["path"] for file in vector["files"]}
            if "id-auth-info" in files:
                code, said = check(files["id-block"], files["id-auth-info"])
                valid = vector["expected"]["verdict"] == "valid"
                self.assertEqual(code, 0 if valid else 1, f"{vector['id']}: {said}")
                judged.add(valid)
                if valid:
                    for name in ("id", "author"):
                        self.assertIn(vector["decoded"][f"{name}_key_digest_sha384"], said)
            for name in ("id", "author"):
                structure = files[f"{name}-public-key-struct"].read_bytes()
                self.assertEqual(hashlib.sha384(structure).hexdigest(),
                                 vector["decoded"][f"{name}_key_digest_sha384"])  # fmt: skip
        self.assertEqual(judged, {True, False}, "not both a good one and a bad one")


if __name__ == "__main__":
    testing.main()
