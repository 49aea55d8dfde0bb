#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fetch_sources.sh against a loopback server that is the Debian mirror and the public origins.

apt's programs are replaced by ones that ask this server, as apt asks a mirror: for the index
of a suite, then for a file that the index names. The origins are asked as they are.
"""

import hashlib
import http.server
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, "tools")
import fetch_origin  # noqa: E402

ROOT = os.getcwd()

FAKE_APT = '''#!/usr/bin/python3 -IS
import os, socket, sys
folder = os.path.dirname(os.environ["APT_CONFIG"])
_, _, mirror, suite, _ = open(f"{folder}/sources.list").read().split()
lists = f"{folder}/lists/Sources"

def get(path):  # by hand: urllib takes longer to load than all the rest
    host, _, base = mirror.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port))) as peer:
        peer.sendall(f"GET /{base}/{path} HTTP/1.0\\r\\n\\r\\n".encode())
        head, _, body = peer.makefile("rb").read().partition(b"\\r\\n\\r\\n")
    if b" 200 " not in head.splitlines()[0]:
        sys.exit(f"E: Failed to fetch {path}  {head.splitlines()[0].decode()}")
    return body

def stanzas():
    return [s for s in open(lists).read().split("\\n\\n") if s.strip()]

if "update" in sys.argv:
    open(lists, "wb").write(get(f"dists/{suite}/Sources"))
elif "showsrc" in sys.argv:
    print("\\n\\n".join(s for s in stanzas() if s.startswith(f"Package: {sys.argv[-1]}\\n")))
elif "source" in sys.argv:
    package, version = sys.argv[-1].split("=")
    wanted = ".debian.tar." if "--diff-only" in sys.argv else ".orig.tar."
    for stanza in stanzas():
        if f"Package: {package}\\n" in stanza and f"\\nVersion: {version}\\n" in stanza:
            for line in stanza.splitlines():
                if wanted in line:
                    name = line.split()[-1]
                    open(name, "wb").write(get(f"pool/{name}"))
'''


class Server(http.server.ThreadingHTTPServer):
    """Answers with `files`, {path: bytes}; `cut` are broken off half-way."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.asked = {}, set(), []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def server_bind(self):  # without HTTPServer's, which looks up the name of 127.0.0.1
        socketserver.TCPServer.server_bind(self)

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        body = self.server.files.get(path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if path in self.server.cut else body)

    def log_message(self, *_):
        pass


def sha256(body):
    return hashlib.sha256(body).hexdigest()


TLS, TLS_BODY = "tls_1.2.orig.tar.bz2", b"what upstream released" * 5000
LIB, LIB_BODY = "lib_3-1.debian.tar.xz", b"what Debian made of it"


class FetchSourcesTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.here = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.here)
        for folder in ("bin", "tools", "third_party"):
            os.mkdir(f"{self.here}/{folder}")
        for name in ("apt.sh", "fetch_origin.py", "fetch_sources.sh"):
            shutil.copy(f"{ROOT}/tools/{name}", f"{self.here}/tools")
        for name in ("apt-get", "apt-cache"):
            self.write(f"bin/{name}", FAKE_APT)
            os.chmod(f"{self.here}/bin/{name}", 0o755)
        self.pin({TLS: TLS_BODY, LIB: LIB_BODY})
        self.write(
            "third_party/origins.txt",
            f"# A comment\n{TLS} tls\n  {self.server.url('upstream/tls.bz2')}\n"
            f"  {self.server.url('all/tls')}\n\n{LIB} lib\n  {self.server.url('all/lib')}\n",
        )
        # Both are current in the first suite, and on the mirror.
        self.suite("trixie", tls=("1.2-1", TLS, TLS_BODY), lib=("3-1", LIB, LIB_BODY))
        self.server.files |= {f"debian/pool/{TLS}": TLS_BODY, f"debian/pool/{LIB}": LIB_BODY}

    def write(self, path, text):
        with open(f"{self.here}/{path}", "w", encoding="utf-8") as file:
            file.write(text)

    def pin(self, bodies):
        self.write("third_party/sources.bzl", '_URL = "https://x.invalid/"\n' + "".join(
            f'http_archive(\n    name = "x",\n    sha256 = "{sha256(body)}",\n    urls = [_URL + "{name}"],\n)\n'
            for name, body in bodies.items()))  # fmt: skip

    def suite(self, suite, **packages):
        """What the mirror lists: package = (version, file, its bytes)."""
        self.server.files[f"debian/dists/{suite}/Sources"] = "\n".join(
            f"Package: {package}\nBinary: {package}\nVersion: {version}\nFiles:\n 0123 5 {name}\n"
            f"Checksums-Sha256:\n {sha256(body)} {len(body)} {name}\n"
            for package, (version, name, body) in packages.items()).encode()  # fmt: skip

    def fetch(self):
        environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        environment |= {
            "PATH": f"{self.here}/bin:{os.environ['PATH']}",
            "DEBIAN_MIRROR": self.server.url("debian"),
        }
        self.server.asked.clear()
        done = subprocess.run(["tools/fetch_sources.sh"], cwd=self.here, env=environment, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        self.log = done.stdout
        # However it went: whole files or none, and nothing left beside them.
        for name in os.listdir(f"{self.here}/.distdir") if os.path.isdir(f"{self.here}/.distdir") else []:
            self.assertIn(self.have(name), (TLS_BODY, LIB_BODY), self.log)
        self.assertEqual(os.listdir(f"{self.here}/.forelock"), [])
        return done.returncode

    def have(self, name):
        try:
            with open(f"{self.here}/.distdir/{name}", "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def assert_all_there(self):
        self.assertEqual((self.have(TLS), self.have(LIB)), (TLS_BODY, LIB_BODY), self.log)

    def drop(self):
        """A point release: the suite has another version, the mirror another file."""
        self.suite("trixie", tls=("1.3-1", "tls_1.3.orig.tar.bz2", b"newer"), lib=("3-1", LIB, LIB_BODY))
        del self.server.files[f"debian/pool/{TLS}"]

    def origins_asked(self):
        return [path for path in self.server.asked if not path.startswith("debian/")]

    def test_the_mirror_has_all(self):
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertEqual(self.origins_asked(), [])

    def test_what_is_there_needs_no_network(self):
        self.fetch()
        self.assertEqual(self.fetch(), 0, self.log)
        self.assertEqual((self.log, self.server.asked), ("", []))

    def test_a_new_debian_revision_of_the_same_archive(self):
        self.suite("trixie", tls=("1.2-1+deb13u1", TLS, TLS_BODY), lib=("3-1", LIB, LIB_BODY))
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertEqual(self.origins_asked(), [])

    def test_a_later_suite_has_it(self):
        self.suite("trixie", lib=("3-1", LIB, LIB_BODY))
        self.suite("forky", tls=("1.2-3", TLS, TLS_BODY))
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertEqual(self.origins_asked(), [])

    def test_a_point_release_drops_the_version(self):
        self.drop()
        self.server.files["upstream/tls.bz2"] = TLS_BODY
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertEqual(self.origins_asked(), ["upstream/tls.bz2"])
        self.assertIn(f"no suite of the Debian mirror has {TLS}; asking public origins", self.log)

    def test_a_file_that_is_listed_and_gone(self):
        del self.server.files[f"debian/pool/{TLS}"]
        self.server.files["all/tls"] = TLS_BODY
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertIn(f"lists {TLS} in trixie and does not give it: E: Failed to fetch", self.log)
        self.assertIn("upstream/tls.bz2: HTTP status 404", self.log)

    def test_a_wrong_byte_falls_on_to_the_next_origin(self):
        self.drop()
        wrong = TLS_BODY[:-1] + b"?"
        self.server.files |= {"upstream/tls.bz2": wrong, "all/tls": TLS_BODY}
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertEqual(self.origins_asked(), ["upstream/tls.bz2", "all/tls"])
        self.assertIn(f"upstream/tls.bz2: not the pinned file: its SHA-256 is {sha256(wrong)}", self.log)

    def test_a_wrong_byte_on_the_mirror(self):
        self.server.files[f"debian/pool/{TLS}"] = TLS_BODY[:-1] + b"?"
        self.server.files["upstream/tls.bz2"] = TLS_BODY
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertIn("does not give it: not the pinned bytes", self.log)

    def test_an_answer_that_breaks_off(self):
        self.drop()
        self.server.files |= {"upstream/tls.bz2": TLS_BODY, "all/tls": TLS_BODY}
        self.server.cut = {"upstream/tls.bz2"}
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()
        self.assertIn(f"ended after {len(TLS_BODY) // 2} of {len(TLS_BODY)} bytes", self.log)

    def test_no_origin_has_it(self):
        self.drop()
        self.server.files["upstream/tls.bz2"] = TLS_BODY[1:]
        self.assertEqual(self.fetch(), 1, self.log)
        self.assertEqual((self.have(TLS), self.have(LIB)), (None, LIB_BODY))
        for part in (f"{TLS} cannot be had", sha256(TLS_BODY), "Set DEBIAN_MIRROR", f".distdir/{TLS}", "./run setup"):
            self.assertIn(part, self.log)
        # What the message says helps.
        self.write(f".distdir/{TLS}", TLS_BODY.decode())
        self.assertEqual(self.fetch(), 0, self.log)

    def test_neither_mirror_nor_host(self):
        self.server.files.clear()
        text = fetch_origin.read(f"{self.here}/third_party/origins.txt")
        with socket.socket() as nobody:  # has the port, and does not listen there
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
            self.write("third_party/origins.txt", text.replace(f":{self.server.server_address[1]}/", f":{port}/"))
            self.fetch_fails_at_a_silent_host()

    def fetch_fails_at_a_silent_host(self):
        self.assertEqual(self.fetch(), 1, self.log)
        self.assertIn("sources: no trixie: ", self.log)
        self.assertIn("Connection refused", self.log)
        self.assertEqual(self.log.count("Connection refused"), 1)  # a host that does not answer is asked once
        self.assertIn(f"{LIB} cannot be had", self.log)

    def test_a_damaged_file_is_fetched_again(self):
        os.mkdir(f"{self.here}/.distdir")
        self.write(f".distdir/{TLS}", "half of")
        self.assertEqual(self.fetch(), 0, self.log)
        self.assert_all_there()

    def test_a_wrong_sha1_in_the_table_is_said(self):
        right = hashlib.sha1(LIB_BODY).hexdigest()
        self.write("third_party/origins.txt",
                   f"{TLS} tls\n  {self.server.url('file/' + 'a' * 40)}\n"
                   f"{LIB} lib\n  {self.server.url('file/' + right)}\n")  # fmt: skip
        self.assertEqual(self.fetch(), 0, self.log)
        self.assertIn(f"is not {TLS}, whose SHA-1 is {hashlib.sha1(TLS_BODY).hexdigest()}", self.log)
        self.assertNotIn(f"is not {LIB}", self.log)


# Files that upstream has and Debian has not, and why they are pinned.
NOT_IN_DEBIAN = {}


class TablesTest(unittest.TestCase):
    """What is pinned has origins that outlive a mirror."""

    def test_each_pin_has_its_origins(self):
        pins = fetch_origin.pins(fetch_origin.read(f"{ROOT}/third_party/sources.bzl"))
        origins = fetch_origin.origins(fetch_origin.read(f"{ROOT}/third_party/origins.txt"))
        self.assertEqual(set(pins), set(origins))
        self.assertGreaterEqual(len(pins), 6)
        for name, (package, addresses) in origins.items():
            with self.subTest(name):
                self.assertTrue(name.startswith(f"{package}_"))
                self.assertGreaterEqual(len(addresses), 1)
                if name not in NOT_IN_DEBIAN:
                    self.assertRegex(addresses[-1], r"^https://snapshot\.debian\.org/file/[0-9a-f]{40}$")
                self.assertTrue(all(address.startswith("https://") for address in addresses))
                self.assertEqual(len({address.split("/")[2] for address in addresses}), len(addresses))

    def test_tables_that_are_wrong(self):
        for text in ("http_archive(\n name = 1)", 'http_archive(sha256 = "ab", urls = [_URL + "x"])'):
            self.assertRaises(ValueError, fetch_origin.pins, text)
        for text in ("  https://x.example/ before a file\n", "  https://x.example/\n", "a b c\n", "a b\n  c d\n"):
            self.assertRaises(ValueError, fetch_origin.origins, text)


if __name__ == "__main__":
    unittest.main()
