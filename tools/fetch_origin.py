#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The archives that third_party/sources.bzl pins, and their public origins.

fetch_origin.py missing            what .distdir lacks: "SHA256 FILE PACKAGE", a line each
fetch_origin.py take FILE          puts FILE there, if it is the pinned one of this name
fetch_origin.py fetch FOLDER       gets what is missing from third_party/origins.txt, by way of FOLDER

A file comes into .distdir by a rename, whole and with the pinned SHA-256, or not
at all. That sum is all the trust there is: origins are named by who has the
file, not by who is believed.
"""

import hashlib
import os
import re
import sys

DISTDIR = ".distdir"
SOURCES, ORIGINS = "third_party/sources.bzl", "third_party/origins.txt"
LIMIT = 64 << 20  # bytes; the largest archive has 6 MB
TIMEOUT_S = 30  # of a connection, and of silence on one


def say(text):
    print(f"setup: {text}", flush=True)


def pins(text):
    """{file: SHA-256} of sources.bzl."""
    found = {}
    for rule in text.split("http_archive(")[1:]:
        digest = re.search(r'\bsha256 = "([0-9a-f]{64})"', rule)
        name = re.search(r'_URL \+ "([^"/]+)"', rule)
        if not digest or not name:
            raise ValueError(f"{SOURCES}: an http_archive without sha256, or without _URL + its file")
        found[name.group(1)] = digest.group(1)
    return found


def origins(text):
    """{file: (source package, [address, ...])} of origins.txt."""
    found, addresses = {}, None
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not line[0].isspace() and len(words) == 2:
            addresses = []
            found[words[0]] = (words[1], addresses)
        elif line[0].isspace() and len(words) == 1 and addresses is not None:
            addresses.append(words[0])
        else:
            raise ValueError(f"{ORIGINS}: neither FILE PACKAGE nor an indented address: {line}")
    return found


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def digest_of(path, algorithm="sha256"):
    with open(path, "rb") as file:
        return hashlib.new(algorithm, file.read()).hexdigest()


def missing():
    for name, digest in pins(read(SOURCES)).items():
        path = os.path.join(DISTDIR, name)
        if not os.path.isfile(path) or digest_of(path) != digest:
            yield name, digest


def install(path, name):
    # Nobody would notice a wrong SHA-1 in the table before it is needed.
    digest = digest_of(path, "sha1")
    for address in origins(read(ORIGINS)).get(name, ("", []))[1]:
        if re.search(r"/file/[0-9a-f]{40}$", address) and not address.endswith(digest):
            say(f"{ORIGINS}: {address} is not {name}, whose SHA-1 is {digest}; correct it")
    os.makedirs(DISTDIR, exist_ok=True)
    os.chmod(path, 0o644)
    os.replace(path, os.path.join(DISTDIR, name))


def take(path):
    """True if it was the pinned file, which is in .distdir now."""
    name = os.path.basename(path)
    if not os.path.isfile(path) or digest_of(path) != pins(read(SOURCES)).get(name):
        return False
    install(path, name)
    return True


silent_hosts = set()  # asked once, not again for each file: that is half a minute each


def download(address, path):
    """Nothing, or why there is no such file."""
    # Here, because they take longer to load than all else takes where nothing is missing.
    import http.client
    import urllib.error
    import urllib.parse
    import urllib.request

    host = urllib.parse.urlsplit(address).netloc
    if host in silent_hosts:
        return "did not answer before"
    request = urllib.request.Request(address, headers={"User-Agent": "forelock-setup"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, open(path, "wb") as file:
            announced = answer.headers.get("Content-Length", "")
            size = 0
            while block := answer.read(1 << 16):
                size += len(block)
                if size > LIMIT:
                    return f"more than {LIMIT} bytes"
                file.write(block)
            if announced.isdecimal() and size < int(announced):
                return f"ended after {size} of {announced} bytes"
    except urllib.error.HTTPError as error:
        return f"HTTP status {error.code}"
    except urllib.error.URLError as error:
        silent_hosts.add(host)
        return str(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    return None


def fetch_one(name, digest, addresses, folder):
    path = os.path.join(folder, name)
    for address in addresses:
        why = download(address, path)
        if why is None and digest_of(path) != digest:
            why = f"not the pinned file: its SHA-256 is {digest_of(path)}"
        if why is None:
            say(f"{name} from {address}")
            install(path, name)
            return True
        say(f"{name}: {address}: {why}")
    return False


def fetch(folder):
    known = origins(read(ORIGINS))
    failed = [
        (name, digest)
        for name, digest in list(missing())
        if not fetch_one(name, digest, known.get(name, ("", []))[1], folder)
    ]
    for name, digest in failed:
        print(
            f"setup: {name} cannot be had: no Debian mirror here and no public origin has it.\n"
            f"setup:   Set DEBIAN_MIRROR to another mirror, or get the file from anywhere: any copy\n"
            f"setup:   with the SHA-256 {digest}\n"
            f"setup:   will do. Put it at {os.path.abspath(DISTDIR)}/{name}, and run ./run setup again.",
            file=sys.stderr,
        )
    return not failed


def main(arguments):
    if arguments == ["missing"]:
        known = origins(read(ORIGINS))
        for name, digest in missing():
            print(digest, name, known.get(name, ("-",))[0])
        return 0
    if len(arguments) == 2 and arguments[0] == "take":
        return 0 if take(arguments[1]) else 1
    if len(arguments) == 2 and arguments[0] == "fetch":
        return 0 if fetch(arguments[1]) else 1
    print("usage: tools/fetch_origin.py missing | take FILE | fetch FOLDER", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
