#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that a machine can check, over the source tree as it stands.

lint.py [ROOT]       every rule; lists what breaks one and fails
lint.py --selftest   fails unless each rule notices a file that breaks it

Each rule is a function from (path, text) to sentences, or from the whole tree.
"""

import os
import re
import sys

# Code that runs in the guest, and what it shares with the host.
GUEST_SHARED = ("base/", "boot/", "crypto/", "proto/", "sev/", "attest/", "proxy/", "svsm/")

# Over 500 lines, and why that is right.
LONG_FILES = {}
MAX_LINES = 500

SKIPPED_FOLDERS = re.compile(r"^(bazel-.*|out|\.git|\.distdir|\.forelock|__pycache__)$")
CODE = (".cc", ".h", ".c", ".S", ".ld", ".py", ".sh", ".proto", ".bzl")
CPP = (".cc", ".h")

EDGE_ABOVE, EDGE_BELOW = 10, 3  # how many lines away the comment may stand
EDGE_WORDS = re.compile(r"\breinterpret_cast\b|\bvolatile\b|\basm\b|\b__asm__\b|\bnew\s*\(")


def is_test(path):
    return path.endswith(("_test.cc", "_fuzz.cc")) or "/testing/" in path or "/fake_" in path


def without_comments_and_strings(text):
    """The same lines, with only code left in them. Good enough for C++."""
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def licence(path, text):
    if path.endswith(CODE) or path == "run" or path.endswith("/run"):
        if text and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.splitlines()[:3]):
            yield "1: no SPDX-License-Identifier in the first lines"


def pragma_once(path, text):
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.M):
        yield "1: no #pragma once"


def length(path, text):
    lines = text.count("\n")
    if path.endswith(CODE) and lines > MAX_LINES and path not in LONG_FILES:
        yield f"{lines}: over {MAX_LINES} lines; split it, or give the reason in LONG_FILES"


def edges(path, text):
    """What the compiler cannot check says why it is sound."""
    if not path.startswith(GUEST_SHARED) or not path.endswith(CPP) or is_test(path):
        return
    lines = text.splitlines()
    code = without_comments_and_strings(text).splitlines()
    # "EDGE: every ..." speaks for the rest of its file.
    everything_from = next(
        (i for i, line in enumerate(lines) if re.search(r"// EDGE: every\b", line)), len(lines))
    for i, line in enumerate(code):
        word = EDGE_WORDS.search(line)
        if not word or i >= everything_from:
            continue
        if not any("EDGE:" in near for near in lines[max(0, i - EDGE_ABOVE):i + 1 + EDGE_BELOW]):
            yield f"{i + 1}: {word.group(0)} without an `// EDGE:` comment that says why"


def no_glob(path, text):
    if os.path.basename(path) == "BUILD" and re.search(r"\bglob\(", text):
        yield "1: glob(); name the files, so that a stray one is not built"


def whitespace(path, text):
    if not path.endswith(CODE + (".md",)) and os.path.basename(path) not in ("BUILD", "WORKSPACE"):
        return
    for i, line in enumerate(text.splitlines()):
        if line != line.rstrip() or ("\t" in line and not path.endswith(".S")):
            yield f"{i + 1}: a tab, or a space at the end"
    if text and not text.endswith("\n"):
        yield f"{text.count(chr(10)) + 1}: no newline at the end"


def todo(path, text):
    if path.endswith(CODE):
        for i, line in enumerate(text.splitlines()):
            if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line) and "tests/lint/" not in path:
                yield f"{i + 1}: a TODO names its issue: TODO(#123)"


def nothing_generated(path, text):
    if path.endswith((".pb-c.c", ".pb-c.h", ".pb.cc", ".pb.h", ".elf", ".o", ".a")):
        yield "1: a generated file is not committed"
    if re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY" + "-----", text):
        yield "1: a private key is not committed"


def leaf(path, text):
    """Nothing is built on tests/ but tests."""
    if path.startswith("tests/"):
        return
    for i, line in enumerate(text.splitlines()):
        uses = path.endswith(CPP) and re.match(r'#include "tests/', line)
        if os.path.basename(path) == "BUILD" or path.endswith(".bzl"):
            uses = re.search(r'"//tests[/:](?!.*__(pkg|subpackages)__")', line)
        if uses:
            yield f"{i + 1}: uses tests/, on which nothing depends"


FILE_RULES = [licence, pragma_once, length, edges, no_glob, whitespace, todo, nothing_generated, leaf]


# Folders with a BUILD file that need no README, and why.
NO_README = {
    "tests/layering/violation",  # a fixture; its BUILD file says what for
}


def readmes(tree):
    """Each top-level folder with code, and each with a BUILD file, says what it is."""
    folders = {path.split("/")[0] for path in tree if "/" in path and path.endswith(CODE)}
    folders |= {os.path.dirname(path) for path in tree if path.endswith("/BUILD")}
    folders = {f for f in folders - NO_README if not f.startswith(".")}
    for folder in sorted(folders):
        if f"{folder}/README.md" not in tree:
            yield f"{folder}/: no README.md (purpose, who may depend on it, what it trusts)"


def links(tree):
    """A document's relative links lead somewhere, and so do its labels."""
    for path in sorted(tree):
        if not path.endswith(".md"):
            continue
        folder = os.path.dirname(path)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", tree[path]):
            place = os.path.normpath(os.path.join(folder, target))
            is_folder = any(other.startswith(f"{place}/") for other in tree)
            if "://" not in target and place not in tree and not is_folder:
                yield f"{path}:1: a link to {target}, which is not there"
        for package, name in re.findall(r"`//([a-z][a-z0-9_/-]*)(?::([a-z0-9_.-]+))?`", tree[path]):
            build = tree.get(f"{package}/BUILD", "")
            if name and f'name = "{name}"' not in build and f'"{name}"' not in build:
                yield f"{path}:1: there is no target //{package}:{name}"


def named_documents(tree):
    """A document that a comment names exists."""
    for path in sorted(tree):
        if path.endswith(CODE) and not path.startswith("tests/lint/"):
            for name in re.findall(r"\bdocs/[a-z0-9/-]+\.md\b", tree[path]):
                if name not in tree:
                    yield f"{path}:1: names {name}, which is not there"


def named_tests(tree):
    """The threat model, and what is said of verification, name tests that exist."""
    tests = "".join(text for path, text in tree.items() if re.search(r"_test\.(cc|py)$", path))
    for path in ("docs/threat-model.md", "docs/verify.md"):
        for name in re.findall(r"`((?:test_|[A-Z][a-z]+[A-Z])\w+)`", tree.get(path, "")):
            if not re.search(rf"\b{name}\b", tests):
                yield f"{path}:1: there is no test {name}"


def orphans(tree):
    """A source that no BUILD file names is neither built nor tested."""
    for path in sorted(tree):
        if not path.endswith((".cc", ".h", ".S")) or path.startswith("third_party/"):
            continue
        folder = os.path.dirname(path)
        while folder and f"{folder}/BUILD" not in tree:
            folder = os.path.dirname(folder)
        name = os.path.relpath(path, folder)
        if f'"{name}"' not in tree.get(f"{folder}/BUILD", ""):
            yield f"{path}:1: named in no BUILD file"


def reasons_are_documented(tree):
    """Each list of reason codes is expanded into docs/errors.md."""
    table = tree.get("tools/reasons/all_reasons.cc", "")
    # Also as a part of another list.
    parts = set(re.findall(r"^  (FORELOCK_\w+_REASONS)\(X\)", "".join(
        text for path, text in tree.items() if os.path.basename(path) == "reasons.h"), re.M))  # fmt: skip
    for path in sorted(tree):
        if os.path.basename(path) != "reasons.h":
            continue
        # A list, not a list of lists.
        for name in re.findall(r"^#define (FORELOCK_\w+_REASONS)\(X\)[\s\\]*X\(", tree[path], re.M):
            if name not in table and name not in parts:
                yield f"{path}:1: {name} is not in tools/reasons/all_reasons.cc"


def layering_knows_all(tree):
    """Each binary outside tests/ and tools/ is a root of the layering test."""
    roots = tree.get("tests/layering/BUILD", "")
    for path in sorted(tree):
        if os.path.basename(path) != "BUILD" or path.startswith(("tests/", "tools/", "docs/")):
            continue
        for rule in re.finditer(r"^(?:cc_binary|guest_binary)\((.*?)^\)", tree[path], re.M | re.S):
            name = re.search(r'name = "([^"]+)"', rule.group(1)).group(1)
            folder = os.path.dirname(path)
            label = f"//{folder}" if folder.split("/")[-1] == name else f"//{folder}:{name}"
            private = "testonly" in rule.group(1) or "os:none" in rule.group(1)
            if not private and f'"{label}"' not in roots:
                yield f"{path}:1: {label} is not in _SHIPPED of tests/layering/BUILD"


TREE_RULES = [readmes, links, named_documents, named_tests, orphans, reasons_are_documented, layering_knows_all]


def read_tree(root):
    tree = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if not SKIPPED_FOLDERS.match(f)]
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path) or os.path.getsize(path) > 1 << 20:
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                tree[os.path.relpath(path, root)] = file.read()
    return tree


def problems(tree):
    found = []
    for path in sorted(tree):
        for rule in FILE_RULES:
            found += [f"{path}:{sentence}" for sentence in rule(path, tree[path])]
    for rule in TREE_RULES:
        found += list(rule(tree))
    return found


HEADER = "// SPDX-License-Identifier: Apache-2.0\n"
# A tree with one file that breaks one rule -> a part of what is said about it.
BROKEN = [
    ({"crypto/a.cc": "int a;\n"}, "no SPDX"),
    ({"crypto/a.h": HEADER + "int a;\n"}, "no #pragma once"),
    ({"verifier/a.cc": HEADER + "\n" * 501}, "over 500 lines"),
    ({"sev/a.cc": HEADER + "int* a = reinterpret_cast<int*>(b);\n"}, "sev/a.cc:2: reinterpret_cast"),
    ({"svsm/a.cc": HEADER + "// EDGE: far\n" + "\n" * 20 + 'void f() { asm("nop"); }\n'}, "asm"),
    ({"base/a.cc": HEADER + "T* t = new (p) T;\n"}, "new ("),
    ({"sev/BUILD": 'cc_library(name = "a", srcs = glob(["*.cc"]))\n'}, "glob()"),
    ({"sev/a.cc": HEADER + "int a; \n"}, "space at the end"),
    ({"sev/a.cc": HEADER + "// TO" + "DO: later\n"}, "names its issue"),
    ({"proto/a.pb-c.h": HEADER + "#pragma once\n"}, "generated"),
    ({"tests/key.pem": "-----BEGIN EC PRIVATE KEY" + "-----\n"}, "private key"),
    ({"sev/a.cc": HEADER + '#include "tests/corpus/world.h"\n'}, "sev/a.cc:2: uses tests/"),
    ({"cli/BUILD": 'cc_test(\n    deps = ["//tests/corpus:world"],\n)\n'}, "cli/BUILD:2: uses tests/"),
    ({"sev/a.cc": HEADER}, "sev/: no README.md"),
    ({"sev/README.md": "# sev/\n", "sev/testing/BUILD": ""}, "sev/testing/: no README.md"),
    ({"docs/a.md": "[b](b.md)\n"}, "a link to b.md"),
    ({"docs/a.md": "`//sev:report_test`\n"}, "no target //sev:report_test"),
    ({"sev/a.cc": HEADER + "// See docs/b.md.\n"}, "names docs/b.md"),
    ({"docs/threat-model.md": "`NoSuchTest`\n"}, "no test NoSuchTest"),
    ({"docs/verify.md": "`NoSuchTest`\n"}, "no test NoSuchTest"),
    ({"sev/a.cc": HEADER, "sev/BUILD": ""}, "named in no BUILD"),
    ({"sev/reasons.h": "#define FORELOCK_SEV_REASONS(X) X(a)\n"}, "not in tools/reasons/all_reasons.cc"),
    ({"cli/BUILD": 'cc_binary(\n    name = "forelock",\n)\n'}, "//cli:forelock is not in _SHIPPED"),
]
SOUND = {
    "sev/README.md": "# sev/\n",
    "tests/layering/violation/BUILD": "",
    "sev/BUILD": 'cc_library(\n    name = "a",\n    visibility = ["//tests/corpus:__pkg__"],\n    srcs = ["a.cc"],\n    hdrs = ["a.h"],\n)\n',
    "sev/a.cc": HEADER + "// EDGE: bytes have no alignment.\nint* a = reinterpret_cast<int*>(b);\n"
                         "// a volatile word in a comment\n",
    "sev/a.h": HEADER + '#pragma once\n// EDGE: every asm below is one instruction.\n'
                        + "\n" * 20 + 'asm("nop");\n',
}


def selftest():
    for tree, expected in BROKEN:
        found = problems(tree)
        if not any(expected in sentence for sentence in found):
            sys.exit(f"not noticed: {tree}\n  wanted: {expected}\n  got: {found}")
    found = problems(SOUND)
    if found:
        sys.exit(f"wrongly noticed: {found}")
    print("each rule notices what breaks it")


def main():
    if sys.argv[1:] == ["--selftest"]:
        selftest()
        return
    # Under `bazel test`, $1 is the WORKSPACE file among the runfiles: a link
    # into the source tree.
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    root = os.path.dirname(os.path.realpath(root)) if os.path.isfile(root) else root
    tree = read_tree(root)
    if "WORKSPACE" not in tree or len(tree) < 50:
        sys.exit(f"{root} is not the source tree")
    found = problems(tree)
    for sentence in found:
        print(sentence)
    if found:
        sys.exit(f"{len(found)} problems; tests/lint/lint.py says what the rules are")
    print(f"{len(tree)} files, no problem")


main()
