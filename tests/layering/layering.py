#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the direction of dependencies on a graph from `bazel query`.

layering.py check GRAPH...        what ships: fails, naming the edge, if a rule is broken
layering.py check-tests GRAPH...  the same of the rooms that only tests have
layering.py selftest GRAPH        fails unless broken rules are noticed
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
HOST_LIBRARIES = {"hosted", "@abseil-cpp", "third_party", "@protobuf_c"}

MAY_USE = {
    **GUEST_AND_HOST,
    "svsm": SHARED | {"svsm", "@mbedtls", "@protobuf_c"},
    "host-proxy": {"base", "proto", "proxy", "host-proxy"} | HOST_LIBRARIES,
    # What every program on the host has in common; OpenSSL, for those who may
    # hold keys.
    "hosted": {"base", "hosted", "@abseil-cpp", "third_party"},
    "hosted/openssl": {"hosted/openssl", "@abseil-cpp", "third_party"},
    "verifier": SHARED - {"proxy"} | {"verifier", "hosted/openssl"} | HOST_LIBRARIES,
    "launch": SHARED - {"proxy"} | {"launch", "hosted/openssl"} | HOST_LIBRARIES,
    "psp": SHARED | {"psp", "launch", "hosted/openssl"} | HOST_LIBRARIES,
    "cli": SHARED - {"proxy"} | {"cli", "launch", "verifier"} | HOST_LIBRARIES,
    # Configuration of third-party code, and names for Debian's libraries.
    "third_party": {"third_party"},
    "@mbedtls": {"@mbedtls", "third_party"},
    "@protobuf_c": {"@protobuf_c"},
    "@abseil-cpp": {"@abseil-cpp"},
}

# Rooms that only tests have, checked on a graph of tests. There each room's own
# rules hold, and psp's; the others' are those of what ships.
TEST_ROOMS = {
    "machine": SHARED - {"attest", "boot"} | {"psp", "launch", "machine"} | HOST_LIBRARIES,
    "tests/corpus": {"base", "sev", "psp", "tests/corpus", "hosted/openssl"} | HOST_LIBRARIES,
    "tests/hostile": SHARED | {"host-proxy", "verifier", "launch", "svsm", "psp", "machine", "tools",
                               "tests/hostile", "@googletest"} | HOST_LIBRARIES,
}
CHECKED_IN_TESTS = {"psp", *TEST_ROOMS}
ROWS = {**MAY_USE, **TEST_ROOMS}

# Compilers and constraints, which select() branches name. A precompiled header
# lets nobody include more than before: the compiler checks that (layering_check).
NOT_CODE = re.compile(
    r"(@bazel_tools|@local_config|@platforms|//platforms|//conditions|//toolchain|//third_party/pch|//:VERSION)\b")

OPENSSL = {"//third_party:crypto", "//third_party:ssl", "hosted/openssl"}

# folder or target -> what it must not reach, by whatever way. The rows above
# imply most of this; these are the promises, so they are checked by themselves.
MUST_NOT_REACH = [
    # An untrusted relay must not be able to hold keys, and takes no certificates apart.
    ("host-proxy", {"crypto", "attest", "sev", "verifier", "svsm", "psp", "@mbedtls"} | OPENSSL),
    ("proxy", {"crypto", "attest", "svsm", "@mbedtls"} | OPENSSL),
    ("hosted", OPENSSL),
    ("sev", {"crypto", "svsm", "@mbedtls"} | OPENSSL),
    # Tools judge boot files by the guest's rules, without the guest's code.
    ("boot", {"crypto", "svsm", "@mbedtls"} | OPENSSL),
    ("attest", {"svsm", "proxy"} | OPENSSL),
    # Guest code has no libc, no exceptions and no second crypto library.
    ("svsm", {"@abseil-cpp", "@googletest", "hosted", "psp", "launch", "verifier", "host-proxy"} | OPENSSL),
    # The emulated secure processor is in nothing that ships but itself.
    ("verifier", {"psp", "svsm", "host-proxy", "launch", "cli"}),
    ("cli", {"psp", "svsm", "host-proxy"}),
    ("launch", {"psp", "svsm", "host-proxy", "verifier"}),
    # A model of the processor knows nobody who is attested by it, or who judges.
    ("psp", {"svsm", "host-proxy", "verifier", "machine", "tests/corpus", "tests/hostile"}),
    ("machine", {"svsm", "host-proxy", "verifier", "tests/corpus", "tests/hostile"}),
    # Evidence is not made by the code that it is to judge.
    ("tests/corpus", {"svsm", "host-proxy", "verifier", "launch", "machine", "tests/hostile"}),
    ("tests/hostile", {"tests/corpus"}),
]

# Libraries inside a folder that may use less than it: nothing but themselves
# and these. The IGVM format knows neither images nor SEV-SNP.
ALONE = {"//launch/igvm": {"base", "hosted", "@abseil-cpp"}}

# What no shipped program has in it, by whatever way: tests, the SNP machine, and
# the engine below it, which is under the GPL.
NEVER_SHIPPED = re.compile(r"//(machine|tests)[/:]|//third_party:unicorn$")


def folder_of(label, aliases):
    """The room of a label: the innermost folder with a row, else its first folder, or its external repository."""
    for prefix, folder in aliases.items():
        if label.startswith(prefix):
            return folder
    external = re.match(r"(@[^/]+)//", label)
    if external:
        return external.group(1)
    package = re.match(r"//([^:]*)", label).group(1)
    first = package.split("/")[0]
    rooms = [room for room in ROWS if f"{package}/".startswith(f"{room}/")]
    return max(rooms, key=len, default=first)


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


def violations(graph, aliases=None, only=None):
    """Sentences that say which edges break which rule. `only`: the rooms to look
    at; else all, as parts of what ships."""
    aliases = aliases or {}
    found = []
    for label in sorted(graph):
        folder = folder_of(label, aliases)
        if only is not None and folder not in only:
            continue
        if only is None and NEVER_SHIPPED.match(label):
            found.append(f"{label}: in a shipped program; it is for tests only")
        if folder not in ROWS:
            found.append(f"{label}: no row for {folder} in MAY_USE (layering.py)")
            continue
        for used in sorted(graph[label]):
            used_folder = folder_of(used, aliases)
            if used_folder not in ROWS[folder]:
                found.append(f"{label} -> {used}: {folder} may not use {used_folder}")
        for package, may_use in ALONE.items():
            if not label.startswith(package + ":"):
                continue
            for used in sorted(graph[label]):
                if not used.startswith(package + ":") and folder_of(used, aliases) not in may_use:
                    found.append(f"{label} -> {used}: {package} stands alone")
    for start_folder, forbidden in MUST_NOT_REACH:
        if only is not None and start_folder not in only:
            continue
        for label in sorted(graph):
            if folder_of(label, aliases) != start_folder:
                continue
            path = path_to(
                graph, label, lambda l: l in forbidden or folder_of(l, aliases) in forbidden)
            if path:
                found.append(f"{start_folder} must not reach {path[-1]}: {' -> '.join(path)}")
    return found


def check(files, only=None):
    for name in files:
        with open(name, encoding="utf-8") as file:
            graph = read_graph(file.read())
        if not graph:
            sys.exit(f"{name}: an empty graph proves nothing")
        missing = set(only or ()) - {folder_of(label, {}) for label in graph}
        if missing:
            sys.exit(f"{name}: nothing of {', '.join(sorted(missing))} is in it")
        found = violations(graph, only=only)
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
    ('"//host-proxy:x" -> "//proxy:y"\n"//proxy:y" -> "//sev:cert_table"',
     "host-proxy must not reach //sev:cert_table"),
    ('"//proxy:client" -> "//svsm/hw:cpu"', "proxy may not use svsm"),
    ('"//attest:session" -> "//proxy:client"', "attest must not reach //proxy:client"),
    ('"//sev:report" -> "@mbedtls//:mbedtls"', "sev may not use @mbedtls"),
    ('"//boot:rules" -> "//svsm/linux:boot_files"', "boot may not use svsm"),
    ('"//cli:boot_warnings" -> "//svsm/linux:bzimage"', "cli may not use svsm"),
    ('"//base:result" -> "//proto:config"', "base may not use proto"),
    ('"//svsm:main" -> "@abseil-cpp//absl/status:status"', "svsm may not use @abseil-cpp"),
    ('"//svsm:main" -> "@googletest//:gtest"', "svsm must not reach @googletest//:gtest"),
    ('"//verifier:server" -> "//psp:firmware"', "verifier may not use psp"),
    ('"//verifier/cli:main" -> "//cli:files"', "verifier may not use cli"),
    ('"//hosted:status" -> "//proto:reasons"', "hosted may not use proto"),
    ('"//hosted:files" -> "//third_party:crypto"', "hosted must not reach //third_party:crypto"),
    ('"//svsm:main" -> "//hosted:text"', "svsm may not use hosted"),
    ('"//hosted:files" -> "//hosted/openssl:openssl"', "hosted may not use hosted/openssl"),
    ('"//host-proxy:main" -> "//hosted/openssl:openssl"', "host-proxy may not use hosted/openssl"),
    ('"//host-proxy:main" -> "//hosted:x"\n"//hosted:x" -> "//hosted/openssl:ssl"',
     "host-proxy must not reach //hosted/openssl:ssl"),
    ('"//proxy:x" -> "//hosted/openssl:openssl"', "proxy must not reach //hosted/openssl:openssl"),
    ('"//sev:x" -> "//hosted/openssl:openssl"', "sev must not reach //hosted/openssl:openssl"),
    ('"//boot:x" -> "//hosted/openssl:openssl"', "boot must not reach //hosted/openssl:openssl"),
    ('"//attest:x" -> "//hosted/openssl:openssl"', "attest must not reach //hosted/openssl:openssl"),
    ('"//svsm:main" -> "//hosted/openssl:openssl"', "svsm must not reach //hosted/openssl:openssl"),
    ('"//hosted/openssl:openssl" -> "//hosted:status"', "hosted/openssl may not use hosted"),
    ('"//launch/igvm:igvm" -> "//sev:page_info"', "//launch/igvm stands alone"),
    ('"//launch/igvm:igvm" -> "//launch:elf"', "//launch/igvm stands alone"),
    ('"//psp:main" -> "//machine:rmp"', "//machine:rmp: in a shipped"),
    ('"//psp:x" -> "//third_party:unicorn"', "//third_party:unicorn: in a shipped"),
    ('"//psp:x" -> "//tests/corpus:world"', "//tests/corpus:world: in a shipped"),
    ('"//psp:x" -> "//tests/e2e:x"', "//tests/e2e:x: in a shipped"),
    ('"//newfolder:x" -> "//base:result"', "no row for newfolder"),
]
BROKEN_TESTS = [
    ('"//psp:firmware" -> "//machine:rmp"', "psp may not use machine"),
    ('"//psp:x" -> "//cli:y"\n"//cli:y" -> "//verifier:z"', "psp must not reach //verifier:z"),
    ('"//machine:machine" -> "//tests/hostile:bench"', "machine may not use tests/hostile"),
    ('"//machine:loader" -> "//svsm/linux:bzimage"', "machine may not use svsm"),
    ('"//machine/payload:x" -> "//attest:y"', "machine may not use attest"),
    ('"//machine:x" -> "//launch:y"\n"//launch:y" -> "//host-proxy:z"', "machine must not reach //host-proxy:z"),
    ('"//tests/corpus:world" -> "//verifier/evidence:report"', "tests/corpus may not use verifier"),
    ('"//tests/corpus:x" -> "//psp:y"\n"//psp:y" -> "//launch:z"', "tests/corpus must not reach //launch:z"),
    ('"//tests/hostile:bench" -> "//tests/corpus:world"', "tests/hostile may not use tests/corpus"),
    ('"//tests/hostile:bench" -> "//tests/e2e:x"', "tests/hostile may not use tests"),
    ('"//tests/hostile:bench" -> "//cli:arguments"', "tests/hostile may not use cli"),
]
SOUND = ('"//host-proxy:main" -> "//proxy/host:ram_file"\n"//proxy/host:ram_file" -> "//base:result"\n'
         '"//launch:id_block" -> "//hosted/openssl:openssl"\n"//hosted/openssl:openssl" -> "//third_party:crypto"')

# verifier/testing may do what the verifier must not.
SOUND_TESTS = ('"//tests/hostile:owner" -> "//verifier/testing:evidence_maker"\n'
               '"//verifier/testing:evidence_maker" -> "//psp:firmware"\n"//machine:loader" -> "//psp:firmware"')


def selftest(file_name):
    for text, expected in BROKEN:
        found = violations(read_graph(text))
        if not any(expected in sentence for sentence in found):
            sys.exit(f"not noticed: {text}\n  wanted: {expected}\n  got: {found}")
    for text, expected in BROKEN_TESTS:
        found = violations(read_graph(text), only=CHECKED_IN_TESTS)
        if not any(expected in sentence for sentence in found):
            sys.exit(f"not noticed: {text}\n  wanted: {expected}\n  got: {found}")
    found = violations(read_graph(SOUND)) + violations(read_graph(SOUND_TESTS), only=CHECKED_IN_TESTS)
    if found:
        sys.exit(f"wrongly noticed: {found}")
    with open(file_name, encoding="utf-8") as file:
        graph = read_graph(file.read())
    found = violations(graph, {"//tests/layering/violation": "host-proxy"})
    if not any("host-proxy must not reach @mbedtls//" in sentence for sentence in found):
        sys.exit(f"the violating target went unnoticed: {found}")
    print("broken rules are noticed")


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("check", "check-tests", "selftest"):
        sys.exit(__doc__)
    if sys.argv[1] == "check":
        check(sys.argv[2:])
    elif sys.argv[1] == "check-tests":
        check(sys.argv[2:], CHECKED_IN_TESTS)
    else:
        selftest(sys.argv[2])


main()
