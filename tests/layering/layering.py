#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the direction of dependencies on a graph from `bazel query`.

layering.py check GRAPH...   fails, naming the edge, if a rule is broken
layering.py selftest GRAPH   fails unless broken rules are noticed
"""

import re
import sys

# What each folder may name in its deps. Complete: a folder or an external
# repository that is not here fails. docs/architecture.md explains the rows.
GUEST_AND_HOST = {
    "base": {"base"},
    "crypto": {"base", "crypto", "@mbedtls"},
    "proto": {"base", "proto", "@protobuf_c"},
    "sev": {"base", "sev"},
    "boot": {"base", "boot"},
    "attest": {"base", "crypto", "proto", "sev", "attest"},
    "proxy": {"base", "proto", "sev", "proxy"},
}
SHARED = set(GUEST_AND_HOST)
HOST_LIBRARIES = {"@abseil-cpp", "third_party", "@protobuf_c"}

MAY_USE = {
    **GUEST_AND_HOST,
    "svsm": SHARED | {"svsm", "@mbedtls", "@protobuf_c"},
    "host-proxy": {"base", "proto", "sev", "proxy", "host-proxy"} | HOST_LIBRARIES,
    # cli: its command lines, which everybody's programs have (see below).
    "verifier": SHARED - {"proxy"} | {"verifier", "cli"} | HOST_LIBRARIES,
    "launch": SHARED - {"proxy"} | {"launch"} | HOST_LIBRARIES,
    "psp": SHARED | {"psp", "launch", "cli"} | HOST_LIBRARIES,
    "cli": SHARED - {"proxy"} | {"cli", "launch", "verifier"} | HOST_LIBRARIES,
    # Configuration of third-party code, and names for Debian's libraries.
    "third_party": {"third_party"},
    "@mbedtls": {"@mbedtls", "third_party"},
    "@protobuf_c": {"@protobuf_c"},
    "@abseil-cpp": {"@abseil-cpp"},
}

# Compilers and constraints, which select() branches name. A precompiled header
# lets nobody include more than before: the compiler checks that (layering_check).
NOT_CODE = re.compile(
    r"(@bazel_tools|@local_config|@platforms|//platforms|//conditions|//toolchain|//third_party/pch)\b")

OPENSSL = {"//third_party:crypto", "//third_party:ssl"}

# folder or target -> what it must not reach, by whatever way. The rows above
# imply most of this; these are the promises, so they are checked by themselves.
MUST_NOT_REACH = [
    # An untrusted relay must not be able to hold keys.
    ("host-proxy", {"crypto", "attest", "verifier", "svsm", "psp", "@mbedtls"} | OPENSSL),
    ("proxy", {"crypto", "attest", "svsm", "@mbedtls"} | OPENSSL),
    ("sev", {"crypto", "svsm", "@mbedtls"} | OPENSSL),
    # Tools judge boot files by the guest's rules, without the guest's code.
    ("boot", {"crypto", "svsm", "@mbedtls"} | OPENSSL),
    ("attest", {"svsm", "proxy"} | OPENSSL),
    # Guest code has no libc, no exceptions and no second crypto library.
    ("svsm", {"@abseil-cpp", "@googletest", "psp", "launch", "verifier", "host-proxy"} | OPENSSL),
    # The emulated secure processor is in nothing that ships but itself.
    # Of cli only arguments: the rest of it uses the verifier, and images.
    ("verifier", {"psp", "svsm", "host-proxy", "launch", "//cli:report_commands"}),
    ("cli", {"psp", "svsm", "host-proxy"}),
    ("launch", {"psp", "svsm", "host-proxy", "verifier"}),
]


# Libraries inside a folder that may use less than it: nothing but themselves
# and these. The IGVM format knows neither images nor SEV-SNP.
ALONE = {"//launch/igvm": {"base", "@abseil-cpp"}}

# Test tools that no shipped program has in it, by whatever way: the SNP machine,
# and the engine below it, which is under the GPL.
NEVER_SHIPPED = re.compile(r"//machine\b|//third_party:unicorn$")


def folder_of(label, aliases):
    """The first folder of a label, or its external repository."""
    for prefix, folder in aliases.items():
        if label.startswith(prefix):
            return folder
    external = re.match(r"(@[^/]+)//", label)
    if external:
        return external.group(1)
    return re.match(r"//([^/:]*)", label).group(1)


def read_graph(text):
    """label -> set of labels it depends on."""
    graph = {}
    for line in text.splitlines():
        names = re.findall(r'"([^"]+)"', line)
        if not names or any(NOT_CODE.match(name) for name in names):
            continue
        graph.setdefault(names[0], set())
        if "->" in line:
            graph[names[0]].add(names[1])
            graph.setdefault(names[1], set())
    return graph


def path_to(graph, start, is_target):
    """One way from start to a label for which is_target holds, or None."""
    queue = [[start]]
    seen = {start}
    for path in queue:
        for label in sorted(graph[path[-1]]):
            if label in seen:
                continue
            seen.add(label)
            if is_target(label):
                return path + [label]
            queue.append(path + [label])
    return None


def violations(graph, aliases=None):
    """Sentences that say which edges break which rule."""
    aliases = aliases or {}
    found = []
    for label in sorted(graph):
        if NEVER_SHIPPED.match(label):
            found.append(f"{label}: in a shipped program; it is for tests only")
        folder = folder_of(label, aliases)
        if folder not in MAY_USE:
            found.append(f"{label}: no row for {folder} in MAY_USE (layering.py)")
            continue
        for used in sorted(graph[label]):
            used_folder = folder_of(used, aliases)
            if used_folder not in MAY_USE[folder]:
                found.append(f"{label} -> {used}: {folder} may not use {used_folder}")
        for package, may_use in ALONE.items():
            if not label.startswith(package + ":"):
                continue
            for used in sorted(graph[label]):
                if not used.startswith(package + ":") and folder_of(used, aliases) not in may_use:
                    found.append(f"{label} -> {used}: {package} stands alone")
    for start_folder, forbidden in MUST_NOT_REACH:
        for label in sorted(graph):
            if folder_of(label, aliases) != start_folder:
                continue
            path = path_to(
                graph, label, lambda l: l in forbidden or folder_of(l, aliases) in forbidden)
            if path:
                found.append(f"{start_folder} must not reach {path[-1]}: {' -> '.join(path)}")
    return found


def check(files):
    for name in files:
        with open(name, encoding="utf-8") as file:
            graph = read_graph(file.read())
        if not graph:
            sys.exit(f"{name}: an empty graph proves nothing")
        found = violations(graph)
        for sentence in found:
            print(sentence)
        if found:
            sys.exit(f"{name}: {len(found)} violations; the rules are in {__file__}")
        print(f"{name}: {len(graph)} targets and files, no violation")


BROKEN = [
    ('"//host-proxy:main" -> "//crypto:hash"', "host-proxy must not reach //crypto:hash"),
    ('"//host-proxy:main" -> "//third_party:ssl"', "host-proxy must not reach //third_party:ssl"),
    ('"//host-proxy:x" -> "//proxy:y"\n"//proxy:y" -> "//attest:z"',
     "host-proxy must not reach //attest:z"),
    ('"//proxy:client" -> "//svsm/hw:cpu"', "proxy may not use svsm"),
    ('"//attest:session" -> "//proxy:client"', "attest must not reach //proxy:client"),
    ('"//sev:report" -> "@mbedtls//:mbedtls"', "sev may not use @mbedtls"),
    ('"//boot:rules" -> "//svsm/linux:boot_files"', "boot may not use svsm"),
    ('"//cli:boot_warnings" -> "//svsm/linux:bzimage"', "cli may not use svsm"),
    ('"//base:result" -> "//proto:config"', "base may not use proto"),
    ('"//svsm:main" -> "@abseil-cpp//absl/status:status"', "svsm may not use @abseil-cpp"),
    ('"//svsm:main" -> "@googletest//:gtest"', "svsm must not reach @googletest//:gtest"),
    ('"//verifier:server" -> "//psp:firmware"', "verifier may not use psp"),
    ('"//launch/igvm:igvm" -> "//sev:page_info"', "//launch/igvm stands alone"),
    ('"//launch/igvm:igvm" -> "//launch:elf"', "//launch/igvm stands alone"),
    ('"//psp:main" -> "//machine:rmp"', "//machine:rmp: in a shipped"),
    ('"//psp:x" -> "//third_party:unicorn"', "//third_party:unicorn: in a shipped"),
    ('"//newfolder:x" -> "//base:result"', "no row for newfolder"),
]
SOUND = '"//host-proxy:main" -> "//proxy/host:ram_file"\n"//proxy/host:ram_file" -> "//base:result"'


def selftest(file_name):
    for text, expected in BROKEN:
        found = violations(read_graph(text))
        if not any(expected in sentence for sentence in found):
            sys.exit(f"not noticed: {text}\n  wanted: {expected}\n  got: {found}")
    found = violations(read_graph(SOUND))
    if found:
        sys.exit(f"wrongly noticed: {found}")
    with open(file_name, encoding="utf-8") as file:
        graph = read_graph(file.read())
    found = violations(graph, {"//tests/layering/violation": "host-proxy"})
    if not any("host-proxy must not reach @mbedtls//" in sentence for sentence in found):
        sys.exit(f"the violating target went unnoticed: {found}")
    print("broken rules are noticed")


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("check", "selftest"):
        sys.exit(__doc__)
    if sys.argv[1] == "check":
        check(sys.argv[2:])
    else:
        selftest(sys.argv[2])


main()
